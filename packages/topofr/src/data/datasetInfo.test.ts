import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { datasetInfo } from "./datasetInfo.js";
import { pattern, picture, temporaryFolder, truncate, write } from "./images.test.support.js";
import { openDataset } from "./openDataset.js";

const root = temporaryFolder();
afterAll(() => root.remove());
const at = (...names: string[]) => join(root.path, ...names);

test("people, images, sizes; broken files where they are met, all of them in a check", async () => {
  const small = await picture(pattern(1)).jpeg().toBuffer();
  const large = await picture(pattern(2, 40), 40).png().toBuffer();
  const counts = [1, 1, 4, 4, 7];
  for (const [person, n] of counts.entries())
    for (let i = 0; i < n; i++) write(at("faces", `p${person}`, `${i}.jpg`), person === 0 ? large : small);
  truncate(write(at("faces", "p4", "3.jpg"), small));
  write(at("faces", "p3", "1.jpg"), "");
  const dataset = await openDataset(at("faces"), { cache: false });
  const info = await datasetInfo(dataset, { all: false, check: false });
  expect(info).toMatchObject({
    identities: 5,
    images: 17,
    imagesPerIdentity: { least: 1, median: 4, mean: 3.4, most: 7 },
    histogram: [
      { from: 1, to: 1, identities: 2 },
      { from: 2, to: 2, identities: 0 },
      { from: 3, to: 4, identities: 2 },
      { from: 5, to: 9, identities: 1 },
    ],
    looks: {
      images: 17,
      sizes: { "40x40": 1, "16x16": 15, unknown: 1 },
      formats: { png: 1, jpg: 15, unknown: 1 },
    },
    broken: [],
    checked: false,
  });
  const checked = await datasetInfo(dataset, { all: false, check: true });
  expect(checked.broken.map(({ image }) => image)).toEqual([
    at("faces", "p3", "1.jpg"),
    at("faces", "p4", "3.jpg"),
  ]);
});

test("a sample of a large set is spread over all of it, and its bytes estimated", async () => {
  const bytes = new Uint8Array(10);
  let most = 0;
  const dataset = {
    name: "made",
    identities: ["a"],
    labels: new Uint32Array(50_000),
    warnings: [],
    source: (index: number) => {
      most = Math.max(most, index);
      return { kind: "bytes" as const, name: String(index), bytes };
    },
  };
  const info = await datasetInfo(dataset, { all: false, check: false });
  expect(info.looks).toMatchObject({ images: 1000, meanBytes: 10, totalBytes: 500_000 });
  expect(info.histogram).toEqual([{ from: 1000, to: null, identities: 1 }]);
  expect(most).toBeGreaterThan(49_000);
});
