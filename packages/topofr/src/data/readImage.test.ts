import { join } from "node:path";
import { encodeImageRecord, encodeRecord } from "@topofr/formats";
import { afterAll, expect, test } from "vitest";
import type { ImageSource } from "./imageSource.js";
import { temporaryFolder, truncate, write } from "./images.test.support.js";
import { readImage } from "./readImage.js";

const folder = temporaryFolder();
afterAll(() => folder.remove());
const place = (name: string) => join(folder.path, name);

function record(label: number, image: Uint8Array): Uint8Array {
  return Buffer.concat([...encodeRecord(encodeImageRecord({ labels: [label], id: 4n, image }))]);
}

test("a part of a file, bytes in memory, and the image of a record", () => {
  const image = Uint8Array.of(1, 2, 3, 4, 5);
  const tar = write(place("a.tar"), Uint8Array.of(9, 9, ...image, 9));
  expect(readImage({ kind: "part", path: tar, offset: 2, length: 5, name: "x.jpg" })).toEqual(image);
  expect(readImage({ kind: "bytes", name: "x", bytes: image })).toBe(image);

  const bytes = record(7, image);
  const path = write(place("a.rec"), Buffer.concat([record(1, Uint8Array.of(8)), bytes]));
  const source = {
    kind: "record",
    path,
    offset: record(1, Uint8Array.of(8)).length,
    length: bytes.length,
    key: 4,
    label: 7,
  } as const;
  expect(readImage(source)).toEqual(image);
  expect(() => readImage({ ...source, label: 6 })).toThrow(
    /a\.rec: record 4 at byte \d+: its label is 7, the set's index says 6/,
  );
});

test("what is not there names file and place", () => {
  const path = write(place("cut.rec"), record(7, new Uint8Array(100)));
  const source: ImageSource = { kind: "record", path, offset: 0, length: 136, key: 4, label: 7 };
  truncate(path);
  expect(() => readImage(source)).toThrow(/cut\.rec: ends at byte \d+, 136 bytes from byte 0 are needed/);
  expect(() => readImage({ ...source, path: place("none.rec") })).toThrow(
    /none\.rec: cannot open the file: no such file/,
  );
});

test("more archives than may be open at once are all read", () => {
  const paths = Array.from({ length: 150 }, (_, i) => write(place(`${i}.tar`), Uint8Array.of(i)));
  for (const turn of [0, 1]) {
    paths.forEach((path, i) => {
      expect([turn, ...readImage({ kind: "part", path, offset: 0, length: 1, name: "x" })]).toEqual([
        turn,
        i,
      ]);
    });
  }
});
