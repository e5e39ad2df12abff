import { expect, test } from "vitest";
import { sortScores } from "./sortScores.js";

test("the order is that of the typed array's sort, at every size and offset, with ties and both signs", () => {
  for (const count of [0, 1, 5, 16_383, 16_384, 70_000]) {
    const buffer = new Float32Array(count + 3).fill(7);
    const scores = buffer.subarray(1, count + 1);
    for (let k = 0; k < count; k++) scores[k] = Math.sin(k * 12.9898) * 10 ** ((k % 9) - 4);
    scores.set([0, 1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1, -1e-45, 3.4e38].slice(0, count));
    const expected = scores.slice().sort();
    sortScores(scores);
    expect(scores).toEqual(expected);
    expect([buffer[0], buffer[count + 1], buffer[count + 2]]).toEqual([7, 7, 7]);
  }
  const wide = Float64Array.of(3, -1, 2);
  sortScores(wide);
  expect([...wide]).toEqual([-1, 2, 3]);
});
