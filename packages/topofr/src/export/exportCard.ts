// The model card of an exported network: how its images are prepared travels with the weights.
import { stringify } from "yaml";
import { PIXEL_MEAN, PIXEL_SCALE } from "../data/normalize.js";
import type { CardFields } from "../models/modelCard.js";
import { EMBEDDING, IMAGE_SIZE } from "./graphWriter.js";

export function cardFields(name: string): CardFields {
  return {
    name,
    input: { size: IMAGE_SIZE, layout: "nchw", color: "rgb", scale: 1, mean: PIXEL_MEAN, std: PIXEL_SCALE },
    output: EMBEDDING,
  };
}

export function cardText(fields: CardFields): string {
  return `# The network gets (pixel x scale - mean) / std of faces aligned by five landmarks to the ArcFace template.\n${stringify(fields)}`;
}
