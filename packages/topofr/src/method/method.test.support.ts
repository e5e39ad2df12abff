// What the method's tests share: numbers of tensors, and derivatives by differences. The name keeps it out of the published
// package.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { liveTensors, noGrad, scope, type Tensor, tensor } from "@topofr/torch";

export const numbers = (value: Tensor): number[] => Array.from(value.toTypedArray(), Number);

/** A [rows, columns] matrix in float64, so that differences have digits left. */
export const float64 = (
  data: readonly number[] | readonly (readonly number[])[],
  options: { requiresGrad?: boolean } = {},
): Tensor => tensor(data as number[], { dtype: "float64", ...options });

export const classLabels = (labels: readonly number[]): Tensor => tensor(BigInt64Array.from(labels, BigInt));

/** The gradient of a scalar function at a matrix, by autograd. */
export function gradientAt(at: readonly (readonly number[])[], scalar: (x: Tensor) => Tensor): number[] {
  return scope(() => {
    const x = float64(at, { requiresGrad: true });
    scalar(x).backward();
    return numbers(x.grad!);
  });
}

/** The same by central differences. */
export function differencesAt(
  at: readonly (readonly number[])[],
  scalar: (x: Tensor) => Tensor,
  step = 1e-5,
): number[] {
  const valueAt = (row: number, column: number, change: number) =>
    noGrad(() =>
      scope(() => {
        const moved = at.map((values) => [...values]);
        moved[row]![column]! += change;
        return scalar(float64(moved)).item();
      }),
    );
  return at.flatMap((values, row) =>
    values.map((_, column) => (valueAt(row, column, step) - valueAt(row, column, -step)) / (2 * step)),
  );
}

/** Largest |a - b|, relative to the largest |b| (or 1). */
export function relativeError(actual: readonly number[], expected: readonly number[]): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  const scale = Math.max(1, ...expected.map(Math.abs));
  const errors = actual.map((value, i) => Math.abs(value - expected[i]!) / scale);
  return errors.some(Number.isNaN) ? Number.NaN : Math.max(0, ...errors);
}

/** Live tensors once those that other tests dropped are collected, so that none of them can vanish during a count. */
export async function settledLiveTensors(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let round = 0; round < 2; round++) {
    collect();
    await new Promise(setImmediate); // finalizers run between two turns
  }
  return liveTensors();
}
