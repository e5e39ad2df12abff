import { TopofrError } from "@topofr/formats";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Affine, ARCFACE_TEMPLATE, type Point, similarityTransform } from "./template.js";

const apply = (m: Affine, [x, y]: Point): Point => [m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5]];

test("points already on the template give the identity", () => {
  const matrix = similarityTransform(ARCFACE_TEMPLATE);
  [1, 0, 0, 0, 1, 0].forEach((value, i) => {
    expect(matrix[i]).toBeCloseTo(value, 12);
  });
});

test("a rotated, scaled and shifted template is brought back exactly", () => {
  const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
  fc.assert(
    fc.property(
      number(-3, 3),
      number(0.05, 20),
      number(-500, 500),
      number(-500, 500),
      (angle, scale, dx, dy) => {
        const [a, b] = [scale * Math.cos(angle), scale * Math.sin(angle)];
        const matrix = similarityTransform(
          ARCFACE_TEMPLATE.map((point) => apply([a, -b, dx, b, a, dy], point)),
        );
        expect(Math.hypot(matrix[0], matrix[3])).toBeCloseTo(1 / scale, 9);
        for (const point of ARCFACE_TEMPLATE) {
          const [x, y] = apply(matrix, apply([a, -b, dx, b, a, dy], point));
          expect(x).toBeCloseTo(point[0], 8);
          expect(y).toBeCloseTo(point[1], 8);
        }
      },
    ),
    { seed: 1, numRuns: 100 },
  );
});

// Oracle: Umeyama's algorithm by singular value decomposition (NumPy), with the sign matrix that forbids reflections.
test("noisy points and mirrored points give Umeyama's matrix, never a reflection", () => {
  const noisy = similarityTransform([
    [70, 110],
    [131, 104],
    [97, 150],
    [81, 171],
    [125, 180],
  ]);
  UMEYAMA.noisy.forEach((value, i) => {
    expect(noisy[i]).toBeCloseTo(value, 9);
  });
  const mirror = similarityTransform(ARCFACE_TEMPLATE.map(([x, y]) => [112 - x, y]));
  UMEYAMA.mirror.forEach((value, i) => {
    expect(mirror[i]).toBeCloseTo(value, 9);
  });
  expect(mirror[0] * mirror[4] - mirror[1] * mirror[3]).toBeGreaterThan(0);
});

test("points in one place, too few or not finite are refused", () => {
  const same: Point[] = Array.from({ length: 5 }, () => [3, 4]);
  for (const points of [same, ARCFACE_TEMPLATE.slice(0, 4), [[Number.NaN, 0], ...same.slice(1)] as Point[]]) {
    expect(() => similarityTransform(points)).toThrow(TopofrError);
  }
});

const UMEYAMA = {
  noisy: [
    0.5874501304665481, -0.006771002504957729, -2.2205597928190954, 0.00677100250495773, 0.5874501304665481,
    -12.78710570921612,
  ],
  mirror: [
    0.22530217460689397, 0.0025334541616451717, 43.232974796585125, -0.002533454161645172,
    0.22530217460689403, 55.84318506795938,
  ],
};
