// What computes persistence here: the native core and tree of @topofr/torch, or, where the addon is not built, the portable ones.
import { TopofrError } from "@topofr/formats";
import { portableRips, type RipsCore, type RipsInput } from "@topofr/topology";
import type { PointSet } from "./pointSet.js";
import { treeLengths } from "./treeLengths.js";

/** From so many numbers a point on, matrix products are worth their set-up. */
const WIDE = 64;

export interface TopologyEngine {
  readonly name: "native" | "portable";
  readonly core: RipsCore;
  /** Points whose persistence up to degree 0, 1, 2, 3 takes minutes on two cores; degree 0 has no limit. */
  readonly exactPoints: readonly [number, number, number, number];
  /** Chosen points as `persistence` takes them. */
  ripsInput(points: PointSet, indices: Uint32Array): RipsInput;
  /** Lengths of the minimum spanning tree of the first `count` points, ascending. */
  treeLengths(
    points: PointSet,
    count: number,
    onProgress: (done: number, total: number) => void,
  ): Promise<Float64Array>;
}

export const PORTABLE_ENGINE: TopologyEngine = {
  name: "portable",
  core: portableRips,
  exactPoints: [Infinity, 3000, 500, 100],
  ripsInput: (points, indices) => points.input(indices),
  treeLengths: async ({ distance }, count, onProgress) => treeLengths(count, distance, onProgress),
};

/** The native engine; the portable one when the addon is not there. */
export async function openTopologyEngine(): Promise<TopologyEngine> {
  const torch = await import("@topofr/torch").catch((error: unknown) => {
    if (error instanceof TopofrError && error.code === "E_SETUP") return null;
    throw error;
  });
  if (torch === null) return PORTABLE_ENGINE;
  const { gramDistances } = await import("./gramDistances.js");
  return {
    name: "native",
    core: torch.nativeRips,
    exactPoints: [Infinity, 5000, 1000, 200],
    ripsInput(points, indices) {
      const input = points.input(indices);
      const isWide = "dimension" in input && input.dimension >= WIDE && input.metric === "euclidean";
      if (!isWide) return input;
      return { distances: gramDistances(input.points, indices.length, input.dimension) };
    },
    async treeLengths(points, count, onProgress) {
      const { rows } = points;
      if (rows === null) return PORTABLE_ENGINE.treeLengths(points, count, onProgress);
      const { dimension, metric } = rows;
      const part = rows.points.subarray(0, count * dimension);
      const chosen = part instanceof Float32Array ? part : new Float32Array(part);
      const tree = await torch.minimumSpanningTreeOfPoints(chosen, count, dimension, { metric, onProgress });
      return tree.weight;
    },
  };
}
