// What computes persistence here: the native core and tree of @topofr/torch, or, where the addon is not built, the portable ones.
import { TopofrError } from "@topofr/formats";
import { portableRips, type RipsCore } from "@topofr/topology";
import type { PointSet } from "./pointSet.js";
import { treeLengths } from "./treeLengths.js";

export interface TopologyEngine {
  readonly name: "native" | "portable";
  readonly core: RipsCore;
  /** Points whose persistence up to degree 0, 1, 2, 3 takes minutes on two cores; degree 0 has no limit. */
  readonly exactPoints: readonly [number, number, number, number];
  /** Lengths of the minimum spanning tree of the first `count` points, ascending. */
  treeLengths(
    points: PointSet,
    count: number,
    options?: { signal?: AbortSignal; onProgress?(done: number, total: number): void },
  ): Promise<Float64Array>;
}

export const PORTABLE_ENGINE: TopologyEngine = {
  name: "portable",
  core: portableRips,
  exactPoints: [Infinity, 3000, 500, 100],
  treeLengths: async ({ distance }, count, { signal, onProgress } = {}) => {
    signal?.throwIfAborted();
    return treeLengths(count, distance, onProgress);
  },
};

/** The native engine; the portable one when the addon is not there. */
export async function openTopologyEngine(): Promise<TopologyEngine> {
  const torch = await import("@topofr/torch").catch((error: unknown) => {
    if (error instanceof TopofrError && error.code === "E_SETUP") return null;
    throw error;
  });
  if (torch === null) return PORTABLE_ENGINE;
  return {
    name: "native",
    core: torch.nativeRips,
    exactPoints: [Infinity, 5000, 1000, 200],
    async treeLengths(points, count, options = {}) {
      const { rows } = points;
      if (rows === null) return PORTABLE_ENGINE.treeLengths(points, count, options);
      const { dimension, metric } = rows;
      const part = rows.points.subarray(0, count * dimension);
      const chosen = part instanceof Float32Array ? part : Float32Array.from(part);
      const tree = await torch.minimumSpanningTreeOfPoints(chosen, count, dimension, { metric, ...options });
      return tree.weight;
    },
  };
}
