import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { temporaryFolder, write } from "./images.test.support.js";
import { parseLandmarkLine, readLandmarkFile } from "./landmarkFile.js";

const root = temporaryFolder();
afterAll(() => root.remove());
const POINTS = [46.06, 62.026, 87.785, 60.323, 68.851, 77.656, 52.162, 99.875, 86.45, 98.648];
const TEXT = POINTS.join(" ");

test.each([
  ["spaces", `a/1.jpg ${TEXT}`, "a/1.jpg"],
  ["IJB, with a score", `1.jpg ${TEXT} 0.999`, "1.jpg"],
  ["tabs", `a b/1.jpg\t${POINTS.join("\t")}`, "a b/1.jpg"],
  ["commas", `./a/1.jpg, ${POINTS.join(", ")}`, "a/1.jpg"],
  ["a path with spaces and numbers", `Ann 7/2 3.jpg ${TEXT}`, "Ann 7/2 3.jpg"],
  ["backslashes", `a\\1.jpg ${TEXT}`, "a/1.jpg"],
  ["JSON", JSON.stringify({ path: "a/1.jpg", landmarks: POINTS, score: 1 }), "a/1.jpg"],
  [
    "JSON, point by point",
    JSON.stringify({ path: "1.jpg", landmarks: [0, 2, 4, 6, 8].map((i) => POINTS.slice(i, i + 2)) }),
    "1.jpg",
  ],
])("a line with %s", (_, line, path) => {
  expect(parseLandmarkLine(line)).toEqual({ path, landmarks: POINTS });
});

test.each([
  [`a.jpg ${POINTS.slice(1).join(" ")}`, /found 9 numbers at the end/],
  [`a.jpg 1 2 3 ${TEXT}`, /found 13 numbers/],
  [`a.jpg nan ${POINTS.slice(1).join(" ")}`, /a coordinate that is no number/],
  [`a.jpg${" 5".repeat(10)}`, /all five points are in one place/],
  ['{"path": "a.jpg", "landmarks": [1, 2]}', /expected .* found/],
  ['{"path": "a.jpg"', /broken JSON/],
  [`{"path": 1, "landmarks": [${POINTS}]}`, /expected/],
  ["x".repeat(20_000), /a line of 20000 characters/],
])("%j cannot be used", (line, message) => {
  expect(parseLandmarkLine(line)).toMatch(message);
});

test("invalid lines and duplicates are named with their numbers, and the first of two counts", async () => {
  const path = write(
    join(root.path, "l.txt"),
    `# x y\n\na.jpg ${TEXT}\nb.jpg 1 2\nc.jpg ${TEXT}\r\n./a.jpg ${POINTS.map((x) => x + 1).join(" ")}\n`,
  );
  const { byPath, invalid, duplicates } = await readLandmarkFile(path);
  expect([...byPath.keys()]).toEqual(["a.jpg", "c.jpg"]);
  expect(byPath.get("a.jpg")).toEqual(POINTS);
  expect(invalid).toEqual([expect.stringMatching(/l.txt:4: expected "path x1 y1/)]);
  expect(duplicates).toEqual([expect.stringMatching(/l.txt:6: a.jpg is on line 3 already/)]);
});

test("a file without any usable line is an error", async () => {
  const empty = write(join(root.path, "empty.txt"), "");
  await expect(readLandmarkFile(empty)).rejects.toMatchObject({
    code: "E_FORMAT",
    message: expect.stringMatching(/is empty/),
  });
  await expect(readLandmarkFile(join(root.path, "none.txt"))).rejects.toMatchObject({ code: "E_FILE" });
});

test("any text gives landmarks or a reason", () => {
  const line = fc.oneof(
    fc.string({ unit: "binary" }),
    fc
      .array(fc.constantFrom("a.jpg", "1", "-2.5", "nan", "1e9", ",", "\t", " ", "{", '"path":', "[", "]"), {
        maxLength: 30,
      })
      .map((words) => words.join(" ")),
    fc.json(),
  );
  fc.assert(
    fc.property(line, (text) => {
      const found = parseLandmarkLine(text);
      if (typeof found !== "string")
        expect(found.landmarks.every((value) => Number.isFinite(value))).toBe(true);
    }),
    { seed: 4, numRuns: 500 },
  );
});
