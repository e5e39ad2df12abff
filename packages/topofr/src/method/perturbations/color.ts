// Grayscale and colour jitter on images in [0, 1], [n, 3, h, w], with torchvision's arithmetic.
import { ops, type Tensor, tensor } from "@topofr/torch";
import type { RandomStream } from "../../random/stream.js";

const LUMA = [0.2989, 0.587, 0.114] as const; // ITU-R 601-2, torchvision's digits

/** Luminance, [n, 1, h, w]. */
function luminance(images: Tensor): Tensor {
  return images.mul(tensor([...LUMA]).reshape([1, 3, 1, 1])).sum([1], { keepdim: true });
}

export const grayscale = (images: Tensor): Tensor => luminance(images).expand(images.shape).contiguous();

const blend = (images: Tensor, other: Tensor, factor: number): Tensor =>
  images
    .mul(factor)
    .add(other.mul(1 - factor))
    .clamp({ min: 0, max: 1 });

export const adjustBrightness = (images: Tensor, factor: number): Tensor =>
  images.mul(factor).clamp({ min: 0, max: 1 });

export const adjustContrast = (images: Tensor, factor: number): Tensor =>
  blend(images, luminance(images).mean([1, 2, 3], { keepdim: true }), factor);

export const adjustSaturation = (images: Tensor, factor: number): Tensor =>
  blend(images, luminance(images), factor);

/** Turns the hue by `shift` (a fraction of the circle) in HSV. */
export function adjustHue(images: Tensor, shift: number): Tensor {
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

/** Ranges of the published code: never the identity, always strongly darkening. */
const BRIGHTNESS = [0.1, 0.5] as const;
const CONTRAST = [0.3, 0.6] as const;
const SATURATION = [0.2, 0.5] as const;
const HUE = [-0.1, 0.3] as const;

/** Brightness, contrast, saturation and hue in random order, each by a random amount; one image at a time. */
export function colorJitter(image: Tensor, stream: RandomStream): Tensor {
  const steps: ((input: Tensor) => Tensor)[] = [
    (input) => adjustBrightness(input, stream.range(...BRIGHTNESS)),
    (input) => adjustContrast(input, stream.range(...CONTRAST)),
    (input) => adjustSaturation(input, stream.range(...SATURATION)),
    (input) => adjustHue(input, stream.range(...HUE)),
  ];
  return [...stream.permutation(steps.length)].reduce((value, index) => steps[index]!(value), image);
}
