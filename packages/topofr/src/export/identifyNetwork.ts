// Which network a state dict is of, by its names and shapes alone.
import { TopofrError } from "@topofr/formats";
import { inputSizeOf } from "../models/inputSize.js";
import { IRESNET_BLOCKS } from "../models/iresnet.js";
import { NETWORKS, type NetworkName } from "../models/names.js";
import { MOBILEFACENET_FORMS } from "./networkLayers.js";

export interface Identified {
  network: NetworkName;
  embeddingSize: number;
  /** Height and width of the images, in pixels. */
  inputSize: number;
}

type Shapes = ReadonlyMap<string, readonly number[]>;

/** What tells the networks apart. */
interface Form {
  network: NetworkName;
  /** How it reads in a message. */
  text: string;
}

const iresnetText = (blocks: readonly number[]) => `IResNet blocks ${blocks.join(", ")}`;
const mobileText = (blocks: readonly number[], channels: number) =>
  `MobileFaceNet blocks ${blocks.join(", ")} with ${channels} channels`;

const FORMS: readonly Form[] = [
  ...Object.entries(IRESNET_BLOCKS).map(([depth, blocks]) => ({
    network: `iresnet${depth}` as NetworkName,
    text: iresnetText(blocks),
  })),
  ...Object.entries(MOBILEFACENET_FORMS).map(([network, { blocks, scale }]) => ({
    network: network as NetworkName,
    text: mobileText(blocks, 64 * scale),
  })),
];

/**
 * @param shapes of the backbone's tensors by name, without prefix
 * @param source names the file in errors
 * @throws E_MODEL when it is none of our networks, with what was found beside what each has
 */
export function identifyNetwork(shapes: Shapes, source: string): Identified {
  const found = iresnetForm(shapes) ?? mobileFaceNetForm(shapes);
  if (found === null) {
    const names = [...shapes.keys()].slice(0, 4).join(", ");
    throw new TopofrError(
      "E_MODEL",
      `${source}: of which network is it? It has neither layer1.0.conv1.weight and fc.weight (IResNet) nor conv_sep.layers.0.weight and ` +
        `features.layers.2.weight (MobileFaceNet), but ${shapes.size} tensors: ${names}${shapes.size > 4 ? ", …" : ""}; ` +
        `known networks: ${NETWORKS.join(", ")}`,
    );
  }
  const form = FORMS.find(({ text }) => text === found.text);
  const inputSize = inputSizeOf(new Map([...shapes].map(([name, shape]) => [name, { shape }])));
  if (form && inputSize !== null)
    return { network: form.network, embeddingSize: found.embeddingSize, inputSize };
  if (form)
    throw new TopofrError(
      "E_MODEL",
      `${source}: ${found.text}, but of which size of images its last map is cannot be told from its shapes`,
    );
  const known = FORMS.map(({ network, text }) => `\n  ${network}: ${text}`).join("");
  throw new TopofrError("E_MODEL", `${source}: ${found.text} are of none of the known networks:${known}`);
}

interface Found {
  text: string;
  embeddingSize: number;
}

function iresnetForm(shapes: Shapes): Found | null {
  const embeddingSize = shapes.get("fc.weight")?.[0];
  if (embeddingSize === undefined || !shapes.has("layer1.0.conv1.weight")) return null;
  const blocks = [1, 2, 3, 4].map((stage) => countOf(shapes, `layer${stage}.`, ".conv1.weight"));
  return { text: iresnetText(blocks), embeddingSize };
}

function mobileFaceNetForm(shapes: Shapes): Found | null {
  const embeddingSize = shapes.get("features.layers.2.weight")?.[0];
  const channels = shapes.get("layers.0.layers.0.weight")?.[0];
  if (embeddingSize === undefined || channels === undefined || !shapes.has("conv_sep.layers.0.weight"))
    return null;
  const blocksOf = (stage: number) => countOf(shapes, `layers.${stage}.layers.`, ".layers.0.layers.0.weight");
  // The first stage is one plain convolution where it has one block.
  const first = shapes.has("layers.1.layers.0.weight") ? 1 : blocksOf(1);
  return { text: mobileText([first, blocksOf(3), blocksOf(5), blocksOf(7)], channels), embeddingSize };
}

/** How many `<start>0<end>`, `<start>1<end>`, … there are in a row. */
function countOf(shapes: Shapes, start: string, end: string): number {
  let count = 0;
  while (shapes.has(`${start}${count}${end}`)) count++;
  return count;
}
