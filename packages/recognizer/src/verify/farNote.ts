// When a false accept rate is too low for the pairs at hand.

/** Fewer expected false accepts than this and the rate is mostly chance. */
export const MINIMUM_FALSE_ACCEPTS = 10;

/** A caution when so few pairs of two people exist that a FAR can hardly be measured on them, else null. */
export function farNote(far: number, impostors: number): string | null {
  const expected = far * impostors;
  // A relative margin keeps 0.1·100 pairs, and the like, on the measurable side of rounding.
  if (expected >= MINIMUM_FALSE_ACCEPTS * (1 - 1e-9)) return null;
  return (
    `FAR ${far} of ${impostors} different pairs: ${Number(expected.toPrecision(2))} false accepts expected, ` +
    `${MINIMUM_FALSE_ACCEPTS} needed for a steady number`
  );
}
