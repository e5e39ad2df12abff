// DIPHA's binary files: full distance matrices and persistence diagrams. Bytes in and out, no files; little-endian.
// Source: the DIPHA README, "File formats". Not here: weighted boundary matrices, image data, sparse matrices.

import type { PersistenceDiagram } from "../diagram.js";
import { assertSquare } from "../distances.js";
import { TopologyError } from "../error.js";
import { DiagramPoints } from "./diagramPoints.js";
import type { DistanceMatrix } from "./ripserText.js";

const MAGIC = 8_067_171_840n;
const PERSISTENCE_DIAGRAM = 2n;
const DISTANCE_MATRIX = 7n;
const HEADER = 24; // magic, type and count, int64 each
const POINT = 24; // dimension, birth, death

/**
 * A distance matrix (type 7).
 *
 * @throws TopologyError `E_FORMAT` for bytes that are not, naming the byte.
 */
export function decodeDiphaDistances(bytes: Uint8Array, source = "DIPHA file"): DistanceMatrix {
  const { view, count: n } = readHeader(
    bytes,
    source,
    DISTANCE_MATRIX,
    "a distance matrix",
    (rows) => rows * rows * 8,
  );
  const distances = new Float64Array(n * n);
  for (let k = 0; k < n * n; k++) {
    const at = HEADER + 8 * k;
    const value = view.getFloat64(at, true);
    const [i, j] = [Math.floor(k / n), k % n];
    if (!(value >= 0) || (i === j && value !== 0)) {
      const expected = i === j ? "0" : "not negative and no NaN";
      throw formatErrorAt(source, at, `entry (${i}, ${j}) is ${value}; ${expected} expected`);
    }
    if (j < i && distances[j * n + i] !== value) {
      throw formatErrorAt(
        source,
        at,
        `entry (${i}, ${j}) is ${value}, entry (${j}, ${i}) is ${distances[j * n + i]}; a symmetric matrix expected`,
      );
    }
    distances[k] = value;
  }
  return { n, distances };
}

/** Inverse of {@link decodeDiphaDistances}. */
export function encodeDiphaDistances({ n, distances }: DistanceMatrix): Uint8Array<ArrayBuffer> {
  assertSquare(distances, n, "distance matrix");
  const { bytes, view } = writeHeader(DISTANCE_MATRIX, n, 8 * n * n);
  distances.forEach((value, k) => {
    view.setFloat64(HEADER + 8 * k, value, true);
  });
  return bytes;
}

/**
 * A persistence diagram (type 2): one diagram for each degree that occurs, ascending. An essential class of degree d
 * is written with degree -d - 1; its death in the file has no meaning.
 *
 * @throws TopologyError `E_FORMAT` for bytes that are not, naming the byte.
 */
export function decodeDiphaDiagrams(bytes: Uint8Array, source = "DIPHA file"): PersistenceDiagram[] {
  const { view, count } = readHeader(
    bytes,
    source,
    PERSISTENCE_DIAGRAM,
    "a persistence diagram",
    (points) => points * POINT,
  );
  const points = new DiagramPoints();
  for (let k = 0; k < count; k++) {
    const at = HEADER + POINT * k;
    const degree = Number(view.getBigInt64(at, true));
    const essential = degree < 0;
    const death = essential ? Infinity : view.getFloat64(at + 16, true);
    const wrong = points.add(essential ? -degree - 1 : degree, view.getFloat64(at + 8, true), death);
    if (wrong !== undefined) throw formatErrorAt(source, at, wrong);
  }
  return points.finish();
}

/** Inverse of {@link decodeDiphaDiagrams}; an essential class gets its birth for a death. */
export function encodeDiphaDiagrams(diagrams: readonly PersistenceDiagram[]): Uint8Array<ArrayBuffer> {
  const count = diagrams.reduce((sum, { births }) => sum + births.length, 0);
  const { bytes, view } = writeHeader(PERSISTENCE_DIAGRAM, count, POINT * count);
  let at = HEADER;
  for (const { dimension, births, deaths } of diagrams) {
    births.forEach((birth, k) => {
      const essential = deaths[k] === Infinity;
      view.setBigInt64(at, BigInt(essential ? -dimension - 1 : dimension), true);
      view.setFloat64(at + 8, birth, true);
      view.setFloat64(at + 16, essential ? birth : deaths[k]!, true);
      at += POINT;
    });
  }
  return bytes;
}

function readHeader(
  bytes: Uint8Array,
  source: string,
  type: bigint,
  name: string,
  bodyLength: (count: number) => number,
): { view: DataView; count: number } {
  if (bytes.length < HEADER) {
    throw formatErrorAt(source, bytes.length, `the file ends; a header of ${HEADER} bytes expected`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getBigInt64(0, true);
  if (magic !== MAGIC) throw formatErrorAt(source, 0, `magic number ${magic}; ${MAGIC} (DIPHA) expected`);
  const found = view.getBigInt64(8, true);
  if (found !== type)
    throw formatErrorAt(source, 8, `a DIPHA file of type ${found}; type ${type}, ${name}, expected`);
  const count = Number(view.getBigInt64(16, true));
  const length = HEADER + bodyLength(count);
  if (!(count >= 0) || length !== bytes.length) {
    throw formatErrorAt(
      source,
      16,
      `count ${count} asks for a file of ${length} bytes; this one has ${bytes.length}`,
    );
  }
  return { view, count };
}

function writeHeader(
  type: bigint,
  count: number,
  body: number,
): { bytes: Uint8Array<ArrayBuffer>; view: DataView } {
  const bytes = new Uint8Array(HEADER + body);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, MAGIC, true);
  view.setBigInt64(8, type, true);
  view.setBigInt64(16, BigInt(count), true);
  return { bytes, view };
}

function formatErrorAt(source: string, byte: number, message: string): TopologyError {
  return new TopologyError("E_FORMAT", `${source}, byte ${byte}: ${message}`);
}
