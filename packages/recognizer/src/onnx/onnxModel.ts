// A face embedding network: aligned images in, embeddings out. What it takes is read from the file, what the file cannot say from the
// model card. Opening a file: nodeRuntime.ts, web/webRuntime.ts.
import { TopofrError } from "@topofr/formats/error";
import type { ModelCard } from "../card/modelCard.js";
import { CHANNELS, channelTables, fillInput, imageInput, type Layout } from "./imageInput.js";
import type { Network } from "./network.js";

const DEFAULT_SIZE = 112; // pixels, where neither file nor card says
/** Embedding networks have one output or a few; a face detector has several for each stride. */
const DETECTOR_OUTPUTS = 6;

export interface OnnxModel {
  /** How messages call it: its path, mostly. */
  readonly name: string;
  /** Height and width of the images, in pixels. */
  readonly imageSize: number;
  readonly dimension: number;
  /** Images of every call; null: any number. */
  readonly fixedBatch: number | null;
  /**
   * Embeddings [count, dimension] of `pixels` [count, size, size, 3] RGB 0..255, or of their mirror images. A fixed batch is
   * filled up with zeros.
   */
  run(pixels: Uint8Array, count: number, options: { mirror: boolean }): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * Embeds one black image, so that a model that cannot work fails here; the network is then closed.
 *
 * @throws E_MODEL when the network is not one of faces
 */
export async function createOnnxModel(network: Network, card: ModelCard): Promise<OnnxModel> {
  try {
    return await embeddingModel(network, card);
  } catch (error) {
    await network.close();
    throw error;
  }
}

async function embeddingModel(network: Network, card: ModelCard): Promise<OnnxModel> {
  const output = chooseOutput(network, card.output);
  const { input, size, layout, fixedBatch } = inputForm(network, card);
  const tables = channelTables(card.input);

  async function forward(pixels: Uint8Array, count: number, mirror: boolean) {
    const batch = fixedBatch ?? count;
    const data = new Float32Array(batch * CHANNELS * size * size);
    const images = pixels.subarray(0, batch * CHANNELS * size * size);
    fillInput(data, images, { height: size, width: size, layout, tables, mirror });
    const shape = layout === "nchw" ? [batch, CHANNELS, size, size] : [batch, size, size, CHANNELS];
    const [result] = await network.run({ name: input, data, shape }, [output]);
    const { dims, data: rows } = result!;
    const isMatrix = dims.length >= 2 && dims[0] === batch && dims.slice(2).every((n) => n === 1);
    if (!isMatrix) {
      throw new TopofrError(
        "E_MODEL",
        `${network.name}: output "${output}" is float32 [${dims.join(", ")}] for ${batch} images; expected float32 ` +
          `[${batch}, dimension], one embedding a row`,
      );
    }
    return { rows: rows.subarray(0, count * dims[1]!), dimension: dims[1]! };
  }

  const { dimension } = await forward(new Uint8Array(size * size * CHANNELS), 1, false);
  return {
    name: network.name,
    imageSize: size,
    dimension,
    fixedBatch,
    async run(pixels, count, { mirror }) {
      return (await forward(pixels, count, mirror)).rows;
    },
    close: () => network.close(),
  };
}

interface InputForm {
  input: string;
  size: number;
  layout: Layout;
  fixedBatch: number | null;
}

function inputForm(network: Network, card: ModelCard): InputForm {
  const { name: input, batch, height, width, layouts, text } = imageInput(network);
  const layout = card.input.layout ?? layouts[0]!;
  if (!layouts.includes(layout))
    throw new TopofrError("E_MODEL", `${network.name}: ${text}; the card says input.layout ${layout}`);
  const stated = [height, width].filter((side) => side !== null);
  const size = stated[0] ?? card.input.size ?? DEFAULT_SIZE;
  if (stated.some((side) => side !== size))
    throw new TopofrError("E_MODEL", `${network.name}: ${text}; expected square images`);
  if (card.input.size !== null && card.input.size !== size)
    throw new TopofrError(
      "E_MODEL",
      `${network.name}: ${text}, images of ${size} pixels; the card says ${card.input.size}`,
    );
  return { input, size, layout, fixedBatch: batch };
}

function chooseOutput({ name, outputNames }: Network, wanted: string | null): string {
  const chosen = wanted ?? (outputNames.length === 1 ? outputNames[0]! : null);
  if (chosen !== null && outputNames.includes(chosen)) return chosen;
  const names = outputNames.join(", ");
  if (chosen !== null) throw new TopofrError("E_MODEL", `${name}: no output "${chosen}"; it has ${names}`);
  throw new TopofrError(
    "E_MODEL",
    `${name}: which of its ${outputNames.length} outputs is the embedding? Say so with --output or \`output:\` in the model ` +
      `card: ${names}${outputNames.length >= DETECTOR_OUTPUTS ? " (if it is a face detector, give it as `detector`)" : ""}`,
  );
}
