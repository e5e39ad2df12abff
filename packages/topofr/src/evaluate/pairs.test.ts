import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { TopofrError } from "@topofr/formats";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sourceName } from "../data/imageSource.js";
import { contiguousFolds } from "./folds.js";
import { parsePairs } from "./pairList.js";
import { readPairs } from "./pairs.js";

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "topofr-pairs-"));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

async function makeImages(folder: string, images: string[]): Promise<string> {
  for (const image of images) {
    const path = join(root, folder, image);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, "");
  }
  return join(root, folder);
}

async function makeList(name: string, text: string): Promise<string> {
  const path = join(root, name);
  await writeFile(path, text);
  return path;
}

async function errorOf(promise: Promise<unknown>): Promise<TopofrError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof TopofrError) return error;
    throw error;
  }
  throw new Error("expected a TopofrError");
}

const formatError = (text: string) => {
  expect(() => parsePairs(text, "pairs.txt")).toThrow(TopofrError);
  try {
    parsePairs(text, "pairs.txt");
  } catch (error) {
    return (error as TopofrError).message;
  }
  return "";
};

test("LFW blocks: folds, flags, unique images and extension fallback", async () => {
  const images = await makeImages("lfw", [
    "A B/A B_0001.jpg",
    "A B/A B_0002.png",
    "Cy/Cy_0001.webp",
    "Cy/Cy_0012.jpeg",
  ]);
  const list = await makeList(
    "pairs.txt",
    "2\t1\r\nA B\t1\t2\r\nA B\t1\tCy\t1\r\nCy\t1\t12\r\nCy\t12\tA B\t2\r\n\r\n",
  );
  const pairs = await readPairs(list, images);
  expect(pairs.images.map((image) => sourceName(image).slice(images.length + 1))).toEqual([
    "A B/A B_0001.jpg",
    "A B/A B_0002.png",
    "Cy/Cy_0001.webp",
    "Cy/Cy_0012.jpeg",
  ]);
  expect([...pairs.first]).toEqual([0, 0, 2, 3]);
  expect([...pairs.second]).toEqual([1, 2, 3, 1]);
  expect([...pairs.same]).toEqual([1, 0, 1, 0]);
  expect(pairs.folds).toBe(2);
});

test("names with spaces are read with tabs, and without them when one reading remains", () => {
  const [same, different] = parsePairs(
    "1 1\nAnna de la Cruz 1 2\nHenry VIII 1 Anna de la Cruz 3\n",
    "pairs.txt",
    {
      format: "lfw",
    },
  ).pairs.map(({ first, second }) => [first, second]);
  expect(same).toEqual([
    "Anna de la Cruz/Anna de la Cruz_0001.jpg",
    "Anna de la Cruz/Anna de la Cruz_0002.jpg",
  ]);
  expect(different).toEqual(["Henry VIII/Henry VIII_0001.jpg", "Anna de la Cruz/Anna de la Cruz_0003.jpg"]);
});

test("a line that can be read twice asks for tabs", () => {
  expect(formatError("1 1\nA 1 2\nA 1 2 B 3\n")).toMatch(/pairs.txt:3: .*more than one reading.*use tabs/);
});

test("a list without folds: comment skipped, 3 or 4 columns, folds balanced, order within a kind kept", async () => {
  const people = Array.from({ length: 40 }, (_, k) => `P${k}`);
  const images = await makeImages(
    "free",
    people.flatMap((name) => [`${name}/${name}_0001.jpg`, `${name}/${name}_0002.jpg`]),
  );
  const lines = [
    ...people.map((name) => `${name}\t1\t2`),
    ...people.slice(0, 21).map((name, k) => `${name}\t1\t${people[k + 1]}\t2`),
  ];
  const pairs = await readPairs(await makeList("free.txt", `# 61 pairs\n${lines.join("\n")}\n`), images);
  expect(pairs.folds).toBe(10);
  expect(pairs.same.length).toBe(61);
  const perFold = contiguousFolds(61, 10).map(
    ({ start, end }) => pairs.same.subarray(start, end).filter((flag) => flag === 1).length,
  );
  expect(Math.min(...perFold)).toBeGreaterThanOrEqual(3);
  expect(Math.max(...perFold)).toBeLessThanOrEqual(5);
  const ofSame = [...pairs.first]
    .filter((_, k) => pairs.same[k] === 1)
    .map((image) => sourceName(pairs.images[image]!));
  expect(ofSame).toEqual(people.map((name) => join(images, `${name}/${name}_0001.jpg`)));
});

test("insightface pairs_label.txt: paths and flags, tabs when paths hold spaces, absolute paths as they are", async () => {
  const images = await makeImages("label", ["a/1.jpg", "a/2 x.jpg", "b.png"]);
  const text = `a/1.jpg\ta/2 x.jpg\t1\na/1.jpg\t${images}/b.png\t0\n`;
  const pairs = await readPairs(await makeList("pairs_label.txt", text), images);
  expect(pairs.images.map(sourceName)).toEqual(
    ["a/1.jpg", "a/2 x.jpg", "b.png"].map((name) => join(images, name)),
  );
  expect([...pairs.same]).toEqual([1, 0]);
});

test("one block of pairs (pairsDevTest.txt) gets ten folds", async () => {
  const images = await makeImages("dev", ["A/A_0001.jpg", "A/A_0002.jpg", "B/B_0001.jpg"]);
  const pairs = await readPairs(await makeList("dev.txt", "1\nA\t1\t2\nA\t1\tB\t1\n"), images);
  expect(pairs.folds).toBe(10);
  expect(pairs.same.length).toBe(2);
});

test("missing images: the count and the first few, in one error", async () => {
  const images = await makeImages("gaps", ["A/A_0001.jpg"]);
  const lines = ["A\t1\t2", "A\t1\t3", "A\t1\tB\t1", "C\t1\t2", "D\t1\t2"];
  const error = await errorOf(readPairs(await makeList("gaps.txt", lines.join("\n")), images));
  expect(error.code).toBe("E_DATA");
  expect(error.message).toContain("7 of 8 images are not under");
  expect(error.message).toContain("A/A_0002.jpg, A/A_0003.jpg, C/C_0001.jpg, C/C_0002.jpg, D/D_0001.jpg, …");
});

test("a list that is not there is E_FILE", async () => {
  const error = await errorOf(readPairs(join(root, "none.txt"), root));
  expect(error.code).toBe("E_FILE");
  expect(error.message).toContain("none.txt: cannot read the pair list (ENOENT)");
});

test("broken lists say the line, what was found and what was expected", () => {
  expect(formatError("# only a comment\n")).toBe("pairs.txt: the pair list is empty");
  expect(formatError("10\t300\nA\t1\t2\n")).toContain("announces 10 x 2 x 300 = 6000 pairs, found 1");
  expect(formatError("1\t1\nA\t1\t2\nA\t1\tB\n")).toBe(
    'pairs.txt:3: "A\t1\tB": expected "name1<TAB>n1<TAB>name2<TAB>n2" (a pair of two people)',
  );
  expect(formatError("1\t1\nA\t1\tB\t2\nA\t1\tB\t1\n")).toContain("pairs.txt:2:");
  expect(formatError("A\t1\t2\nA\tone\t2\n")).toContain(
    'pairs.txt:2: "A\tone\t2": expected "name<TAB>n1<TAB>n2" or',
  );
  expect(formatError("A\t1\tA\t2\n")).toContain('a pair of two people, but both are "A"');
  expect(formatError("a.jpg b.jpg 1\na.jpg c.jpg 2\n")).toContain('pairs.txt:2: "a.jpg c.jpg 2": expected');
  expect(() => parsePairs("ten folds", "pairs.txt", { format: "lfw" })).toThrow('first line "ten folds"');
});

test("an image paired with itself and contradictory lines are refused; a repeated pair counts twice", async () => {
  const images = await makeImages("twice", ["a.jpg", "b.jpg"]);
  const itself = await errorOf(readPairs(await makeList("self.txt", "a.jpg a.jpg 1\n"), images));
  expect(itself.message).toContain('self.txt:1: "a.jpg" is paired with itself');
  const both = await errorOf(readPairs(await makeList("both.txt", "a.jpg b.jpg 1\nb.jpg a.jpg 0\n"), images));
  expect(both.message).toContain("called same on line 1 and different on line 2");
  const repeated = await readPairs(await makeList("rep.txt", "a.jpg b.jpg 1\nb.jpg a.jpg 1\n"), images);
  expect([...repeated.first, ...repeated.second]).toEqual([0, 1, 1, 0]);
  expect(repeated.warnings).toEqual([
    `${join(root, "rep.txt")}: a pair that is listed twice counts twice (line 2 repeats line 1)`,
  ]);
});

test("any text gives pairs or a TopofrError, never another exception", () => {
  const word = fc.constantFrom("A", "1", "2", "10", "\t", " ", "\n", "x/y.jpg", "#", "0", "-1", "é");
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (words) => {
      try {
        parsePairs(words.join(""), "pairs.txt");
      } catch (error) {
        expect(error).toBeInstanceOf(TopofrError);
      }
    }),
    { seed: 21, numRuns: 500 },
  );
});
