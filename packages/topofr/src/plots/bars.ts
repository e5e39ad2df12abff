// What the figures of diagrams of any degree share: checked points, the range of scales, and what is left undrawn.

import { TopofrError } from "@topofr/formats";
import type { DiagramSeries } from "./diagramSeries.js";
import { seriesStyle } from "./theme.js";

export interface Bar {
  readonly birth: number;
  /** Infinity for a class that never dies. */
  readonly death: number;
}

export interface BarSeries {
  readonly name: string;
  readonly color: string;
  readonly bars: readonly Bar[];
}

/** @throws TopofrError `E_USAGE` for a NaN, an infinite birth, or a death before the birth. */
export function barSeries(series: readonly DiagramSeries[]): BarSeries[] {
  return series.map(({ name, diagram }, index) => ({
    name,
    color: seriesStyle(index).color,
    bars: Array.from(diagram.births, (birth, k) => {
      const death = diagram.deaths[k]!;
      if (!Number.isFinite(birth) || !(death >= birth)) {
        throw new TopofrError(
          "E_USAGE",
          `diagram "${name}": point ${k} is (${birth}, ${death}); a finite birth and a death no earlier expected`,
        );
      }
      return { birth, death };
    }),
  }));
}

/** Smallest and largest finite scale; 0 is inside, and the two differ. */
export function scaleRange(series: readonly BarSeries[]): [low: number, high: number] {
  let [low, high] = [0, 0];
  for (const { bars } of series) {
    for (const { birth, death } of bars) {
      low = Math.min(low, birth);
      high = Math.max(high, birth, death < Infinity ? death : birth);
    }
  }
  return low === high ? [low, low + 1] : [low, high];
}
