import { expect, test } from "vitest";
import { RandomStream } from "../../random/stream.js";
import { bell, choose, cosine, hill, mound, PixelNoise, ramp, sine, smoothNoise } from "./numeric.js";

test("sine and cosine agree with the library's to 1e-8 over several turns", () => {
  for (let angle = -20; angle <= 20; angle += 0.037) {
    expect(Math.abs(sine(angle) - Math.sin(angle))).toBeLessThan(1e-8);
    expect(Math.abs(cosine(angle) - Math.cos(angle))).toBeLessThan(1e-8);
  }
});

test("ramp rises or falls smoothly between its ends", () => {
  expect([ramp(2, 4, 1), ramp(2, 4, 3), ramp(2, 4, 9)]).toEqual([0, 0.5, 1]);
  expect([ramp(4, 2, 1), ramp(4, 2, 3), ramp(4, 2, 9)]).toEqual([1, 0.5, 0]);
});

test("hills are 1 in the middle and 0 from the rim on", () => {
  expect([hill(0), hill(1), hill(7)]).toEqual([1, 0, 0]);
  expect([mound(0, 0, 3, 5), mound(3, 0, 3, 5), mound(0, -5, 3, 5)]).toEqual([1, 0, 0]);
});

test("smooth noise is continuous, within 0..1, and fills the range", () => {
  let least = 1;
  let most = 0;
  for (let i = 0; i < 5000; i++) {
    const x = i * 0.013 - 17;
    const value = smoothNoise(x, x * 0.7);
    least = Math.min(least, value);
    most = Math.max(most, value);
    expect(Math.abs(smoothNoise(x + 1e-4, x * 0.7) - value)).toBeLessThan(1e-3);
  }
  expect(least).toBeGreaterThanOrEqual(0);
  expect(most).toBeLessThanOrEqual(1);
  expect(most - least).toBeGreaterThan(0.7);
});

test("pixel grain has mean 0 and deviation 1; bell has the mean and deviation asked for", () => {
  const noise = new PixelNoise(5);
  const stream = new RandomStream(3, "bell");
  const count = 20_000;
  const moments = (draw: () => number): [number, number] => {
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < count; i++) {
      const value = draw();
      sum += value;
      squares += value * value;
    }
    return [sum / count, Math.sqrt(squares / count - (sum / count) ** 2)];
  };
  const [grainMean, grainDeviation] = moments(() => noise.grain());
  expect(Math.abs(grainMean)).toBeLessThan(0.03); // four standard errors
  expect(Math.abs(grainDeviation - 1)).toBeLessThan(0.03);
  const [mean, deviation] = moments(() => bell(stream, 10, 2));
  expect(Math.abs(mean - 10)).toBeLessThan(0.06);
  expect(Math.abs(deviation - 2)).toBeLessThan(0.06);
});

test("choose follows the weights", () => {
  const stream = new RandomStream(3, "choose");
  const counts = { a: 0, b: 0, c: 0 };
  for (let i = 0; i < 6000; i++) {
    counts[
      choose(stream, [
        ["a", 1],
        ["b", 2],
        ["c", 0],
      ] as const)
    ]++;
  }
  expect(counts.c).toBe(0);
  expect(Math.abs(counts.b / counts.a - 2)).toBeLessThan(0.25);
});
