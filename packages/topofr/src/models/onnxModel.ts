// A face embedding network in an ONNX file, run by ONNX Runtime. What it takes is read from the file, what the file cannot say
// from the model card. No libtorch here; the runtime is loaded when a model is opened.
import { stat } from "node:fs/promises";
import { fileError, TopofrError } from "@topofr/formats";
import type { InferenceSession } from "onnxruntime-node";
import type { ModelCard } from "./modelCard.js";

const DEFAULT_SIZE = 112; // pixels, where neither file nor card says
const CHANNELS = 3;

type Runtime = typeof import("onnxruntime-node");
type Layout = "nchw" | "nhwc";

export interface OnnxModel {
  readonly path: string;
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
 * Opens the file and embeds one black image, so that a model that cannot work fails here.
 *
 * @param options.threads of the runtime; null: all cores
 * @param options.bytes the model, where it is not in the file yet; `path` then only names it
 * @throws E_SETUP when ONNX Runtime is not installed; E_FILE; E_FORMAT when it cannot load the file; E_MODEL when the network
 *   is not one of faces: [batch, 3, size, size] or [batch, size, size, 3] float32 in, [batch, dimension] float32 out
 */
export async function openOnnxModel(
  path: string,
  card: ModelCard,
  { threads = null, bytes = null }: { threads?: number | null; bytes?: Uint8Array | null } = {},
): Promise<OnnxModel> {
  if (bytes === null)
    await stat(path).catch((error) => {
      throw fileError(path, "open the ONNX model", error);
    });
  const runtime = await loadRuntime();
  let session: InferenceSession;
  try {
    const options = {
      logSeverityLevel: 3, // errors
      ...(threads !== null && { intraOpNumThreads: threads }),
    } as const;
    session = await (bytes === null
      ? runtime.InferenceSession.create(path, options)
      : runtime.InferenceSession.create(bytes, options));
  } catch (cause) {
    throw new TopofrError(
      "E_FORMAT",
      `${path}: ONNX Runtime cannot load it (${oneLine(cause)}); the file is damaged or not an ONNX model`,
      { cause },
    );
  }
  try {
    const input = describeInput(path, session, card);
    const output = chooseOutput(path, session, card.output);
    return await createModel(path, { runtime, session, input, output, card });
  } catch (error) {
    await session.release();
    throw error;
  }
}

interface ModelParts {
  runtime: Runtime;
  session: InferenceSession;
  input: InputForm;
  output: string;
  card: ModelCard;
}

async function createModel(path: string, parts: ModelParts): Promise<OnnxModel> {
  const { runtime, session, input, output, card } = parts;
  const tables = channelTables(card);
  const { size, layout, batch: fixedBatch } = input;

  async function forward(pixels: Uint8Array, count: number, mirror: boolean) {
    const batch = fixedBatch ?? count;
    const data = new Float32Array(batch * CHANNELS * size * size);
    fillInput(data, pixels, { batch, size, layout, tables, mirror });
    const shape = layout === "nchw" ? [batch, CHANNELS, size, size] : [batch, size, size, CHANNELS];
    const feeds = { [input.name]: new runtime.Tensor("float32", data, shape) };
    const result = (
      await session.run(feeds, [output]).catch((cause) => {
        const given = `[${shape.join(", ")}]`;
        throw new TopofrError("E_MODEL", `${path}: fails on an input of ${given} (${oneLine(cause)})`, {
          cause,
        });
      })
    )[output]!;
    const dims = result.dims;
    const isMatrix = dims[0] === batch && dims.slice(2).every((n) => n === 1) && dims.length >= 2;
    if (!isMatrix || !(result.data instanceof Float32Array)) {
      throw new TopofrError(
        "E_MODEL",
        `${path}: output "${output}" is ${result.type} [${dims.join(", ")}] for ${batch} images; expected float32 ` +
          `[${batch}, dimension], one embedding a row`,
      );
    }
    return { rows: result.data.subarray(0, count * dims[1]!), dimension: dims[1]! };
  }

  const { dimension } = await forward(new Uint8Array(size * size * CHANNELS), 1, false);
  return {
    path,
    imageSize: size,
    dimension,
    fixedBatch,
    async run(pixels, count, { mirror }) {
      return (await forward(pixels, count, mirror)).rows;
    },
    close: () => session.release(),
  };
}

/** @throws E_SETUP when ONNX Runtime is not installed */
export async function loadRuntime(): Promise<Runtime> {
  try {
    const runtime = await import("onnxruntime-node");
    return (runtime as Runtime & { default?: Runtime }).default ?? runtime;
  } catch (cause) {
    throw new TopofrError(
      "E_SETUP",
      `ONNX models need ONNX Runtime, which cannot be loaded (${oneLine(cause)}); install it: npm install onnxruntime-node`,
      { cause },
    );
  }
}

interface InputForm {
  name: string;
  batch: number | null;
  size: number;
  layout: Layout;
}

function describeInput(path: string, session: InferenceSession, card: ModelCard): InputForm {
  const [input, ...others] = session.inputMetadata;
  const fail = (found: string) =>
    new TopofrError(
      "E_MODEL",
      `${path}: ${found}; expected one input of float32 images, [batch, 3, size, size] or [batch, size, size, 3]`,
    );
  if (input === undefined || others.length > 0) throw fail(`it has ${session.inputNames.length} inputs`);
  if (!input.isTensor) throw fail(`input "${input.name}" is not a tensor`);
  const { shape } = input;
  const found = `input "${input.name}" is ${input.type} [${shape.join(", ")}]`;
  if (input.type !== "float32" || shape.length !== 4) throw fail(found);
  const fits = (axis: number) => shape[axis] === CHANNELS || typeof shape[axis] === "string";
  const possible = (
    [
      [1, "nchw"],
      [3, "nhwc"],
    ] as const
  ).filter(([axis]) => fits(axis));
  const certain = possible.filter(([axis]) => shape[axis] === CHANNELS);
  const layouts = (certain.length > 0 ? certain : possible).map(([, name]): Layout => name);
  const layout = card.input.layout ?? layouts[0];
  if (layout === undefined) throw fail(found);
  if (!layouts.includes(layout))
    throw new TopofrError("E_MODEL", `${path}: ${found}; the card says input.layout ${layout}`);
  const sides = (layout === "nchw" ? [2, 3] : [1, 2]).map((axis) => shape[axis]);
  const stated = sides.filter((side) => typeof side === "number");
  const size = stated[0] ?? card.input.size ?? DEFAULT_SIZE;
  if (stated.some((side) => side !== size)) throw fail(found);
  if (card.input.size !== null && card.input.size !== size)
    throw new TopofrError(
      "E_MODEL",
      `${path}: ${found}, images of ${size} pixels; the card says ${card.input.size}`,
    );
  const batch = shape[0];
  return { name: input.name, batch: typeof batch === "number" ? batch : null, size, layout };
}

function chooseOutput(path: string, session: InferenceSession, wanted: string | null): string {
  const names = session.outputNames;
  const chosen = wanted ?? (names.length === 1 ? names[0]! : null);
  if (chosen !== null && names.includes(chosen)) return chosen;
  throw new TopofrError(
    "E_MODEL",
    chosen === null
      ? `${path}: which of its ${names.length} outputs is the embedding? Say so with --output or \`output:\` in the model ` +
          `card: ${names.join(", ")}`
      : `${path}: no output "${chosen}"; it has ${names.join(", ")}`,
  );
}

/** Network input of each pixel value, for each channel in the network's order; `from` is the channel of RGB. */
function channelTables({ input }: ModelCard): { from: number; values: Float32Array }[] {
  return Array.from({ length: CHANNELS }, (_, channel) => ({
    from: input.color === "rgb" ? channel : CHANNELS - 1 - channel,
    values: Float32Array.from(
      { length: 256 },
      (_, pixel) => (pixel * input.scale - input.mean[channel]!) / input.std[channel]!,
    ),
  }));
}

interface FillOptions {
  batch: number;
  size: number;
  layout: Layout;
  tables: ReturnType<typeof channelTables>;
  mirror: boolean;
}

/** Writes `pixels` into `data`, row by row and channel by channel; images beyond them stay 0. */
function fillInput(data: Float32Array, pixels: Uint8Array, options: FillOptions): void {
  const { size, layout, tables, mirror } = options;
  const area = size * size;
  const count = Math.min(options.batch, pixels.length / (area * CHANNELS));
  tables.forEach(({ from, values }, channel) => {
    const start = layout === "nchw" ? channel * area : channel;
    const stride = layout === "nchw" ? 1 : CHANNELS;
    for (let image = 0; image < count; image++) {
      for (let y = 0; y < size; y++) {
        let out = image * area * CHANNELS + start + y * size * stride;
        let source = (image * area + y * size + (mirror ? size - 1 : 0)) * CHANNELS + from;
        const step = mirror ? -CHANNELS : CHANNELS;
        for (let x = 0; x < size; x++, out += stride, source += step) data[out] = values[pixels[source]!]!;
      }
    }
  });
}

function oneLine(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.split("\n")[0]!.trim();
}
