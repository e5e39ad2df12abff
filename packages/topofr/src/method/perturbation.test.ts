// Random structure perturbation: how often, what, and that nothing else changes. The operations' arithmetic: parity/.
import { liveTensors, scope, setNumThreads, type Tensor, tensor } from "@topofr/torch";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RandomStream } from "../random/stream.js";
import { numbers, settledLiveTensors } from "./method.test.support.js";
import { objectiveOptions } from "./objectiveComposition.js";
import { PERTURBATIONS, type PerturbationOptions } from "./objectiveOptions.js";
import { perturb } from "./perturbation.js";
import { gaussianBlur_, gaussianBlurred } from "./perturbations/blur.js";
import { type Adjustment, adjustColors_, colorsAdjusted } from "./perturbations/color.js";
import { drawRectangle } from "./perturbations/erasing.js";
import { inUnitRange } from "./perturbations/unitRange.js";

setNumThreads(1); // images of 16 pixels are no work to share

const SIZE = 16;
const PIXELS = 3 * SIZE * SIZE;
const PAPER = objectiveOptions({ preset: "paper" }).perturbation!;
const ALWAYS: PerturbationOptions = { ...PAPER, probability: 1 };

/** Colourful noise in [-1, 1], [count, 3, 16, 16], never exactly 0. */
function noise(count: number): Tensor {
  const stream = new RandomStream(8, "noise");
  const values = Float32Array.from(
    { length: count * PIXELS },
    () => (stream.bernoulli(0.5) ? 1 : -1) * stream.range(0.1, 1),
  );
  return tensor(values, { shape: [count, 3, SIZE, SIZE] });
}

/** Rows of pixels, one an image, channel after channel. */
function imagesOf(images: Tensor): number[][] {
  const values = numbers(images);
  return Array.from({ length: values.length / PIXELS }, (_, i) => values.slice(i * PIXELS, (i + 1) * PIXELS));
}

const perturbed = (images: Tensor, options: PerturbationOptions, seed = 1): number[][] =>
  scope(() => imagesOf(perturb(images, options, new RandomStream(seed, "perturbation"))));

const isEqual = (a: readonly number[], b: readonly number[]) => a.every((value, i) => value === b[i]);
const isGrey = (pixels: readonly number[]) => {
  const plane = SIZE * SIZE;
  return pixels.slice(0, plane).every((red, i) => red === pixels[i + plane] && red === pixels[i + 2 * plane]);
};
const spread = (pixels: readonly number[]) => Math.max(...pixels) - Math.min(...pixels);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Which operation made `after` of the noise `before`, told by what only it leaves. */
function operationOf(before: readonly number[], after: readonly number[]): string {
  if (isEqual(before, after)) return "none";
  if (isGrey(after)) return "grayscale";
  if (after.every((value, i) => value === before[i] || value === 0)) return "erasing";
  return mean(after) < mean(before) - 0.2 ? "jitter" : "blur"; // jitter always darkens, blur keeps the mean
}

test("the clean images stay as they are", () => {
  const images = noise(6);
  const before = numbers(images);
  perturbed(images, ALWAYS);
  expect(isEqual(numbers(images), before)).toBe(true);
});

test("with probability 1 every image gets one of the operations, each as often as the others", () => {
  const images = noise(200);
  const [clean, after] = [imagesOf(images), perturbed(images, ALWAYS)];
  const counts = new Map<string, number>();
  for (const [i, pixels] of after.entries()) {
    const operation = operationOf(clean[i]!, pixels);
    counts.set(operation, (counts.get(operation) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual([...PERTURBATIONS].sort());
  for (const [operation, count] of counts) {
    expect(count, operation).toBeGreaterThan(30); // 50 expected, standard deviation 6.1
    expect(count, operation).toBeLessThan(70);
  }
});

test("with xi = 0.2 a fifth of the images is perturbed and the others are untouched", () => {
  const images = noise(500);
  const [clean, after] = [imagesOf(images), perturbed(images, PAPER)];
  const changed = after.filter((pixels, i) => !isEqual(pixels, clean[i]!)).length;
  expect(Math.abs(changed - 100)).toBeLessThan(27); // standard deviation 8.9
});

test("the same seed perturbs the same way, another one another way", () => {
  const images = noise(8);
  expect(perturbed(images, ALWAYS, 5)).toEqual(perturbed(images, ALWAYS, 5));
  expect(perturbed(images, ALWAYS, 5)).not.toEqual(perturbed(images, ALWAYS, 6));
});

test("what an image gets does not depend on the images after it", () => {
  const images = noise(8);
  const first = scope(() => images.narrow(0, 0, 3).clone());
  expect(perturbed(images, ALWAYS).slice(0, 3)).toEqual(perturbed(first, ALWAYS));
});

describe.each(PERTURBATIONS)("%s", (operation) => {
  const options: PerturbationOptions = { ...ALWAYS, operations: [operation] };

  test("keeps pixels within [-1, 1] and the memory format, and leaves no tensor behind", async () => {
    const before = await settledLiveTensors();
    scope(() => {
      const images = noise(16).contiguous({ memoryFormat: "channelsLast" });
      const result = perturb(images, options, new RandomStream(2, "perturbation"));
      expect(result.shape).toEqual(images.shape);
      expect(result.strides).toEqual(images.strides);
      const values = numbers(result);
      expect(values.every((value) => Math.abs(value) <= 1 + 1e-6)).toBe(true);
    });
    expect(liveTensors()).toBe(before);
  });

  test("gives the same pixels in either memory format", () => {
    scope(() => {
      const images = noise(4);
      const channelsLast = images.contiguous({ memoryFormat: "channelsLast" });
      const [one, other] = [perturbed(images, options), perturbed(channelsLast, options)];
      for (const [i, pixels] of one.entries())
        expect(Math.max(...pixels.map((value, k) => Math.abs(value - other[i]![k]!)))).toBeLessThan(1e-6);
    });
  });
});

test("blur takes contrast away and leaves a plain image as it is", () => {
  const options: PerturbationOptions = { ...ALWAYS, operations: ["blur"] };
  const images = noise(8);
  const [clean, after] = [imagesOf(images), perturbed(images, options, 3)];
  for (const [i, pixels] of after.entries())
    expect(spread(pixels)).toBeLessThanOrEqual(spread(clean[i]!) + 1e-6);
  const plain = tensor(new Float32Array(PIXELS).fill(0.5), { shape: [1, 3, SIZE, SIZE] });
  expect(perturbed(plain, options)[0]!.every((value) => Math.abs(value - 0.5) < 1e-6)).toBe(true);
});

test("jitter always darkens: its ranges do not hold the identity", () => {
  const images = noise(40);
  const [clean, after] = [imagesOf(images), perturbed(images, { ...ALWAYS, operations: ["jitter"] })];
  for (const [i, pixels] of after.entries()) expect(mean(pixels)).toBeLessThan(mean(clean[i]!) - 0.2);
});

describe("the native pass gives what the tensor operators give", () => {
  /** The largest difference between an image changed in place and `byOperators` of it in [0, 1]. */
  const difference = (
    image: Tensor,
    inPlace: (image: Tensor) => void,
    byOperators: (unit: Tensor) => Tensor,
  ) => {
    const expected = numbers(inUnitRange(image, byOperators));
    inPlace(image);
    return Math.max(...numbers(image).map((value, i) => Math.abs(value - expected[i]!)));
  };
  const adjustment = fc.record({
    name: fc.constantFrom<Adjustment["name"]>("brightness", "contrast", "saturation", "hue"),
    amount: fc.double({ min: -0.5, max: 1.5, noNaN: true }),
  });
  /** Of 8 values a channel, so that equal channels and grey pixels, where the hue has no direction, occur. */
  const image = fc
    .array(fc.integer({ min: 0, max: 7 }), { minLength: 3 * 12 * 7, maxLength: 3 * 12 * 7 })
    .map((levels) => levels.map((level) => (level / 7) * 2 - 1));
  const asImage = (values: number[], channelsLast: boolean) =>
    tensor(values, { shape: [1, 3, 12, 7] }).contiguous({
      memoryFormat: channelsLast ? "channelsLast" : "contiguous",
    });

  test("of colour adjustments in any order, memory format and amount", () => {
    const adjustments = fc.array(adjustment, { maxLength: 4 });
    fc.assert(
      fc.property(image, fc.boolean(), adjustments, (values, channelsLast, steps) => {
        scope(() => {
          const found = difference(
            asImage(values, channelsLast),
            (one) => adjustColors_(one, steps),
            (unit) => colorsAdjusted(unit, steps),
          );
          expect(found).toBeLessThan(2e-5); // a hue is a quotient of small differences
        });
      }),
      { seed: 4 },
    );
  });

  test("of blurs from none to the widest", () => {
    fc.assert(
      fc.property(
        image,
        fc.boolean(),
        fc.double({ min: 0.1, max: 5, noNaN: true }),
        (values, last, sigma) => {
          scope(() => {
            const found = difference(
              asImage(values, last),
              (one) => gaussianBlur_(one, sigma),
              (unit) => gaussianBlurred(unit, sigma),
            );
            expect(found).toBeLessThan(2e-6);
          });
        },
      ),
      { seed: 4 },
    );
  });

  test("and refuses what is no image", () => {
    scope(() => {
      expect(() => adjustColors_(noise(2), [{ name: "hue", amount: 0.1 }])).toThrow(
        "one float32 image [1, 3, h, w]",
      );
      const small = tensor(new Float32Array(3 * 4 * 4), { shape: [1, 3, 4, 4] });
      expect(() => gaussianBlur_(small, 1)).toThrow("does not fit an image of 4 x 4");
    });
  });
});

describe("erasing", () => {
  const options: PerturbationOptions = { ...ALWAYS, operations: ["erasing"] };

  test("sets one rectangle to mid-grey in all channels", () => {
    for (const pixels of perturbed(noise(20), options)) {
      const plane = pixels.slice(0, SIZE * SIZE).flatMap((value, i) => (value === 0 ? [i] : []));
      const rows = plane.map((i) => Math.floor(i / SIZE));
      const columns = plane.map((i) => i % SIZE);
      const height = Math.max(...rows) - Math.min(...rows) + 1;
      const width = Math.max(...columns) - Math.min(...columns) + 1;
      expect(plane.length).toBe(height * width);
      expect(pixels.filter((value) => value === 0)).toHaveLength(3 * plane.length);
    }
  });

  test("draws 2% to a third of the image, at most 1 to 3.3 in shape, anywhere inside", () => {
    const stream = new RandomStream(1, "rectangles");
    for (let i = 0; i < 2000; i++) {
      const rectangle = drawRectangle(112, 112, stream);
      if (rectangle === null) continue;
      const { top, left, height, width } = rectangle;
      expect(top >= 0 && left >= 0 && top + height <= 112 && left + width <= 112).toBe(true);
      expect((height * width) / 112 ** 2).toBeGreaterThan(0.018); // sides are rounded to pixels
      expect((height * width) / 112 ** 2).toBeLessThan(0.345);
      expect(Math.abs(Math.log(height / width))).toBeLessThan(Math.log(1 / 0.3) + 0.08);
    }
  });

  test("leaks into the clean images when asked to, as the published code does (D13), and only there", () => {
    const [leaking, clean] = [noise(6), noise(6)];
    const after = perturbed(leaking, { ...options, erasingLeaks: true });
    expect(imagesOf(leaking)).toEqual(after);
    expect(after).toEqual(perturbed(clean, options));
    const jittered = noise(4);
    perturbed(jittered, { ...ALWAYS, operations: ["jitter", "blur", "grayscale"], erasingLeaks: true });
    expect(isEqual(numbers(jittered), numbers(noise(4)))).toBe(true);
  });
});
