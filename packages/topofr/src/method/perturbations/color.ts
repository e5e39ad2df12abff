// Grayscale and colour jitter on images, [1, 3, h, w] in [-1, 1], with torchvision's arithmetic in [0, 1]: on the CPU by one native pass
// over the image each (native/src/kernels/color.cpp), elsewhere by tensor operators.
import { ops, type Tensor, tensor } from "@topofr/torch";
import type { RandomStream } from "../../random/stream.js";
import { inUnitRange } from "./unitRange.js";

/** In the native kernel's order. */
const ADJUSTMENTS = ["brightness", "contrast", "saturation", "hue"] as const;
type AdjustmentName = (typeof ADJUSTMENTS)[number];
export interface Adjustment {
  name: AdjustmentName;
  amount: number;
}

const LUMA = [0.2989, 0.587, 0.114] as const; // ITU-R 601-2, torchvision's digits

/** Luminance, [n, 1, h, w]. */
function luminance(images: Tensor): Tensor {
  return images.mul(tensor([...LUMA]).reshape([1, 3, 1, 1])).sum([1], { keepdim: true });
}

const blend = (images: Tensor, other: Tensor, factor: number): Tensor =>
  images
    .mul(factor)
    .add(other.mul(1 - factor))
    .clamp({ min: 0, max: 1 });

/** Turns the hue by `shift` (a fraction of the circle) in HSV. */
function turnHue(images: Tensor, shift: number): Tensor {
  const [red, green, blue] = images.unbind({ dim: 1 }) as [Tensor, Tensor, Tensor];
  const value = images.amax({ dim: [1] });
  const range = value.sub(images.amin({ dim: [1] }));
  const isGrey = range.eq(0);
  const saturation = range.div(value.maskedFill(isGrey, 1));
  const safeRange = range.maskedFill(isGrey, 1);
  const distance = (channel: Tensor) => value.sub(channel).div(safeRange);
  const [toRed, toGreen, toBlue] = [distance(red), distance(green), distance(blue)];

  const isRed = value.eq(red);
  const isGreen = value.eq(green);
  const notRed = ops.where(isGreen, toRed.sub(toBlue).add(2), toGreen.sub(toRed).add(4));
  const sector = ops.where(isRed, toBlue.sub(toGreen), notRed);
  const turned = sector.div(6).add(1 + shift);
  const hue = turned.sub(turned.floor());

  // Back to RGB: channel k is value · (1 - saturation · clamp(|…|)) of its own place on the circle.
  const channels = [5, 3, 1].map((offset) => {
    const place = hue.mul(6).add(offset);
    const k = place.sub(place.div(6).floor().mul(6));
    const ramp = k.minimum(k.neg().add(4)).clamp({ min: 0, max: 1 });
    return value.sub(value.mul(saturation).mul(ramp));
  });
  return ops.stack(channels, { dim: 1 });
}

/** Of images in [0, 1], [n, 3, h, w], as tensor operators. */
const BY_OPERATORS: Record<AdjustmentName, (images: Tensor, amount: number) => Tensor> = {
  brightness: (images, factor) => images.mul(factor).clamp({ min: 0, max: 1 }),
  contrast: (images, factor) => blend(images, luminance(images).mean([1, 2, 3], { keepdim: true }), factor),
  saturation: (images, factor) => blend(images, luminance(images), factor),
  hue: turnHue,
};

/** The adjustments in their order on images in [0, 1], [n, 3, h, w]; any device. */
export const colorsAdjusted = (images: Tensor, adjustments: readonly Adjustment[]): Tensor =>
  adjustments.reduce((value, { name, amount }) => BY_OPERATORS[name](value, amount), images);

/** The adjustments in their order, in place. `image` is [1, 3, h, w] in [-1, 1]. */
export function adjustColors_(image: Tensor, adjustments: readonly Adjustment[]): void {
  if (image.device === "cpu")
    ops.adjustColors_(
      image,
      adjustments.map(({ name }) => ADJUSTMENTS.indexOf(name)),
      adjustments.map(({ amount }) => amount),
    );
  else image.copy_(inUnitRange(image, (unit) => colorsAdjusted(unit, adjustments)));
}

export const grayscale_ = (image: Tensor): void => adjustColors_(image, [{ name: "saturation", amount: 0 }]);

/** Ranges of the published code: never the identity, always strongly darkening. */
const RANGES: Record<AdjustmentName, readonly [number, number]> = {
  brightness: [0.1, 0.5],
  contrast: [0.3, 0.6],
  saturation: [0.2, 0.5],
  hue: [-0.1, 0.3],
};

/** Brightness, contrast, saturation and hue in random order, each by a random amount. */
export function colorJitter_(image: Tensor, stream: RandomStream): void {
  const order = [...stream.permutation(ADJUSTMENTS.length)].map((index) => ADJUSTMENTS[index]!);
  adjustColors_(
    image,
    order.map((name) => ({ name, amount: stream.range(...RANGES[name]) })),
  );
}
