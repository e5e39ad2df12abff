// What a network of images takes, as its file states it: the form of its one input.
import { TopofrError } from "@topofr/formats/error";
import type { Network } from "./network.js";

export const CHANNELS = 3;

export type Layout = "nchw" | "nhwc";

export interface ImageInput {
  name: string;
  /** Null: open. */
  batch: number | null;
  height: number | null;
  width: number | null;
  /** The one or two that the shape allows, the surer one first. */
  layouts: readonly Layout[];
  /** `input "data" is float32 [N, 3, 112, 112]`, for messages. */
  text: string;
}

/** @throws E_MODEL when the network has not one input of float32 images */
export function imageInput(network: Network): ImageInput {
  const [input, ...others] = network.inputs;
  const fail = (found: string) =>
    new TopofrError(
      "E_MODEL",
      `${network.name}: ${found}; expected one input of float32 images, [batch, 3, size, size] or [batch, size, size, 3]`,
    );
  if (input === undefined || others.length > 0) throw fail(`it has ${network.inputs.length} inputs`);
  const { shape, type } = input;
  if (shape === null) throw fail(`input "${input.name}" is not a tensor`);
  const text = `input "${input.name}" is ${type} [${shape.join(", ")}]`;
  if (type !== "float32" || shape.length !== 4) throw fail(text);
  const fits = (axis: number) => shape[axis] === CHANNELS || typeof shape[axis] === "string";
  const possible = (
    [
      [1, "nchw"],
      [3, "nhwc"],
    ] as const
  ).filter(([axis]) => fits(axis));
  const certain = possible.filter(([axis]) => shape[axis] === CHANNELS);
  const layouts = (certain.length > 0 ? certain : possible).map(([, name]): Layout => name);
  if (layouts.length === 0) throw fail(text);
  const number = (axis: number) => {
    const n = shape[axis];
    return typeof n === "number" && n > 0 ? n : null;
  };
  const [height, width] = layouts[0] === "nchw" ? [2, 3] : [1, 2];
  return {
    name: input.name,
    batch: number(0),
    height: number(height!),
    width: number(width!),
    layouts,
    text,
  };
}

/** Network input of each pixel value, for each channel in the network's order; `from` is the channel of RGB. */
export type ChannelTables = readonly { from: number; values: Float32Array }[];

/** Input = (pixel · scale - mean) / std. */
export interface PixelRule {
  color: "rgb" | "bgr";
  scale: number;
  mean: readonly number[];
  std: readonly number[];
}

export function channelTables({ color, scale, mean, std }: PixelRule): ChannelTables {
  return Array.from({ length: CHANNELS }, (_, channel) => ({
    from: color === "rgb" ? channel : CHANNELS - 1 - channel,
    values: Float32Array.from(
      { length: 256 },
      (_, pixel) => (pixel * scale - mean[channel]!) / std[channel]!,
    ),
  }));
}

export interface FillOptions {
  height: number;
  width: number;
  layout: Layout;
  tables: ChannelTables;
  mirror: boolean;
}

/**
 * Writes the images `pixels` [count, height, width, 3] RGB into a network's input, row by row and channel by channel; what is beyond
 * them in `data` stays.
 */
export function fillInput(data: Float32Array, pixels: Uint8Array, options: FillOptions): void {
  const { height, width, layout, tables, mirror } = options;
  const area = height * width;
  const count = pixels.length / (area * CHANNELS);
  tables.forEach(({ from, values }, channel) => {
    const start = layout === "nchw" ? channel * area : channel;
    const stride = layout === "nchw" ? 1 : CHANNELS;
    for (let image = 0; image < count; image++) {
      for (let y = 0; y < height; y++) {
        let out = image * area * CHANNELS + start + y * width * stride;
        let source = (image * area + y * width + (mirror ? width - 1 : 0)) * CHANNELS + from;
        const step = mirror ? -CHANNELS : CHANNELS;
        for (let x = 0; x < width; x++, out += stride, source += step) data[out] = values[pixels[source]!]!;
      }
    }
  });
}
