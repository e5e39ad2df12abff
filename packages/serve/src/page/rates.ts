// What a threshold means, in words. No DOM: tested in Node.

/** A threshold that an evaluation measured; as in GET /v1/model. */
export interface Rate {
  /** Cosine. */
  threshold: number;
  /** Share of pairs of two people that are accepted. */
  far: number;
  /** Share of pairs of one person that are accepted. */
  tar: number;
}

/** Without an evaluation and without a threshold of the server: where the slider begins. */
export const FIRST_THRESHOLD = 0.35;

/** 0.001 as "1 in 1,000", 0.25 as "25 %"; two digits, for more is not known of a rate. */
export function inWords(share: number): string {
  if (share === 0) return "none";
  if (share > 0.2) return `${Math.round(100 * share)} %`;
  return `1 in ${Number((1 / share).toPrecision(2)).toLocaleString("en")}`;
}

/**
 * What to expect of `threshold`: between the measured thresholds that enclose it the false accept rate lies between theirs, since it
 * only falls as the threshold rises.
 */
export function describeThreshold(threshold: number, rates: readonly Rate[]): string {
  if (rates.length === 0)
    return "What this threshold means is not known: the server was started without an evaluation of its model.";
  const sorted = [...rates].sort((a, b) => a.threshold - b.threshold);
  const below = sorted.findLast((rate) => rate.threshold <= threshold);
  const above = sorted.find((rate) => rate.threshold > threshold);
  const mistaken = "pairs of different people would be taken for the same person";
  const found = ({ tar }: Rate, word: string) =>
    `; ${word} ${(100 * tar).toFixed(1)} % of the pairs of one person are recognised`;
  if (below === undefined)
    return `More than ${inWords(above!.far)} ${mistaken}${found(above!, "more than")}.`;
  if (below.threshold === threshold) return `${inWords(below.far)} ${mistaken}${found(below, "and")}.`;
  if (above === undefined) return `At most ${inWords(below.far)} ${mistaken}${found(below, "at most")}.`;
  return `Between ${inWords(above.far)} and ${inWords(below.far)} ${mistaken}${found(above, "at least")}.`;
}

/** The threshold nearest to a position of the slider, so that measured ones can be hit. */
export function snap(threshold: number, rates: readonly Rate[], step: number): number {
  const near = rates.find((rate) => Math.abs(rate.threshold - threshold) < step / 2);
  return near?.threshold ?? threshold;
}
