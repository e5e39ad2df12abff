// What parity cases share: the form of a recorded array, and comparisons that say what differs and by how
// much. Throws plain errors, so that cases do not depend on a test runner.

import { z } from "zod";

/** `{"shape": [...], "data": [...]}`, row-major. */
export const recordedArray = z
  .strictObject({ shape: z.array(z.int().nonnegative()), data: z.array(z.number()) })
  .refine(({ shape, data }) => shape.reduce((product, size) => product * size, 1) === data.length, {
    message: "the data does not have the shape's number of elements",
  });

export type RecordedArray = z.infer<typeof recordedArray>;

/** `value` as the schema says, or an error that names the file and every wrong key. */
export function parseCase<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  name: string,
): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Error(`${name} does not have the form of its kind of case:\n${z.prettifyError(result.error)}`);
}

/** Throws unless `actual` is within `relative`·|expected| of `expected`. */
export function expectClose(what: string, actual: number, expected: number, relative: number): void {
  const error = Math.abs(actual - expected);
  if (error <= relative * Math.abs(expected)) return;
  throw new Error(`${what}: ${actual}, recorded ${expected}, relative error ${error / Math.abs(expected)}`);
}

/** Throws unless `actual` is within `absolute` of `expected`. */
export function expectNear(what: string, actual: number, expected: number, absolute: number): void {
  if (Math.abs(actual - expected) <= absolute) return;
  throw new Error(`${what}: ${actual}, recorded ${expected}`);
}

/**
 * Throws unless no element differs by more than `relative` times the largest recorded magnitude. (Relative
 * to its own magnitude would ask for more digits of an element near zero than float32 sums have.)
 */
export function expectArrayClose(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  relative: number,
): void {
  if (actual.length !== expected.length) {
    throw new Error(`${what}: ${actual.length} elements, recorded ${expected.length}`);
  }
  let largest = 0;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(expected[i]!));
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    if (error <= relative * largest) continue;
    throw new Error(
      `${what}: element ${i} is ${actual[i]}, recorded ${expected[i]}; ` +
        `the error is ${error / largest} of the largest recorded magnitude, ${largest}`,
    );
  }
}

/** Throws unless both have the same elements in the same order. */
export function expectSame(what: string, actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  if (actual.length !== expected.length) {
    throw new Error(`${what}: ${actual.length} elements, recorded ${expected.length}`);
  }
  for (let i = 0; i < expected.length; i++) {
    if (actual[i] === expected[i]) continue;
    throw new Error(`${what}: element ${i} is ${actual[i]}, recorded ${expected[i]}`);
  }
}
