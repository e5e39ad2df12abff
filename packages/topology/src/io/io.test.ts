// Text and binary formats. Golden inputs are written out here, independent of our writers.

import { execFileSync, spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { PersistenceDiagram } from "../diagram.js";
import { TopologyError } from "../error.js";
import { formatCsvDiagrams, parseCsvDiagrams } from "./csvDiagrams.js";
import { diagramsFromArrays, diagramsFromNpz, diagramsToArrays, type RawArray } from "./diagramArrays.js";
import {
  decodeDiphaDiagrams,
  decodeDiphaDistances,
  encodeDiphaDiagrams,
  encodeDiphaDistances,
} from "./dipha.js";
import {
  formatDistanceMatrix,
  formatLowerDistances,
  formatPointCloud,
  formatSparseDistances,
  formatUpperDistances,
  parseDistanceMatrix,
  parseLowerDistances,
  parsePointCloud,
  parseSparseDistances,
  parseUpperDistances,
} from "./ripserText.js";

const SEED = 20_260_107;

const MATRIX = { n: 3, distances: Float64Array.of(0, 1, 2.5, 1, 0, 3, 2.5, 3, 0) };

test("Ripser's text formats, with its separators, comments and line ends", () => {
  expect(parsePointCloud("0 1\r\n# two\n\n2.5,-1e3\n")).toEqual({
    count: 2,
    dimension: 2,
    points: Float64Array.of(0, 1, 2.5, -1000),
  });
  expect(parseLowerDistances("1\n2.5,3,\n")).toEqual(MATRIX);
  expect(parseLowerDistances("1, 2.5; 3")).toEqual(MATRIX); // lines do not matter
  expect(parseUpperDistances("1,2.5\n3\n")).toEqual(MATRIX);
  expect(parseDistanceMatrix("0 1 2.5\n1 0 3\n2.5 3 0")).toEqual(MATRIX);
  expect(parseSparseDistances("1 0 1\n2 1 3\n0 3 inf\n1 1 0\n")).toEqual({
    n: 4,
    u: Uint32Array.of(0, 1, 0),
    v: Uint32Array.of(1, 2, 3),
    distance: Float64Array.of(1, 3, Infinity),
  });
  expect(parseLowerDistances("").n).toBe(1); // as Ripser reads it
  expect(parsePointCloud("").count).toBe(0);
});

test("what is written is read back, and written in the given form", () => {
  expect(formatLowerDistances(MATRIX)).toBe("1\n2.5,3\n");
  expect(formatUpperDistances(MATRIX)).toBe("1,2.5\n3\n");
  expect(formatDistanceMatrix(MATRIX)).toBe("0,1,2.5\n1,0,3\n2.5,3,0\n");
  expect(parseLowerDistances(formatLowerDistances(MATRIX))).toEqual(MATRIX);
  expect(parseUpperDistances(formatUpperDistances(MATRIX))).toEqual(MATRIX);
  expect(parseDistanceMatrix(formatDistanceMatrix(MATRIX))).toEqual(MATRIX);
  expect(decodeDiphaDistances(encodeDiphaDistances(MATRIX))).toEqual(MATRIX);
  const cloud = { count: 2, dimension: 3, points: Float64Array.of(1, 2, 0.1 + 0.2, 4, 5, 1e-300) };
  expect(parsePointCloud(formatPointCloud(cloud))).toEqual(cloud);
  const sparse = {
    n: 5,
    u: Uint32Array.of(0, 2),
    v: Uint32Array.of(1, 4),
    distance: Float64Array.of(0.5, 1),
  };
  expect(formatSparseDistances(sparse)).toBe("0 1 0.5\n2 4 1\n");
  expect(parseSparseDistances(formatSparseDistances(sparse))).toEqual(sparse);
});

const DIAGRAMS: PersistenceDiagram[] = [
  { dimension: 0, births: Float64Array.of(0, 0), deaths: Float64Array.of(1.5, Infinity) },
  { dimension: 2, births: Float64Array.of(0.25), deaths: Float64Array.of(0.75) },
];

test("diagrams as CSV", () => {
  const text = "dimension,birth,death\n0,0,1.5\n0,0,inf\n2,0.25,0.75\n";
  expect(formatCsvDiagrams(DIAGRAMS)).toBe(text);
  expect(parseCsvDiagrams(text)).toEqual(DIAGRAMS);
  expect(
    parseCsvDiagrams('\uFEFF"Dimension", "birth","death"\r\n2,0.25,0.75\n0,0,1.5\n0,0,Infinity\n'),
  ).toEqual(DIAGRAMS);
  expect(parseCsvDiagrams("dimension,birth,death")).toEqual([]);
});

/** int64 and float64 values, little-endian. */
function bytesOf(...values: (bigint | number)[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * values.length));
  values.forEach((value, k) => {
    if (typeof value === "bigint") view.setBigInt64(8 * k, value, true);
    else view.setFloat64(8 * k, value, true);
  });
  return new Uint8Array(view.buffer);
}

const DIPHA = 8067171840n;

test("DIPHA's matrices and diagrams, byte by byte", () => {
  const matrix = bytesOf(DIPHA, 7n, 3n, ...MATRIX.distances);
  expect(decodeDiphaDistances(matrix)).toEqual(MATRIX);
  expect(encodeDiphaDistances(MATRIX)).toEqual(matrix);
  // An essential class of degree d has degree -d - 1.
  const points = bytesOf(DIPHA, 2n, 3n, 0n, 0, 1.5, -1n, 0, 0, 2n, 0.25, 0.75);
  expect(decodeDiphaDiagrams(points)).toEqual(DIAGRAMS);
  expect(encodeDiphaDiagrams(DIAGRAMS)).toEqual(points);
  const shifted = new Uint8Array(points.length + 3);
  shifted.set(points, 3);
  expect(decodeDiphaDiagrams(shifted.subarray(3))).toEqual(DIAGRAMS); // not aligned to 8 bytes
});

test("diagrams as lists of arrays and as npz files hold them", () => {
  const float64 = (shape: number[], ...values: number[]): RawArray => ({
    dtype: "float64",
    shape,
    data: bytesOf(...values),
  });
  const arrays = diagramsToArrays(DIAGRAMS);
  expect(arrays).toEqual({
    arr_0: float64([2, 2], 0, 1.5, 0, Infinity),
    arr_1: float64([0, 2]),
    arr_2: float64([1, 2], 0.25, 0.75),
  });
  const empty = { dimension: 1, births: new Float64Array(0), deaths: new Float64Array(0) };
  const all = [DIAGRAMS[0]!, empty, DIAGRAMS[1]!];
  expect(diagramsFromArrays(Object.values(arrays))).toEqual(all);
  expect(diagramsFromNpz(new Map(Object.entries(arrays)))).toEqual(all);
  expect(diagramsFromNpz(new Map([["H2", arrays.arr_2!]]))).toEqual([DIAGRAMS[1]]);
  const single = new Uint8Array(new Float32Array([0.25, 0.75]).buffer);
  expect(diagramsFromNpz(new Map([["dgm2", { dtype: "float32", shape: [1, 2], data: single }]]))).toEqual([
    DIAGRAMS[1],
  ]);
  const stacked = float64([3, 3], 0, 1.5, 0, 0, Infinity, 0, 0.25, 0.75, 2);
  expect(diagramsFromArrays([stacked])).toEqual(DIAGRAMS);
});

test("broken text and bytes are refused with the place", () => {
  const array = { dtype: "float64", shape: [1, 2], data: bytesOf(0, 1) };
  const broken: [() => unknown, string][] = [
    [() => parsePointCloud("1 2\n3\n", "a.txt"), "a.txt, line 2: 1 coordinates; 2 expected"],
    [() => parsePointCloud("1 2\n3 x\u0007", "a.txt"), 'line 2: "x\\u0007" is no number'],
    [() => parsePointCloud("1 nan"), "line 1: coordinate NaN"],
    [() => parsePointCloud("0x10 1"), '"0x10" is no number'],
    [() => parseLowerDistances("1\n2 3\n4 5\n"), "line 3: the text ends after 5 distances"],
    [() => parseUpperDistances("1 -2 3"), "line 1: distance -2"],
    [() => parseDistanceMatrix("0 1\n2 0"), "line 2: entry (1, 0) is 2, entry (0, 1) is 1"],
    [() => parseDistanceMatrix("0 1\n1 1"), "line 2: the diagonal's entry (1, 1) is 1"],
    [() => parseDistanceMatrix("0 1\n"), "line 1: the text ends after 1 of 2 rows"],
    [() => parseDistanceMatrix("0\n0"), "line 2: row 1 of 1 values"],
    [() => parseSparseDistances("0 1"), "line 1: 2 values; three expected"],
    [() => parseSparseDistances("0 1 1\n1 0 2"), "line 2: pair (1, 0) is there already, in line 1"],
    [() => parseSparseDistances("0 1.5 1"), "vertex 1.5"],
    [() => parseSparseDistances("3 3 1"), "vertex 3 has the distance 1 from itself"],
    [() => parseCsvDiagrams("birth,death\n"), 'line 1: header "birth,death"'],
    [() => parseCsvDiagrams("dimension,birth,death\n1,2,1\n"), "line 2: point (2, 1)"],
    [() => parseCsvDiagrams("dimension,birth,death\n-1,0,1\n"), "line 2: dimension -1"],
    [() => decodeDiphaDistances(bytesOf(1n)), "byte 8: the file ends"],
    [() => decodeDiphaDistances(bytesOf(1n, 7n, 0n)), "byte 0: magic number 1"],
    [() => decodeDiphaDistances(bytesOf(DIPHA, 2n, 0n)), "byte 8: a DIPHA file of type 2"],
    [() => decodeDiphaDistances(bytesOf(DIPHA, 7n, 2n ** 62n)), "byte 16: count"],
    [() => decodeDiphaDistances(bytesOf(DIPHA, 7n, 2n, 0, 1, 2, 0)), "byte 40: entry (1, 0) is 2"],
    [() => decodeDiphaDiagrams(bytesOf(DIPHA, 2n, 1n, 1n, 2, 1)), "byte 24: point (2, 1)"],
    [() => diagramsFromArrays([{ ...array, dtype: "int64" }]), 'dtype "int64"'],
    [() => diagramsFromArrays([{ ...array, shape: [2, 2] }]), "16 bytes; 32 expected"],
    [() => diagramsFromArrays([{ ...array, shape: [2] }]), "shape [2]; [points, 2] expected"],
    [() => diagramsFromNpz(new Map([["dgm", array]])), '"dgm" has no degree'],
    [
      () =>
        diagramsFromNpz(
          new Map([
            ["H1", array],
            ["dgm1", array],
          ]),
        ),
      "name one degree",
    ],
  ];
  for (const [call, message] of broken) {
    expect(call).toThrow(message);
    expect(call).toThrow(TopologyError);
  }
});

/** Some value, or a TopologyError; anything else fails. */
function parsesOrRefuses(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
    expect(error.message.length).toBeLessThan(400);
  }
}

test("any text is parsed or refused", () => {
  const parsers = [
    parsePointCloud,
    parseLowerDistances,
    parseUpperDistances,
    parseDistanceMatrix,
    parseSparseDistances,
    parseCsvDiagrams,
  ];
  const words = fc.constantFrom(..."0 1 2 2.5 -1 inf nan 1e999 , ; # \n \r\n x é".split(" "), " ", "\u0000");
  const text = fc.oneof(
    fc.array(words, { maxLength: 30 }).map((parts) => parts.join("")),
    fc.array(words, { maxLength: 30 }).map((parts) => parts.join(" ")),
    fc.string({ maxLength: 40 }),
    fc
      .tuple(fc.constant("dimension,birth,death\n"), fc.array(words, { maxLength: 12 }))
      .map(([header, parts]) => header + parts.join(",")),
  );
  fc.assert(
    fc.property(text, (given) => {
      for (const parse of parsers) parsesOrRefuses(() => parse(given));
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

test("any bytes, and valid files with some bytes changed or missing, are parsed or refused", () => {
  const files = [
    bytesOf(DIPHA, 7n, 3n, ...MATRIX.distances),
    bytesOf(DIPHA, 2n, 3n, 0n, 0, 1.5, -1n, 0, 0, 2n, 0.25, 0.75),
  ];
  const damage = fc.record({
    file: fc.constantFrom(...files),
    length: fc.double({ min: 0, max: 1, noNaN: true }),
    changes: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
    cut: fc.boolean(),
  });
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    damage.map(({ file, length, changes, cut }) => {
      const copy = cut ? file.slice(0, Math.floor(length * file.length)) : file.slice();
      for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value;
      return copy;
    }),
  );
  fc.assert(
    fc.property(bytes, fc.array(fc.nat({ max: 5 }), { maxLength: 3 }), (given, shape) => {
      parsesOrRefuses(() => decodeDiphaDistances(given));
      parsesOrRefuses(() => decodeDiphaDiagrams(given));
      parsesOrRefuses(() => diagramsFromArrays([{ dtype: "float64", shape, data: given }]));
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

const hasRipser = spawnSync("ripser", ["--help"]).error === undefined;

test.skipIf(!hasRipser)("Ripser itself reads what is written, and finds the same (Debian ripser)", () => {
  const ripser = (format: string, input: string) =>
    execFileSync("ripser", ["--format", format], {
      input,
      encoding: "utf8",
      stdio: ["pipe", "pipe", "ignore"],
    })
      .split("\n")
      .filter((line) => /^ \[/.test(line))
      .sort();
  const expected = ripser("distance", formatDistanceMatrix(MATRIX));
  expect(expected).toEqual([" [0, )", " [0,1)", " [0,2.5)"]);
  expect(ripser("lower-distance", formatLowerDistances(MATRIX))).toEqual(expected);
  expect(ripser("upper-distance", formatUpperDistances(MATRIX))).toEqual(expected);
  const sparse = {
    n: 3,
    u: Uint32Array.of(0, 0),
    v: Uint32Array.of(1, 2),
    distance: Float64Array.of(1, 2.5),
  };
  expect(ripser("sparse", formatSparseDistances(sparse))).toEqual(expected);
  const points = { count: 3, dimension: 1, points: Float64Array.of(0, 1, -2.5) };
  expect(ripser("point-cloud", formatPointCloud(points))).toEqual(expected);
});
