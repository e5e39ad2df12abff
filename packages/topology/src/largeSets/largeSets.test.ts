// What the methods for large sets promise, checked against exact persistence on sets small enough for it.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { PersistenceDiagram } from "../diagram.js";
import { bottleneckDistance } from "../distance.js";
import { TopologyError } from "../error.js";
import { persistence } from "../persistence.js";
import { bettiCurve } from "../summaries/bettiCurve.js";
import { collapseEdges } from "./edgeCollapse.js";
import { landmarkClaim, maxminLandmarks } from "./landmarks.js";
import { type PointSpace, spaceOfMatrix, spaceOfPoints } from "./space.js";
import { type SparseDistances, sparseDistancesOf } from "./sparseDistances.js";
import { sparseRips } from "./sparseRips.js";
import { drawSample, subsampleBands } from "./subsampleBands.js";

const SEED = 20_260_108;

/** Whole numbers of a linear congruential generator, for samples. */
function generator(seed: number) {
  let state = seed;
  return {
    integer(n: number): number {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    },
  };
}

/** A noisy circle. */
function circle(count: number, seed: number): Float64Array {
  const random = generator(seed);
  const uniform = () => random.integer(2 ** 30) / 2 ** 30;
  return Float64Array.from({ length: count }, () => 2 * Math.PI * uniform()).reduce(
    (points, angle, k) => {
      points[2 * k] = Math.cos(angle) + 0.1 * uniform();
      points[2 * k + 1] = Math.sin(angle) + 0.1 * uniform();
      return points;
    },
    new Float64Array(2 * count),
  );
}

// Grid points (many ties and duplicates) and arbitrary ones.
const coordinate = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.double({ min: 0, max: 4, noNaN: true }));
const plane = fc
  .array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 16 })
  .map((rows) => spaceOfPoints(Float64Array.from(rows.flat()), rows.length, 2));

const subspace = (space: PointSpace, indices: Uint32Array): PointSpace => ({
  size: indices.length,
  distance: (i, j) => space.distance(indices[i]!, indices[j]!),
});

const diagramsOf = (space: PointSpace, maxDimension: 0 | 1 | 2 = 1) =>
  persistence(sparseDistancesOf(space), { maxDimension });

test("landmarks are farthest points in turn, and cover all others within the radius", () => {
  fc.assert(
    fc.property(plane, fc.integer({ min: 1, max: 16 }), (space, count) => {
      const { indices, insertionRadii, nearest, coveringRadius } = maxminLandmarks(space, { count });
      expect(new Set(indices).size).toBe(indices.length);
      expect(indices.length === Math.min(count, space.size) || coveringRadius === 0).toBe(true);
      const reach = (i: number, among: readonly number[]) =>
        Math.min(...among.map((landmark) => space.distance(landmark, i)));
      const all = Array.from({ length: space.size }, (_, i) => i);
      indices.forEach((landmark, k) => {
        const before = [...indices.subarray(0, k)];
        // The minimum over no landmarks is Infinity.
        const farthest = Math.max(...all.map((i) => reach(i, before)));
        expect([insertionRadii[k], reach(landmark, before)]).toEqual([farthest, farthest]);
      });
      expect(coveringRadius).toBe(Math.max(...all.map((i) => reach(i, [...indices]))));
      for (const i of all) {
        expect(space.distance(indices[nearest[i]!]!, i)).toBe(reach(i, [...indices]));
      }
    }),
    { seed: SEED, numRuns: 100 },
  );
});

test("landmarks stop at a radius, and at the first landmark when all points are one", () => {
  const line = spaceOfPoints(Float64Array.of(0, 1, 2, 3, 10), 5, 1);
  expect(maxminLandmarks(line, { radius: 2 })).toMatchObject({
    indices: Uint32Array.of(0, 4, 3),
    insertionRadii: Float64Array.of(Infinity, 10, 3),
    coveringRadius: 1,
  });
  expect([...maxminLandmarks(line, { count: 2, first: 2 }).indices]).toEqual([2, 4]);
  const one = maxminLandmarks(spaceOfPoints(new Float64Array(6), 3, 2));
  expect([...one.indices, one.coveringRadius]).toEqual([0, 0]);
  expect(maxminLandmarks(spaceOfPoints(new Float64Array(0), 0, 2))).toMatchObject({ coveringRadius: 0 });
});

test("diagrams of landmarks lie within 2r of those of all points", () => {
  fc.assert(
    fc.property(plane, fc.integer({ min: 1, max: 10 }), (space, count) => {
      const landmarks = maxminLandmarks(space, { count });
      const few = diagramsOf(subspace(space, landmarks.indices));
      diagramsOf(space).forEach((diagram, k) => {
        const { distance } = bottleneckDistance(few[k]!, diagram);
        const { bound } = landmarkClaim(few[k]!, landmarks);
        expect(distance).toBeLessThanOrEqual(bound + 1e-6); // distances are rounded to float32
      });
    }),
    { seed: SEED, numRuns: 100 },
  );
});

test("a claim says 2r, counts the certain bars, and claims nothing when 2r reaches the longest bar", () => {
  const space = spaceOfPoints(circle(400, 3), 400, 2);
  const many = maxminLandmarks(space, { count: 120 });
  const [, loops] = diagramsOf(subspace(space, many.indices));
  const claim = landmarkClaim(loops!, many);
  expect(claim).toMatchObject({ informative: true, certainBars: 1, bound: 2 * many.coveringRadius });
  expect(claim.note).toMatch(/^120 landmarks of 400 points, 2r = 0\.\d+: in degree 1 every bar's ends/);
  expect(claim.note).toContain("1 bar is longer than 4r");
  const few = maxminLandmarks(space, { count: 5 });
  const vacuous = landmarkClaim(diagramsOf(subspace(space, few.indices))[1]!, few);
  expect(vacuous.informative).toBe(false);
  expect(vacuous.note).toContain("so nothing is claimed about all points");
});

/** The diagram on a logarithmic scale, of its classes born and dying above 0. */
function logarithmic(diagram: PersistenceDiagram): PersistenceDiagram {
  const kept = [...diagram.births.keys()].filter((k) => diagram.births[k]! > 0);
  return {
    dimension: diagram.dimension,
    births: Float64Array.from(kept, (k) => Math.log(diagram.births[k]!)),
    deaths: Float64Array.from(kept, (k) => Math.log(diagram.deaths[k]!)),
  };
}

test("sparse Rips keeps births and deaths within a factor of 1 + epsilon", () => {
  const epsilons = fc.constantFrom(0.1, 0.5, 1, 4);
  fc.assert(
    fc.property(plane, epsilons, (space, epsilon) => {
      const sparse = persistence(sparseRips(space, { epsilon }), { maxDimension: 2 });
      const exact = diagramsOf(space, 2);
      const factor = Math.log(1 + epsilon) + 1e-6;
      const [components, allComponents] = [sparse[0]!.deaths.toSorted(), exact[0]!.deaths.toSorted()];
      expect(components.length).toBe(allComponents.length);
      components.forEach((death, k) => {
        const exactly = allComponents[k]!;
        expect(death).toBeGreaterThanOrEqual(exactly * (1 - 1e-6));
        expect(death).toBeLessThanOrEqual(exactly * (1 + epsilon) * (1 + 1e-6));
      });
      for (const k of [1, 2]) {
        const { distance } = bottleneckDistance(logarithmic(sparse[k]!), logarithmic(exact[k]!));
        expect(distance).toBeLessThanOrEqual(factor);
      }
    }),
    { seed: SEED, numRuns: 100 },
  );
});

test("sparse Rips leaves most edges of a curve out and keeps its loop", () => {
  const space = spaceOfPoints(circle(200, 5), 200, 2);
  const edges = sparseRips(space, { epsilon: 0.5 });
  expect(edges.u.length).toBeLessThan(0.4 * sparseDistancesOf(space).u.length);
  const loop = persistence(edges)[1]!;
  const { distance } = bottleneckDistance(logarithmic(loop), logarithmic(diagramsOf(space)[1]!));
  expect(distance).toBeLessThanOrEqual(Math.log(1.5) + 1e-6);
  const longest = Math.max(...loop.deaths.map((death, k) => death - loop.births[k]!));
  const death = Math.max(...loop.deaths);
  expect(longest).toBeGreaterThan(1.4);
  expect(death).toBeLessThan(Math.sqrt(3) * 1.1 * 1.5); // the circle's loop dies at sqrt(3)
  expect(sparseRips(space, { epsilon: 0.5, threshold: 0.2 }).distance.every((value) => value <= 0.2)).toBe(
    true,
  );
});

const sorted = (diagrams: readonly PersistenceDiagram[]) =>
  diagrams.map(({ dimension, births, deaths }) => ({
    dimension,
    points: [...births.keys()]
      .map((k) => [births[k]!, deaths[k]!])
      .sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]!),
  }));

test("edge collapse changes no diagram of any degree", () => {
  const edge = fc.tuple(fc.nat({ max: 11 }), fc.nat({ max: 11 }), fc.integer({ min: 0, max: 9 }));
  const graph = fc.array(edge, { maxLength: 60 }).map((rows): SparseDistances => {
    const chosen = new Map(
      rows.filter(([a, b]) => a !== b).map(([a, b, d]) => [Math.min(a, b) * 12 + Math.max(a, b), d]),
    );
    return {
      n: 12,
      u: Uint32Array.from(chosen.keys(), (key) => Math.floor(key / 12)),
      v: Uint32Array.from(chosen.keys(), (key) => key % 12),
      distance: Float64Array.from(chosen.values()),
    };
  });
  fc.assert(
    fc.property(
      fc.oneof(
        graph,
        plane.map((space) => sparseDistancesOf(space)),
      ),
      (edges) => {
        const collapsed = collapseEdges(edges);
        expect(collapsed.u.length).toBeLessThanOrEqual(edges.u.length);
        expect(sorted(persistence(collapsed, { maxDimension: 3 }))).toEqual(
          sorted(persistence(edges, { maxDimension: 3 })),
        );
      },
    ),
    { seed: SEED, numRuns: 100 },
  );
});

test("edge collapse removes most edges of a curve, in either way of looking neighbours up", () => {
  const space = spaceOfPoints(circle(80, 7), 80, 2);
  const edges = sparseDistancesOf(space);
  const collapsed = collapseEdges(edges);
  expect(collapsed.u.length).toBeLessThan(0.3 * edges.u.length);
  expect(sorted(persistence(collapsed))).toEqual(sorted(persistence(edges)));
  // The same graph among isolated vertices is too large for a matrix.
  expect(collapseEdges({ ...edges, n: 5000 })).toEqual({ ...collapsed, n: 5000 });
});

test("samples are sets, all members equally likely", () => {
  const random = generator(11);
  const counts = new Float64Array(6);
  for (let k = 0; k < 3000; k++) {
    const sample = drawSample(6, 2, random);
    expect(sample[0]!).toBeLessThan(sample[1]!);
    for (const i of sample) counts[i]!++;
  }
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120); // 4.6 standard deviations
});

test("subsample bands: mean, spread and confidence of the samples' Betti curves", () => {
  const space = spaceOfPoints(circle(200, 9), 200, 2);
  const scales = Array.from({ length: 21 }, (_, k) => k / 10);
  const seen: Uint32Array[] = [];
  const run = () =>
    subsampleBands({
      size: 200,
      sampleSize: 25,
      samples: 40,
      random: generator(13),
      scales,
      level: 0.9,
      diagramsOf: (indices) => {
        seen.push(indices);
        return diagramsOf(subspace(space, indices));
      },
    });
  const bands = run();
  expect(bands.map(({ dimension }) => dimension)).toEqual([0, 1]);
  const curves = seen.map((indices) => bettiCurve(diagramsOf(subspace(space, indices))[0]!, scales));
  const [components] = bands;
  scales.forEach((_, s) => {
    const mean = curves.reduce((sum, curve) => sum + curve[s]!, 0) / 40;
    expect(components!.mean[s]).toBeCloseTo(mean, 9);
    const inside = curves.filter(
      (curve) => curve[s]! >= components!.spread.low[s]! && curve[s]! <= components!.spread.high[s]!,
    );
    expect(inside.length).toBeGreaterThanOrEqual(36);
    expect(components!.confidence.low[s]).toBeLessThanOrEqual(mean);
    expect(components!.confidence.high[s]).toBeGreaterThanOrEqual(mean);
  });
  expect(components!.mean[0]).toBe(25); // nothing joined at scale 0
  const width = components!.confidence.high[5]! - components!.confidence.low[5]!;
  expect(components!.confidence.high[0]).toBe(25);
  expect(width).toBeGreaterThan(0);
  expect(width).toBeLessThan(6);
  expect(run()).toEqual(bands); // the same seed, the same band
});

test("options out of range, and distances that are none, are refused", () => {
  const space = spaceOfPoints(Float64Array.of(0, 1), 2, 1);
  const bad = { size: 3, distance: (i: number, j: number) => (i + j === 3 ? NaN : 1) };
  const list = { n: 3, u: Uint32Array.of(0), v: Uint32Array.of(1), distance: Float64Array.of(1) };
  const samples = {
    size: 5,
    sampleSize: 2,
    samples: 2,
    random: generator(1),
    scales: [0],
    diagramsOf: () => [],
  };
  const broken: [() => unknown, string][] = [
    [() => maxminLandmarks(space, { count: 0 }), "count is 0"],
    [() => maxminLandmarks(space, { radius: -1 }), "radius is -1"],
    [() => maxminLandmarks(space, { first: 2 }), "first is 2"],
    [() => maxminLandmarks(bad), "distance of points"],
    [() => sparseRips(space, { epsilon: 0 }), "epsilon is 0"],
    [() => sparseRips(space, { epsilon: 1, threshold: NaN }), "threshold is NaN"],
    [() => sparseDistancesOf(bad), "the distance of points 1 and 2 is NaN"],
    [() => collapseEdges({ ...list, u: Uint32Array.of(1) }), "edge 0 is (1, 1)"],
    [() => collapseEdges({ ...list, n: 1 }), "edge 0 is (0, 1); u < v < 1"],
    [() => collapseEdges({ ...list, v: new Uint32Array(0) }), "1 u, 0 v"],
    [() => subsampleBands({ ...samples, sampleSize: 6 }), "sampleSize is 6"],
    [() => subsampleBands({ ...samples, samples: 1 }), "samples is 1"],
    [() => subsampleBands({ ...samples, level: 1 }), "level is 1"],
    [() => spaceOfMatrix(new Float64Array(3), 2), "3 values given"],
  ];
  for (const [call, message] of broken) {
    expect(call).toThrow(message);
    expect(call).toThrow(TopologyError);
  }
});
