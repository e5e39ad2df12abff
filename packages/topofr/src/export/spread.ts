// Which images stand for all of a set.

/** Places of `count` items spread evenly over `total`; with `offset` 0.5 between those of offset 0. All, when there are fewer. */
export function spread(total: number, count: number, offset = 0): number[] {
  const taken = Math.min(total, count);
  return Array.from({ length: taken }, (_, i) => Math.floor(((i + offset) * total) / taken));
}
