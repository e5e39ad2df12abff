// Diagrams as ripser.py and scikit-tda hold them: a list with an array of shape [points, 2] for each degree, and such
// lists in .npz files (`np.savez("dgms.npz", *dgms)` names the arrays arr_0, arr_1, …). Arrays only: the file itself is
// read and written by @topofr/formats.

import type { PersistenceDiagram } from "../diagram.js";
import { TopologyError } from "../error.js";
import { DiagramPoints } from "./diagramPoints.js";
import { quoted } from "./numbers.js";

/** A NumPy array; data little-endian, row-major. What `readNpz` and `readNpy` return fits. */
export interface RawArray {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/**
 * Diagrams from a list of arrays; place k holds degree k. Also a single array `[points, 3]` of birth, death and degree,
 * as giotto-tda holds them.
 *
 * @throws TopologyError `E_FORMAT` for arrays of another shape or dtype, and for points that are none.
 */
export function diagramsFromArrays(
  arrays: readonly RawArray[],
  source = "diagram arrays",
): PersistenceDiagram[] {
  const [only] = arrays;
  if (arrays.length === 1 && only!.shape.length === 2 && only!.shape[1] === 3) {
    const values = readValues(only!, `${source}, array 0`);
    const points = new DiagramPoints();
    for (let k = 0; k < only!.shape[0]!; k++) {
      const wrong = points.add(values[3 * k + 2]!, values[3 * k]!, values[3 * k + 1]!);
      if (wrong !== undefined) throw new TopologyError("E_FORMAT", `${source}, row ${k}: ${wrong}`);
    }
    return points.finish();
  }
  return arrays.map((array, dimension) =>
    diagramFromArray(array, dimension, `${source}, array ${dimension}`),
  );
}

/**
 * Diagrams from the arrays of an .npz file. Their names must end in the degree: arr_0, dgm1, H2, …
 *
 * @throws TopologyError `E_FORMAT` as {@link diagramsFromArrays}, and for names without a degree or with the same one.
 */
export function diagramsFromNpz(
  arrays: ReadonlyMap<string, RawArray>,
  source = "npz file",
): PersistenceDiagram[] {
  const nameOf = new Map<number, string>();
  for (const name of arrays.keys()) {
    const digits = /(\d{1,3})$/.exec(name)?.[1];
    if (digits === undefined) {
      throw new TopologyError(
        "E_FORMAT",
        `${source}: array ${quoted(name)} has no degree at the end of its name, such as arr_0 or H1`,
      );
    }
    const earlier = nameOf.get(Number(digits));
    if (earlier !== undefined) {
      throw new TopologyError(
        "E_FORMAT",
        `${source}: arrays ${quoted(earlier)} and ${quoted(name)} name one degree`,
      );
    }
    nameOf.set(Number(digits), name);
  }
  const only = [...arrays.values()][0];
  if (arrays.size === 1 && only!.shape[1] === 3) return diagramsFromArrays([only!], source);
  return [...nameOf.entries()]
    .sort(([one], [other]) => one - other)
    .map(([dimension, name]) =>
      diagramFromArray(arrays.get(name)!, dimension, `${source}, array ${quoted(name)}`),
    );
}

/** The arrays, float64, under the names that `np.savez(path, *dgms)` gives: place k is arr_k, empty for no diagram. */
export function diagramsToArrays(
  diagrams: readonly PersistenceDiagram[],
): Record<string, { dtype: "float64"; shape: number[]; data: Uint8Array<ArrayBuffer> }> {
  const highest = diagrams.reduce((most, { dimension }) => Math.max(most, dimension), -1);
  return Object.fromEntries(
    Array.from({ length: highest + 1 }, (_, dimension) => {
      const found = diagrams.filter((diagram) => diagram.dimension === dimension);
      const count = found.reduce((sum, { births }) => sum + births.length, 0);
      const data = new Uint8Array(16 * count);
      const view = new DataView(data.buffer);
      let at = 0;
      for (const { births, deaths } of found) {
        births.forEach((birth, k) => {
          view.setFloat64(at, birth, true);
          view.setFloat64(at + 8, deaths[k]!, true);
          at += 16;
        });
      }
      return [`arr_${dimension}`, { dtype: "float64" as const, shape: [count, 2], data }];
    }),
  );
}

function diagramFromArray(array: RawArray, dimension: number, source: string): PersistenceDiagram {
  if (array.shape.length !== 2 || array.shape[1] !== 2) {
    throw new TopologyError("E_FORMAT", `${source}: shape [${array.shape}]; [points, 2] expected`);
  }
  const values = readValues(array, source);
  const count = array.shape[0]!;
  const points = new DiagramPoints();
  for (let k = 0; k < count; k++) {
    const wrong = points.add(dimension, values[2 * k]!, values[2 * k + 1]!);
    if (wrong !== undefined) throw new TopologyError("E_FORMAT", `${source}, row ${k}: ${wrong}`);
  }
  return points.finish()[0] ?? { dimension, births: new Float64Array(0), deaths: new Float64Array(0) };
}

function readValues({ dtype, shape, data }: RawArray, source: string): Float64Array {
  if (dtype !== "float32" && dtype !== "float64") {
    throw new TopologyError("E_FORMAT", `${source}: dtype ${quoted(dtype)}; float32 or float64 expected`);
  }
  const size = dtype === "float32" ? 4 : 8;
  const count = shape.reduce((product, length) => product * length, 1);
  if (data.length !== count * size) {
    throw new TopologyError(
      "E_FORMAT",
      `${source}: ${data.length} bytes; ${count * size} expected for shape [${shape}] of ${dtype}`,
    );
  }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Float64Array.from({ length: count }, (_, k) =>
    size === 4 ? view.getFloat32(4 * k, true) : view.getFloat64(8 * k, true),
  );
}
