// Points and distances from files: NumPy arrays, CSV, Ripser's text formats, DIPHA's distance matrices.
import { readFile, stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { fileError, type NpyArray, readNpy, readNpz, TopofrError } from "@topofr/formats";
import {
  decodeDiphaDistances,
  type Metric,
  parseDistanceMatrix,
  parseLowerDistances,
  parsePointCloud,
  parseSparseDistances,
  parseUpperDistances,
} from "@topofr/topology";
import { distancesAsSet, type PointSet, pointsAsSet, sparseAsSet } from "./pointSet.js";
import { withTopologyErrors } from "./topologyErrors.js";

/** What a file holds, by the names that Ripser's --format has. */
export const POINT_FORMATS = [
  "point-cloud",
  "distance",
  "lower-distance",
  "upper-distance",
  "sparse",
  "dipha",
] as const;
export type PointFormat = (typeof POINT_FORMATS)[number];

const ARRAY_FILES = [".npy", ".npz"];
const TEXT_FILES = [".csv", ".txt", ".dat", ".tsv", ".xyz", ".lower_distance_matrix", ".dipha"];
const MOST_BYTES = 2 ** 29; // of a text or DIPHA file, which is read whole

/** Whether the ending is that of a file of points rather than of images. */
export function isPointFile(path: string): boolean {
  return [...ARRAY_FILES, ...TEXT_FILES].includes(extname(path).toLowerCase());
}

/**
 * .npy and .npz: a float array [points, dimension], or [points, points] with format "distance"; of an .npz the array
 * "embeddings" or "points", or its only one. Other files: text in the format, .dipha: DIPHA's distance matrix.
 *
 * @param format "point-cloud" unless given ("dipha" for .dipha)
 * @throws E_FILE; E_FORMAT naming the line or byte; E_DATA for arrays of another shape
 */
export async function readPointFile(
  path: string,
  { format, metric }: { format?: PointFormat; metric: Metric },
): Promise<PointSet> {
  const extension = extname(path).toLowerCase();
  const chosen = format ?? (extension === ".dipha" ? "dipha" : "point-cloud");
  const name = basename(path, extname(path));
  if (ARRAY_FILES.includes(extension)) return arraySet(await readArray(path), name, path, chosen, metric);
  const bytes = await readWhole(path);
  const text = () => bytes.toString("utf8");
  return withTopologyErrors(path, () => {
    switch (chosen) {
      case "point-cloud": {
        const { points, dimension, count } = parsePointCloud(text(), path);
        if (count === 0) throw new TopofrError("E_DATA", `${path}: holds no points`);
        return pointsAsSet({ name, space: describe(count, dimension) }, points, dimension, metric);
      }
      case "sparse":
        return sparseAsSet(name, parseSparseDistances(text(), path));
      case "distance":
        return matrixSet(name, parseDistanceMatrix(text(), path));
      case "lower-distance":
        return matrixSet(name, parseLowerDistances(text(), path));
      case "upper-distance":
        return matrixSet(name, parseUpperDistances(text(), path));
      case "dipha":
        return matrixSet(name, decodeDiphaDistances(bytes, path));
    }
  });
}

const matrixSet = (name: string, { n, distances }: { n: number; distances: Float64Array }) =>
  distancesAsSet(name, distances, n);

const describe = (count: number, dimension: number) => `${count} points of ${dimension} numbers`;

async function readWhole(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size > MOST_BYTES)
      throw new TopofrError(
        "E_DATA",
        `${path}: ${(size / 1e6).toFixed(0)} MB; at most ${(MOST_BYTES / 1e6).toFixed(0)} MB are read as text; save the points as .npy`,
      );
    return await readFile(path);
  } catch (error) {
    throw error instanceof TopofrError ? error : fileError(path, "read the points", error);
  }
}

async function readArray(path: string): Promise<NpyArray> {
  if (extname(path).toLowerCase() === ".npy") return readNpy(path);
  const arrays = await readNpz(path);
  const found = arrays.get("embeddings") ?? arrays.get("points");
  if (found !== undefined) return found;
  if (arrays.size === 1) return [...arrays.values()][0]!;
  throw new TopofrError(
    "E_DATA",
    `${path}: holds the arrays ${[...arrays.keys()].join(", ") || "(none)"}; expected one array, or one named "embeddings" or "points"`,
  );
}

function arraySet(
  { dtype, shape, data }: NpyArray,
  name: string,
  path: string,
  format: PointFormat,
  metric: Metric,
): PointSet {
  const [count = 0, dimension = 0] = shape;
  if (shape.length !== 2 || count === 0 || dimension === 0 || (dtype !== "float32" && dtype !== "float64"))
    throw new TopofrError(
      "E_DATA",
      `${path}: ${dtype} [${shape.join(", ")}]; expected float32 or float64 [points, dimension]`,
    );
  const { buffer } = new Uint8Array(data); // a copy that starts at 0
  const values = dtype === "float32" ? new Float32Array(buffer) : new Float64Array(buffer);
  return withTopologyErrors(path, () => {
    if (format === "point-cloud")
      return pointsAsSet({ name, space: describe(count, dimension) }, values, dimension, metric);
    if (format === "distance" && count === dimension)
      return distancesAsSet(name, Float64Array.from(values), count);
    throw new TopofrError(
      "E_DATA",
      `${path}: ${dtype} [${shape.join(", ")}] as ${format}; an array holds a point-cloud, or as "distance" a square matrix`,
    );
  });
}
