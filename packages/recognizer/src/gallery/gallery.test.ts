// A gallery as its user has it: adding, searching, removing, opening again; what is refused.
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  dot,
  MODEL,
  newGallery,
  temporaryFolder,
  topofrError,
  unitVectors,
  withGallery,
} from "./gallery.test.support.js";
import { openGallery } from "./openGallery.js";
import { BLOCK_ROWS } from "./templates.js";

test("an identity is found by the best of its templates, and everything is there after opening again", async () => {
  const { path, gallery } = await newGallery(3);
  const ids = await gallery.add([
    { identity: "Ann", embedding: Float32Array.of(1, 0, 0), note: "ann/1.jpg" },
    { identity: "Ann", embedding: Float32Array.of(0, 2, 0) }, // any length
    { identity: "Ben", embedding: Float32Array.of(0, 0, 1) },
  ]);
  const query = Float32Array.of(0.1, 5, 0.2);
  const length = Math.hypot(...query);
  const expected = [
    { identity: "Ann", id: ids[1], similarity: expect.closeTo(5 / length, 6) as number },
    { identity: "Ben", id: ids[2], similarity: expect.closeTo(0.2 / length, 6) as number },
  ];
  expect(await gallery.search(query, { top: 5 })).toEqual(expected);
  await gallery.close();
  await withGallery(path, { dimension: 3, model: MODEL }, async (again) => {
    expect(await again.search(query, { top: 5 })).toEqual(expected);
    expect(await again.search(query, { top: 1 })).toEqual(expected.slice(0, 1));
    expect(again.identities()).toEqual([
      { identity: "Ann", templates: 2 },
      { identity: "Ben", templates: 1 },
    ]);
    expect([...again.templates()].map(({ id, identity, note }) => ({ id, identity, note }))).toEqual([
      { id: ids[0], identity: "Ann", note: "ann/1.jpg" },
      { id: ids[1], identity: "Ann", note: null },
      { id: ids[2], identity: "Ben", note: null },
    ]);
    expect(again.info()).toMatchObject({
      templates: 3,
      identities: 2,
      encrypted: false,
      revocable: false,
      model: MODEL,
    });
  });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(dirname(path))).toEqual(["people.gallery"]); // no lock, no temporary file
});

test("search equals comparing with every template, over several blocks and many queries at once", async () => {
  const [dimension, people] = [8, 5000];
  const templates = unitVectors(BLOCK_ROWS + 700, dimension);
  const { gallery } = await newGallery(dimension);
  await gallery.add(templates.map((embedding, i) => ({ identity: `p${i % people}`, embedding })));
  const queries = unitVectors(70, dimension, 2); // more than one pass takes
  const found = await gallery.searchMany(queries, { top: 10 });
  queries.forEach((query, k) => {
    const best = new Map<string, number>();
    templates.forEach((template, i) => {
      const name = `p${i % people}`;
      best.set(name, Math.max(best.get(name) ?? -2, dot(template, query)));
    });
    const expected = [...best].sort(([, a], [, b]) => b - a).slice(0, 10);
    expect(found[k]!.map(({ similarity }) => similarity)).toEqual(
      expected.map(([, similarity]) => expect.closeTo(similarity, 5) as number),
    );
    for (const { identity, similarity } of found[k]!) expect(similarity).toBeCloseTo(best.get(identity)!, 5);
  });
});

test("what is removed is found no more, and leaves the file when it is closed", async () => {
  const { path, gallery } = await newGallery(16);
  const vectors = unitVectors(40, 16);
  const ids = await gallery.add(
    vectors.map((embedding, i) => ({ identity: i < 3 ? "Zoë Secret" : `p${i}`, embedding })),
  );
  expect(await gallery.remove({ identity: "Zoe\u0308 Secret" })).toBe(3); // a decomposed ë is the same name
  expect(await gallery.remove({ id: ids[5]! })).toBe(1);
  expect(await gallery.remove({ id: ids[5]! })).toBe(0);
  expect(await gallery.remove({ identity: "nobody" })).toBe(0);
  const names = async (query: number, from = gallery) =>
    (await from.search(vectors[query]!, { top: 100 })).map(({ identity }) => identity);
  expect(await names(0)).not.toContain("Zoë Secret");
  expect(await names(5)).not.toContain("p5");
  expect(gallery.size).toBe(36);
  const file = () => readFileSync(path).toString("utf8");
  expect(file()).toContain("Zoë Secret");
  await gallery.close();
  expect(file()).not.toContain("Zoë Secret");
  await withGallery(path, {}, async (again) => {
    expect(again.size).toBe(36);
    expect(await names(7, again)).toContain("p7");
    await again.remove({ id: ids[7]! });
    await again.compact();
    const before = again.info().bytes;
    await again.add([{ identity: "late", embedding: vectors[0]! }]);
    expect(again.info().bytes).toBeGreaterThan(before);
    expect(await names(0, again)).toContain("late");
  });
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a gallery of which a quarter was removed is rewritten by itself", async () => {
  const { path, gallery } = await newGallery(16);
  await gallery.add(unitVectors(100, 16).map((embedding, i) => ({ identity: `p${i}`, embedding })));
  const before = statSync(path).size;
  for (let i = 0; i < 30; i++) await gallery.remove({ identity: `p${i}` });
  expect(statSync(path).size).toBeLessThan(before * 0.85);
  expect(gallery.identities()).toHaveLength(70);
});

test("searches go on while others add and remove, and see only what is there", async () => {
  const { gallery } = await newGallery(16);
  const vectors = unitVectors(600, 16);
  const add = (i: number) => gallery.add([{ identity: `p${i}`, embedding: vectors[i]! }]);
  for (let i = 0; i < 50; i++) await add(i);
  const work: Promise<unknown>[] = [];
  for (let i = 50; i < 200; i++) {
    work.push(
      add(i),
      gallery.search(vectors[49]!, { top: 3 }).then(([first]) => expect(first!.identity).toBe("p49")),
    );
    if (i % 3 === 0) work.push(gallery.remove({ identity: `p${i - 50}` }));
  }
  await Promise.all(work);
  expect(gallery.size).toBe(150);
});

test("exported and read back: .npz, .csv, .jsonl", async () => {
  const { path, gallery } = await newGallery(5);
  const vectors = unitVectors(4, 5);
  await gallery.add(
    vectors.map((embedding, i) => ({ identity: `"p", ${i}`, embedding, ...(i > 1 && { note: `n ${i}` }) })),
  );
  const { readEntries } = await import("./entries.js");
  for (const ending of ["npz", "csv", "jsonl"]) {
    const file = join(dirname(path), `out.${ending}`);
    await gallery.export(file);
    const { dimension, entries } = await readEntries(file);
    expect(dimension).toBe(5);
    expect(entries).toEqual(
      [...gallery.templates()].map(({ identity, note, embedding }) => ({
        identity,
        embedding,
        ...(note !== null && { note }),
      })),
    );
    expect(statSync(file).mode & 0o777).toBe(0o600);
  }
  expect(await topofrError(() => gallery.export("people.xlsx"))).toMatchObject({
    code: "E_USAGE",
    message: "people.xlsx: expected a .npz, .csv, .jsonl file",
  });
});

test("a gallery behind a link stays behind it", async () => {
  const { path, gallery } = await newGallery(4);
  await gallery.add(unitVectors(3, 4).map((embedding, i) => ({ identity: `p${i}`, embedding })));
  await gallery.close();
  const link = join(dirname(path), "link.gallery");
  symlinkSync(path, link);
  await withGallery(link, {}, (again) => again.remove({ identity: "p0" }));
  await withGallery(path, {}, (again) => expect(again.size).toBe(2));
});

describe("refused", () => {
  test("another model, another embedding size", async () => {
    const { path, gallery } = await newGallery(4);
    await gallery.close();
    const other = { name: "other", sha256: "cd".repeat(32) };
    const model = await topofrError(() => openGallery(path, { dimension: 4, model: other }));
    expect(model).toMatchObject({ code: "E_MODEL" });
    expect(model.message).toMatch(
      /by model "halves" \(sha256 abab.*not "other" \(sha256 cdcd.*cannot be compared/,
    );
    const size = await topofrError(() => openGallery(path, { dimension: 512, model: MODEL }));
    expect(size).toMatchObject({ code: "E_MODEL" });
    expect(size.message).toMatch(/holds embeddings of 4 numbers by model "halves".*; this model's have 512/);
    await withGallery(path, { model: { name: "halves", sha256: "" } }, ({ size: count }) =>
      expect(count).toBe(0),
    );
  });

  test("what is no gallery, or not there", async () => {
    const folder = temporaryFolder();
    const at = (name: string, content: string | Uint8Array) => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const message = async (path: string, options = {}) =>
      (await topofrError(() => openGallery(path, options))).message;
    expect(await message(join(folder, "none"))).toMatch(/none: no such gallery/);
    expect(await message(folder)).toMatch(/is a folder or a device; a gallery is one file/);
    expect(await message(at("empty", ""))).toMatch(/the file is empty, not a gallery/);
    expect(await message(at("photo.jpg", "\xff\xd8\xff photo"))).toMatch(/not a gallery: it begins with/);
    expect(await message(join(folder, "new"), { create: true })).toMatch(/needs the dimension and the model/);
    expect(await message(join(folder, "new"), { create: true, readOnly: true })).toMatch(/contradict/);
    expect(await message(join(folder, "new"), { create: true, model: MODEL, dimension: 0.5 })).toMatch(
      /dimension is 0.5/,
    );
    expect(readdirSync(folder).sort()).toEqual(["empty", "photo.jpg"]);
  });

  test("entries and queries that are none; nothing of the call is added", async () => {
    const { gallery } = await newGallery(4);
    const embedding = Float32Array.of(1, 0, 0, 0);
    const good = { identity: "Ann", embedding };
    const refused = async (entry: object) => {
      const { code, message } = await topofrError(() => gallery.add([good, { ...good, ...entry }]));
      return `${code} ${message.replace(/^.*gallery: /, "")}`;
    };
    expect(await refused({ identity: " " })).toBe("E_USAGE entry 1: the identity is empty");
    expect(await refused({ identity: "a\nb" })).toMatch(
      /^E_USAGE entry 1: identity "a\\u000ab" of 3 characters; expected one line/,
    );
    expect(await refused({ note: "x".repeat(2001) })).toMatch(/^E_USAGE entry 1: note "xxx/);
    expect(await refused({ embedding: new Float32Array(3) })).toMatch(
      /^E_MODEL entry 1: an embedding of 3 numbers, the gallery has 4/,
    );
    expect(await refused({ embedding: new Float32Array(4) })).toMatch(
      /^E_USAGE entry 1: the embedding is zero/,
    );
    expect(await refused({ embedding: Float32Array.of(1, Number.NaN, 0, 0) })).toMatch(/not finite/);
    expect(gallery.size).toBe(0);
    expect(await gallery.search(embedding, { top: 3 })).toEqual([]);
    expect(await topofrError(() => gallery.search(embedding, { top: 0 }))).toMatchObject({ code: "E_USAGE" });
    expect(await topofrError(() => gallery.search(new Float32Array(2), { top: 1 }))).toMatchObject({
      code: "E_MODEL",
    });
    expect(await topofrError(() => gallery.remove({ id: "x" }))).toMatchObject({ code: "E_USAGE" });
    await gallery.close();
    await gallery.close();
    for (const call of [
      () => gallery.add([good]),
      () => gallery.search(embedding, { top: 1 }),
      () => gallery.compact(),
    ])
      expect(await topofrError(call)).toMatchObject({
        code: "E_USAGE",
        message: expect.stringContaining("is closed") as string,
      });
  });

  test("two writers; readers are welcome, and cannot write", async () => {
    const { path, gallery } = await newGallery(4);
    await gallery.add([{ identity: "Ann", embedding: Float32Array.of(1, 0, 0, 0) }]);
    const second = await topofrError(() => openGallery(path));
    expect(second).toMatchObject({ code: "E_FILE" });
    expect(second.message).toMatch(/this process has the gallery open for writing; .*readOnly/);
    await withGallery(path, { readOnly: true }, async (reader) => {
      expect(reader.size).toBe(1);
      await gallery.add([{ identity: "Ben", embedding: Float32Array.of(0, 1, 0, 0) }]);
      expect((await reader.search(Float32Array.of(0, 1, 0, 0), { top: 1 }))[0]).toMatchObject({
        identity: "Ann",
      });
      expect(await topofrError(() => reader.remove({ identity: "Ann" }))).toMatchObject({
        code: "E_USAGE",
        message: expect.stringContaining("read-only") as string,
      });
    });
    await gallery.close();
    expect(existsSync(`${path}.lock`)).toBe(false);
  });
});
