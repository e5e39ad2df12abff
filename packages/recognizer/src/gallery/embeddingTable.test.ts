// Embeddings in .npz, .csv and .jsonl: golden files, and what is refused.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readNpz, TopofrError } from "@topofr/formats";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readEmbeddingTable, writeEmbeddingTable } from "./embeddingTable.js";
import { readEntries } from "./entries.js";
import { temporaryFolder, topofrError } from "./gallery.test.support.js";

const TABLE = {
  dimension: 2,
  columns: ["name", "score"],
  rows: [
    { values: ['a "b", c.jpg', 0.5], embedding: Float32Array.of(0.1, -2) },
    { values: ["ü.jpg", 1], embedding: Float32Array.of(1e-8, 3) },
  ],
};

test("the text files, byte for byte", async () => {
  const folder = temporaryFolder();
  const written = async (ending: string) => {
    const path = join(folder, `t.${ending}`);
    await writeEmbeddingTable(path, TABLE);
    return readFileSync(path, "utf8");
  };
  expect(await written("csv")).toBe(
    'name,score,e0,e1\n"a ""b"", c.jpg",0.5,0.100000001,-2\nü.jpg,1,9.99999994e-9,3\n',
  );
  expect(await written("jsonl")).toBe(
    '{"name":"a \\"b\\", c.jpg","score":0.5,"embedding":[0.100000001,-2]}\n' +
      '{"name":"ü.jpg","score":1,"embedding":[9.99999994e-9,3]}\n',
  );
});

test("back to the same float32; .npz has the names as topofr evaluate reads them", async () => {
  const folder = temporaryFolder();
  for (const ending of ["npz", "jsonl", "csv"]) {
    const path = join(folder, `t.${ending}`);
    await writeEmbeddingTable(path, TABLE);
    const values =
      ending === "csv"
        ? TABLE.rows.map((row) => row.values.map(String))
        : TABLE.rows.map((row) => row.values);
    expect(await readEmbeddingTable(path)).toEqual({
      ...TABLE,
      rows: TABLE.rows.map(({ embedding }, i) => ({ embedding, values: values[i] })),
    });
  }
  const arrays = await readNpz(join(folder, "t.npz"));
  expect([...arrays.keys()]).toEqual(["embeddings", "names", "score"]);
  expect(Buffer.from(arrays.get("names")!.data).toString()).toBe('a "b", c.jpg\nü.jpg');
});

test("an empty table", async () => {
  const path = join(temporaryFolder(), "t.npz");
  await writeEmbeddingTable(path, { ...TABLE, rows: [] });
  expect(await readEmbeddingTable(path)).toEqual({ dimension: 2, columns: ["name", "score"], rows: [] });
});

test("tables of other programs: quotes, line ends, other columns", async () => {
  const path = join(temporaryFolder(), "people.csv");
  writeFileSync(path, '\n"identity",age,e0,e1\r\n"Ann ""A""",30,1,0\r\n\r\nBen,,0,"1"');
  expect((await readEntries(path)).entries).toEqual([
    { identity: 'Ann "A"', embedding: Float32Array.of(1, 0) },
    { identity: "Ben", embedding: Float32Array.of(0, 1) },
  ]);
});

test.each<[string, string, RegExp]>([
  ["a.csv", "", /a\.csv: the file is empty/],
  ["a.csv", "identity,e1\n", /a\.csv:1: expected a header that ends in e0, e1/],
  ["a.csv", "e0,e1\n1\n", /a\.csv:2: 1 cells, the header has 2/],
  ["a.csv", "identity,e0\nAnn,\n", /a\.csv:2: e0 is ""; expected a number/],
  ["a.csv", 'identity,e0\n"Ann,1\n', /a\.csv:3: the file ends inside quotes/],
  ["a.csv", 'identity,e0\nA"nn,1\n', /a\.csv:2: a quote inside a cell/],
  ["a.csv", 'identity,e0\n"A"nn,1\n', /a\.csv:2: "n" behind a closing quote/],
  ["a.csv", "name,e0\nAnn,1\n", /a\.csv: no column "identity".*it has name/],
  ["a.jsonl", "{}\n", /a\.jsonl:1: expected an object with "embedding"/],
  ["a.jsonl", "[1]\n", /a\.jsonl:1: expected an object/],
  ["a.jsonl", "no json\n", /a\.jsonl:1: expected an object/],
  [
    "a.jsonl",
    '{"identity":"A","embedding":[1]}\n{"identity":"B","embedding":[1,2]}\n',
    /:2: an embedding of 2 numbers/,
  ],
  [
    "a.jsonl",
    '{"embedding":[1]}\n{"identity":"B","embedding":[1]}\n',
    /:2: "identity" is not in the first line/,
  ],
  ["a.jsonl", '{"identity":[],"embedding":[1]}\n', /:1: "identity" is neither text nor a number/],
  ["a.npz", "no zip", /a\.npz: /],
  ["a.txt", "", /a\.txt: expected a \.npz, \.csv, \.jsonl file/],
])("%s %j is refused", async (name, content, message) => {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  expect((await topofrError(() => readEntries(path))).message).toMatch(message);
});

test("500 texts as tables: read, or refused with a place", async () => {
  const folder = temporaryFolder();
  const piece = fc.constantFrom(
    "e0",
    "e1",
    ",",
    '"',
    "\n",
    "\r\n",
    "1",
    "-2e3",
    "identity",
    "{",
    '"embedding":',
    "[",
    "]",
    "}",
    "ü",
    "null",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 30 }),
      fc.constantFrom("a.csv", "a.jsonl"),
      async (pieces, name) => {
        const path = join(folder, name);
        writeFileSync(path, pieces.join(""));
        await readEmbeddingTable(path).catch((error) => expect(error).toBeInstanceOf(TopofrError));
      },
    ),
    { seed: 3, numRuns: 500 },
  );
});
