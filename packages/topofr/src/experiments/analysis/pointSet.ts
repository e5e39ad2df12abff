// Points whose shape is analysed: rows of numbers, or only their distances. Where they come from: pointFile.ts, imagePoints.ts.
import {
  type FloatArray,
  type Metric,
  type RipsInput,
  type RowDistance,
  rowDistance,
  type SparseDistances,
  spaceOfMatrix,
} from "@topofr/topology";

export interface PointSet {
  /** What files and captions call it. */
  readonly name: string;
  /** What the numbers and distances are; a phrase for captions. */
  readonly space: string;
  readonly count: number;
  /** The numbers, [count, dimension]; null when only distances are known. */
  readonly rows: { points: FloatArray; dimension: number; metric: Metric } | null;
  /** Whether the triangle inequality holds, on which the bound of landmarks rests; null when it is not known. */
  readonly isMetric: boolean | null;
  /** Distance of two points; Infinity for a pair that a sparse list leaves out. */
  readonly distance: RowDistance;
  /** The chosen points as `persistence` takes them. */
  input(indices: Uint32Array): RipsInput;
}

/**
 * @param points [count, dimension]
 * @throws TopologyError for coordinates that are not finite, and, with cosine, for a row of zeros
 */
export function pointsAsSet(
  { name, space }: Pick<PointSet, "name" | "space">,
  points: FloatArray,
  dimension: number,
  metric: Metric,
): PointSet {
  const count = points.length / dimension;
  const row = (index: number) => points.subarray(index * dimension, (index + 1) * dimension);
  return {
    name,
    space: `${space}, ${METRIC_NAMES[metric]}`,
    count,
    rows: { points, dimension, metric },
    isMetric: metric !== "cosine",
    distance: rowDistance(points, count, dimension, metric),
    input(indices) {
      // The first ones, which may be gigabytes of pixels, are not copied.
      if (indices.every((index, k) => index === k))
        return { points: points.subarray(0, indices.length * dimension), dimension, metric };
      const chosen = new (points instanceof Float32Array ? Float32Array : Float64Array)(
        indices.length * dimension,
      );
      indices.forEach((index, k) => {
        chosen.set(row(index), k * dimension);
      });
      return { points: chosen, dimension, metric };
    },
  };
}

const METRIC_NAMES: Record<Metric, string> = {
  euclidean: "Euclidean distance",
  cosine: "cosine distance 1 - cos",
  manhattan: "Manhattan distance",
};

/** @param distances [count, count] */
export function distancesAsSet(name: string, distances: Float64Array, count: number): PointSet {
  const { distance } = spaceOfMatrix(distances, count);
  return {
    name,
    space: "given distances",
    count,
    rows: null,
    isMetric: null,
    distance,
    input(indices) {
      const n = indices.length;
      const chosen = new Float64Array(n * n);
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) chosen[i * n + j] = distances[indices[i]! * count + indices[j]!]!;
      return { distances: chosen };
    },
  };
}

export function sparseAsSet(name: string, list: SparseDistances): PointSet {
  const lengths = new Map<number, number>();
  list.u.forEach((from, edge) => {
    lengths.set(from * list.n + list.v[edge]!, list.distance[edge]!);
  });
  return {
    name,
    space: "given distances, pairs that are not listed never joined",
    count: list.n,
    rows: null,
    isMetric: false,
    distance: (i, j) => (i === j ? 0 : (lengths.get(Math.min(i, j) * list.n + Math.max(i, j)) ?? Infinity)),
    input(indices) {
      const placeOf = new Int32Array(list.n).fill(-1);
      indices.forEach((index, place) => {
        placeOf[index] = place;
      });
      const kept = [...list.u.keys()].filter(
        (edge) => placeOf[list.u[edge]!]! >= 0 && placeOf[list.v[edge]!]! >= 0,
      );
      const ends = kept.map((edge) => [placeOf[list.u[edge]!]!, placeOf[list.v[edge]!]!] as const);
      return {
        n: indices.length,
        u: Uint32Array.from(ends, ([a, b]) => Math.min(a, b)),
        v: Uint32Array.from(ends, ([a, b]) => Math.max(a, b)),
        distance: Float64Array.from(kept, (edge) => list.distance[edge]!),
      };
    },
  };
}
