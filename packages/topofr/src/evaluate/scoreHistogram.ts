// Counts of cosine scores in bins as fine as a float32 product, in bounded memory whatever the number of pairs; from them the curve that
// roc.ts reads. Where the scores come from: groupScores.ts.
//
// Every score is counted in a page, and in a bin of it. A count in a bin is a cache miss, so impostors that cannot matter are left out of
// the bins: once more of them than the largest FAR allows score at least f, every threshold of interest lies above f, and the pages below
// f need no bins. That is exact, not an estimate, because counts only grow.

import type { RocCurve } from "./roc.js";

/** Bins per unit of score. float32 numbers of magnitude 1/2 to 1 lie 2^-24 apart, and products of 512 factors round by more. */
const BINS_PER_UNIT = 2 ** 24;
/** Room for the rounding of a product of two unit vectors. */
const LOWEST_SCORE = -1 - 2 ** -10;
const PAGE_BITS = 12;
/** Bins of a page: 1/4096 of score. */
const PAGE = 2 ** PAGE_BITS;
const PAGES = Math.ceil((2 * -LOWEST_SCORE * BINS_PER_UNIT) / PAGE);
/** Up to so many pairs every score is counted in a bin. */
const FEW_PAIRS = 2 ** 22;
/** A uint32 count cannot overflow before this many pairs. */
const MOST_IN_A_BIN = 2 ** 32 - 1;

/** Genuine and impostor pairs by score. About 270 MB of address space, of which only what scores fall on takes memory. */
export class ScoreHistogram {
  readonly genuine = new BinCounts();
  readonly impostor = new BinCounts();
  /** Impostors of lower pages are not in bins. */
  private floorPage = 0;
  /** Impostors that the largest FAR allows. */
  private allowed = Number.POSITIVE_INFINITY;

  /**
   * Empties it, for `pairs` pairs at most whose curve is read at FARs up to `largestFar`. The curve's points are exact up to there; beyond,
   * and for more than four million pairs, they lie 1/4096 of score apart.
   */
  reset(pairs: number, largestFar: number): void {
    this.genuine.clear();
    this.impostor.clear();
    this.floorPage = 0;
    this.allowed = pairs > FEW_PAIRS ? pairs * largestFar : Number.POSITIVE_INFINITY;
  }

  /**
   * Counts the pairs of one image and the columns from `from` on: scores[start + c] is that of column c, from -1 to 1 but for rounding,
   * and the pair is genuine when columnIds[c] is `id`.
   */
  add(scores: Float32Array, start: number, columnIds: Int32Array, from: number, id: number): void {
    const pairs = columnIds.length - from;
    this.genuine.reserve(pairs);
    this.impostor.reserve(pairs);
    const { bins: ownBins, pages: ownPages } = this.genuine;
    const { bins: otherBins, pages: otherPages } = this.impostor;
    const floor = this.floorPage * PAGE;
    let genuines = 0;
    for (let c = from; c < columnIds.length; c++) {
      const bin = ((scores[start + c]! - LOWEST_SCORE) * BINS_PER_UNIT) | 0;
      if (columnIds[c] === id) {
        ownPages[bin >>> PAGE_BITS]! += 1;
        ownBins[bin]! += 1;
        genuines += 1;
      } else {
        otherPages[bin >>> PAGE_BITS]! += 1;
        if (bin >= floor) otherBins[bin]! += 1;
      }
    }
    this.genuine.added(genuines);
    this.impostor.added(pairs - genuines);
  }

  /** Leaves out the pages that cannot matter any more; worth a call every few thousand pairs. */
  raiseFloor(): void {
    let above = 0;
    for (let page = PAGES - 1; page > this.floorPage; page--) {
      above += this.impostor.inPage(page);
      if (above > this.allowed) {
        this.floorPage = page;
        return;
      }
    }
  }

  /** The curve with a point for every bin or page in use; the threshold is its lower end. Null when a kind of pair is missing. */
  curve(): RocCurve | null {
    const genuines = this.genuine.total;
    const impostors = this.impostor.total;
    if (genuines === 0 || impostors === 0) return null;
    const thresholds: number[] = [Number.POSITIVE_INFINITY];
    const trueAccepts: number[] = [0];
    const falseAccepts: number[] = [0];
    const point = (bin: number, own: number, other: number) => {
      if (own === 0 && other === 0) return;
      thresholds.push(LOWEST_SCORE + bin / BINS_PER_UNIT);
      trueAccepts.push(trueAccepts.at(-1)! + own);
      falseAccepts.push(falseAccepts.at(-1)! + other);
    };
    for (let page = PAGES - 1; page >= 0; page--) {
      const own = this.genuine.inPage(page);
      const other = this.impostor.inPage(page);
      if (own === 0 && other === 0) continue;
      if (page < this.floorPage) point(page * PAGE, own, other);
      else {
        for (let bin = (page + 1) * PAGE - 1; bin >= page * PAGE; bin--) {
          point(bin, this.genuine.inBin(bin), this.impostor.inBin(bin));
        }
      }
    }
    const Values = genuines + impostors > MOST_IN_A_BIN ? Float64Array : Uint32Array;
    return {
      thresholds: Float64Array.from(thresholds),
      trueAccepts: Values.from(trueAccepts),
      falseAccepts: Values.from(falseAccepts),
      genuines,
      impostors,
    };
  }
}

/** Pairs of one kind per bin and page. Whoever counts into `bins` and `pages` reserves first and tells how many there were. */
export class BinCounts {
  readonly bins = new Uint32Array(PAGES * PAGE);
  readonly pages = new Uint32Array(PAGES);
  /** Pairs counted in all. */
  total = 0;
  /** Pairs in `bins` and `pages` since they were last emptied into `large`. */
  private pending = 0;
  private large: { bins: Float64Array; pages: Float64Array } | null = null;

  /** Announces that at most `pairs` are counted before the next call, so that no count overflows. */
  reserve(pairs: number): void {
    if (this.pending + pairs > MOST_IN_A_BIN) this.spill();
  }

  added(pairs: number): void {
    this.pending += pairs;
    this.total += pairs;
  }

  inPage(page: number): number {
    return this.pages[page]! + (this.large?.pages[page] ?? 0);
  }

  inBin(bin: number): number {
    return this.bins[bin]! + (this.large?.bins[bin] ?? 0);
  }

  clear(): void {
    this.emptyInto(null);
    this.large = null;
    this.total = 0;
  }

  private spill(): void {
    this.large ??= { bins: new Float64Array(PAGES * PAGE), pages: new Float64Array(PAGES) };
    this.emptyInto(this.large);
  }

  private emptyInto(target: { bins: Float64Array; pages: Float64Array } | null): void {
    for (let page = 0; page < PAGES; page++) {
      if (this.pages[page] === 0) continue;
      if (target !== null) {
        target.pages[page]! += this.pages[page]!;
        for (let bin = page * PAGE; bin < (page + 1) * PAGE; bin++) target.bins[bin]! += this.bins[bin]!;
      }
      this.pages[page] = 0;
      this.bins.fill(0, page * PAGE, (page + 1) * PAGE);
    }
    this.pending = 0;
  }
}
