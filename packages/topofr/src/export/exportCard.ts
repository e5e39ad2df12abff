// The model card of an exported network: how its images are prepared travels with the weights.

import type { CardFields } from "@topofr/recognizer";
import { stringify } from "yaml";
import { PIXEL_MEAN, PIXEL_SCALE } from "../data/normalize.js";
import { EMBEDDING } from "./graphWriter.js";

export function cardFields(name: string, inputSize: number): CardFields {
  return {
    name,
    input: { size: inputSize, layout: "nchw", color: "rgb", scale: 1, mean: PIXEL_MEAN, std: PIXEL_SCALE },
    output: EMBEDDING,
  };
}

export function cardText(fields: CardFields): string {
  return `# The network gets (pixel x scale - mean) / std of faces aligned by five landmarks to the ArcFace template.\n${stringify(fields)}`;
}
