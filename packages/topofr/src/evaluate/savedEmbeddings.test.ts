// Embeddings and scores in NumPy's files: what is written is read, by name or in order, and what does not belong is refused.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readNpy, writeNpy, writeNpz } from "@topofr/formats";
import { afterAll, describe, expect, test } from "vitest";
import { imageFile } from "../data/imageSource.js";
import { type Benchmark, reportOnScores } from "./benchmark.js";
import {
  embeddingsOf,
  pairScoresOf,
  readSaved,
  type SavedEmbeddings,
  type SavedScores,
  writeEmbeddings,
  writeScores,
} from "./savedEmbeddings.js";

const folder = mkdtempSync(join(tmpdir(), "topofr-saved-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string) => join(folder, name);

function benchmark(names: string[], same = [1, 0]): Benchmark {
  return {
    name: "mini",
    kind: "pairs",
    path: "/data",
    root: "/data",
    images: names.map((name) => imageFile(join("/data", name))),
    pairs: { same: Uint8Array.from(same), folds: 2 },
    warnings: [],
    report: () => Promise.reject(new Error("not called")),
  };
}

const NAMES = ["a/1.jpg", "b/ü 2.jpg", "c.png"];
const ROWS = Float32Array.of(1, 2, 3, 4, 5, 6);
const float32 = (values: number[], shape: number[]) => ({
  dtype: "float32" as const,
  shape,
  data: new Uint8Array(Float32Array.from(values).buffer),
});
const bytes = (values: Uint8Array, dtype: "uint8" | "bool" = "uint8") => ({
  dtype,
  shape: [values.length],
  data: values,
});

describe("embeddings", () => {
  const read = async (name: string) => (await readSaved(file(name))) as SavedEmbeddings;

  test(".npz keeps the names, so that rows are found in any order and others left out", async () => {
    await writeEmbeddings(file("e.npz"), ROWS, 2, NAMES);
    const saved = await read("e.npz");
    expect(saved).toMatchObject({ kind: "embeddings", dimension: 2, names: NAMES });
    expect([...embeddingsOf(saved, benchmark(["c.png", "a/1.jpg"]))]).toEqual([5, 6, 1, 2]);
    expect(() => embeddingsOf(saved, benchmark(["c.png", "d.png"]))).toThrow(
      'no row for 1 of the 2 images of mini (d.png); its first row is "a/1.jpg"',
    );
  });

  test(".npy has rows in the benchmark's order, and as many", async () => {
    await writeEmbeddings(file("e.npy"), ROWS, 2, NAMES);
    expect((await readNpy(file("e.npy"))).shape).toEqual([3, 2]);
    const saved = await read("e.npy");
    expect(embeddingsOf(saved, benchmark(NAMES))).toEqual(ROWS);
    expect(() => embeddingsOf(saved, benchmark(["c.png", "a/1.jpg"]))).toThrow(
      "3 rows, but mini has 2 images",
    );
  });

  test("float64 is read too", async () => {
    await writeNpy(file("double.npy"), {
      dtype: "float64",
      shape: [2, 1],
      data: new Uint8Array(Float64Array.of(1, 2).buffer),
    });
    expect((await read("double.npy")).rows).toEqual(Float32Array.of(1, 2));
  });

  test.each([
    ["a vector", { embeddings: float32([1, 2], [2]) }, "shape [2]; expected [images, dimension]"],
    [
      "whole numbers",
      { embeddings: { ...float32([1, 2], [2, 1]), dtype: "int32" as const } },
      "int32 [2, 1]; expected float32",
    ],
    ["other arrays", { features: float32([1], [1, 1]) }, 'arrays features; expected "embeddings"'],
    [
      "too few names",
      { embeddings: float32([1, 2], [2, 1]), names: bytes(Buffer.from("a")) },
      "1 names for 2 rows",
    ],
    [
      "a name twice",
      { embeddings: float32([1, 2], [2, 1]), names: bytes(Buffer.from("a\na")) },
      'rows 0 and 1 are both named "a"',
    ],
  ])("%s: E_DATA", async (_, arrays, message) => {
    await writeNpz(file("wrong.npz"), arrays as Parameters<typeof writeNpz>[1]);
    await expect(readSaved(file("wrong.npz"))).rejects.toMatchObject({
      code: "E_DATA",
      message: expect.stringContaining(message) as string,
    });
  });
});

describe("scores", () => {
  const read = async (name: string) => (await readSaved(file(name))) as SavedScores;
  const same = Uint8Array.from({ length: 8 }, (_, k) => 1 - (k % 2));
  const scores = Float64Array.from(same, (flag) => (flag === 1 ? 0.9 : 0.1));

  test(".npz is evaluated without anything else", async () => {
    await writeScores(file("s.npz"), { scores, same, folds: 2 });
    const found = pairScoresOf(await read("s.npz"), null);
    expect(found).toEqual({ scores, same, folds: 2 });
    expect(reportOnScores(found)).toMatchObject({ kind: "pairs", accuracy: 1, images: null });
    expect(reportOnScores({ ...found, folds: 0 })).toMatchObject({
      kind: "ijb",
      genuines: 4,
      identification: null,
    });
  });

  test("a .npy needs the benchmark, and it must have the same pairs", async () => {
    await writeScores(file("s.npy"), { scores, same, folds: 2 });
    const saved = await read("s.npy");
    expect(() => pairScoresOf(saved, null)).toThrow("scores without flags; name the benchmark with --data");
    expect(pairScoresOf(saved, benchmark(NAMES, [...same]))).toEqual({ scores, same, folds: 2 });
    expect(() => pairScoresOf(saved, benchmark(NAMES, [1, 0]))).toThrow("8 scores, but mini has 2 pairs");
    const flagged = await read("s.npz");
    expect(() => pairScoresOf(flagged, benchmark(NAMES, [...same].reverse()))).toThrow(
      "pair 0 is called same, but not in mini",
    );
    expect(() =>
      pairScoresOf(saved, { ...benchmark(NAMES), kind: "groups", pairs: null } as Benchmark),
    ).toThrow("has no list of pairs");
  });

  test("numpy's own: bool flags, and ten folds unless it says", async () => {
    await writeNpz(file("np.npz"), {
      scores: float32([1, 0], [2]),
      same: bytes(Uint8Array.of(1, 0), "bool"),
    });
    expect(pairScoresOf(await read("np.npz"), null)).toMatchObject({ folds: 10 });
  });

  test.each([
    ["no flags", { scores: float32([1], [1]) }, '"same" is missing; expected bool or uint8 [1]'],
    [
      "fewer flags",
      { scores: float32([1, 0], [2]), same: bytes(Uint8Array.of(1)) },
      '"same" is uint8 [1]; expected',
    ],
    [
      "a flag of 2",
      { scores: float32([1, 0], [2]), same: bytes(Uint8Array.of(1, 2)) },
      '"same" of pair 1 is 2',
    ],
    [
      "a matrix",
      { scores: float32([1, 0], [2, 1]), same: bytes(Uint8Array.of(1, 0)) },
      "shape [2, 1]; expected [pairs]",
    ],
    [
      "one fold",
      {
        scores: float32([1], [1]),
        same: bytes(Uint8Array.of(1)),
        folds: { dtype: "int32", shape: [], data: Uint8Array.of(1, 0, 0, 0) },
      },
      '"folds" is 1; expected',
    ],
  ])("%s: E_DATA", async (_, arrays, message) => {
    await writeNpz(file("wrong.npz"), arrays as Parameters<typeof writeNpz>[1]);
    await expect(readSaved(file("wrong.npz"))).rejects.toMatchObject({
      code: "E_DATA",
      message: expect.stringContaining(message) as string,
    });
  });

  test("what is not finite, and in folds what is no cosine, has no report", () => {
    expect(() => reportOnScores({ scores: scores.with(3, Number.NaN), same, folds: 0 })).toThrow(
      "pair 3 of 8 is NaN",
    );
    expect(() => reportOnScores({ scores: scores.with(2, 40), same, folds: 2 })).toThrow(
      "pair 2 of 8 is 40; accuracy needs cosine similarities",
    );
    expect(reportOnScores({ scores: scores.with(2, 40), same, folds: 0 })).toMatchObject({ kind: "ijb" });
  });
});
