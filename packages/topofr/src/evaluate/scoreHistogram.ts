// Counts of cosine scores in bins as fine as a float32 product, in bounded memory whatever the number of pairs; from them the curve that
// roc.ts reads. Where the scores come from: groupScores.ts.

import type { Counts, RocCurve } from "./roc.js";

/** Bins per unit of score. float32 numbers of magnitude 1/2 to 1 lie 2^-24 apart, and products of 512 factors round by more. */
const BINS_PER_UNIT = 2 ** 24;
/** Room for the rounding of a product of two unit vectors. */
const LOWEST_SCORE = -1 - 2 ** -10;
const BINS = 2 * -LOWEST_SCORE * BINS_PER_UNIT;
/** Bins are cleared, added and read a page at a time, and only pages in use. */
const PAGE_BITS = 8;
const PAGE = 2 ** PAGE_BITS;
const PAGES = Math.ceil(BINS / PAGE);
/** A uint32 bin cannot overflow before this many pairs. */
const MOST_IN_A_BIN = 2 ** 32 - 1;

/** Genuine and impostor pairs per bin. About 270 MB of address space, of which only what scores fall on takes memory. */
export class ScoreHistogram {
  readonly genuine = new BinCounts();
  readonly impostor = new BinCounts();

  /**
   * Counts the pairs of one image and the columns from `from` on: scores[start + c] is that of column c, from -1 to 1 but for rounding,
   * and the pair is genuine when columnIds[c] is `id`.
   */
  add(scores: Float32Array, start: number, columnIds: Int32Array, from: number, id: number): void {
    const pairs = columnIds.length - from;
    this.genuine.reserve(pairs);
    this.impostor.reserve(pairs);
    const { bins: own, used: ownUsed } = this.genuine;
    const { bins: other, used: otherUsed } = this.impostor;
    let genuines = 0;
    for (let c = from; c < columnIds.length; c++) {
      const bin = ((scores[start + c]! - LOWEST_SCORE) * BINS_PER_UNIT) | 0;
      if (columnIds[c] === id) {
        own[bin]! += 1;
        ownUsed[bin >>> PAGE_BITS] = 1;
        genuines += 1;
      } else {
        other[bin]! += 1;
        otherUsed[bin >>> PAGE_BITS] = 1;
      }
    }
    this.genuine.added(genuines);
    this.impostor.added(pairs - genuines);
  }

  /** The curve with a point for every bin in use; the threshold is the bin's lower end. Null when a kind of pair is missing. */
  curve(): RocCurve | null {
    const genuines = this.genuine.total;
    const impostors = this.impostor.total;
    if (genuines === 0 || impostors === 0) return null;
    const own = this.genuine.counts();
    const other = this.impostor.counts();
    const pages: number[] = []; // from strict to lenient
    for (let page = PAGES - 1; page >= 0; page--) {
      if (this.genuine.used[page] !== 0 || this.impostor.used[page] !== 0) pages.push(page);
    }
    let points = 1;
    for (const page of pages) {
      for (let b = page * PAGE; b < (page + 1) * PAGE; b++) if (own[b]! > 0 || other[b]! > 0) points += 1;
    }
    const thresholds = new Float64Array(points);
    const Values = genuines + impostors > MOST_IN_A_BIN ? Float64Array : Uint32Array;
    const trueAccepts: Counts = new Values(points);
    const falseAccepts: Counts = new Values(points);
    thresholds[0] = Number.POSITIVE_INFINITY;
    let k = 1;
    for (const page of pages) {
      for (let b = (page + 1) * PAGE - 1; b >= page * PAGE; b--) {
        if (!(own[b]! > 0 || other[b]! > 0)) continue;
        thresholds[k] = LOWEST_SCORE + b / BINS_PER_UNIT;
        trueAccepts[k] = trueAccepts[k - 1]! + own[b]!;
        falseAccepts[k] = falseAccepts[k - 1]! + other[b]!;
        k += 1;
      }
    }
    return { thresholds, trueAccepts, falseAccepts, genuines, impostors };
  }

  /** Adds the counts of `source` and empties it. */
  take(source: ScoreHistogram): void {
    this.genuine.take(source.genuine);
    this.impostor.take(source.impostor);
  }

  clear(): void {
    this.genuine.clear();
    this.impostor.clear();
  }
}

/** Pairs per bin of one kind. Whoever counts into `bins` reserves first, marks the page, and tells how many there were. */
export class BinCounts {
  readonly bins = new Uint32Array(PAGES * PAGE);
  /** 1 for a page of `bins` that may hold counts; the page of a bin is bin >>> PAGE_BITS. */
  readonly used = new Uint8Array(PAGES);
  /** Pairs counted in all. */
  total = 0;
  /** Pairs in `bins` since they were last emptied into `large`. */
  private pending = 0;
  private large: Float64Array | null = null;

  /** Announces that at most `pairs` are counted before the next call, so that no bin overflows. */
  reserve(pairs: number): void {
    if (this.pending + pairs > MOST_IN_A_BIN) this.spill();
  }

  added(pairs: number): void {
    this.pending += pairs;
    this.total += pairs;
  }

  /** All counts, bin by bin. */
  counts(): Counts {
    if (this.large === null) return this.bins;
    this.spill();
    return this.large;
  }

  take(source: BinCounts): void {
    const counts = source.counts();
    if (source.large === null) this.reserve(source.total);
    else this.spill();
    const target = source.large === null ? this.bins : this.large!;
    source.used.forEach((isUsed, page) => {
      if (isUsed === 0) return;
      this.used[page] = 1;
      for (let b = page * PAGE; b < (page + 1) * PAGE; b++) target[b]! += counts[b]!;
    });
    this.total += source.total;
    if (source.large === null) this.pending += source.total;
    source.clear();
  }

  clear(): void {
    this.used.forEach((isUsed, page) => {
      if (isUsed !== 0) this.bins.fill(0, page * PAGE, (page + 1) * PAGE);
    });
    this.used.fill(0);
    this.large = null;
    this.pending = 0;
    this.total = 0;
  }

  private spill(): void {
    this.large ??= new Float64Array(PAGES * PAGE);
    const { large } = this;
    this.used.forEach((isUsed, page) => {
      if (isUsed === 0) return;
      for (let b = page * PAGE; b < (page + 1) * PAGE; b++) large[b]! += this.bins[b]!;
      this.bins.fill(0, page * PAGE, (page + 1) * PAGE);
    });
    this.pending = 0;
  }
}
