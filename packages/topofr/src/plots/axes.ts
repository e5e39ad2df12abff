// Axes, grid and scale domains in the house style; every panel uses these.

import * as Plot from "@observablehq/plot";
import { shortNumber } from "./format.js";
import { FRAME, GRID, LABEL_SIZE, MUTED_INK, TICK_SIZE } from "./theme.js";

export interface AxisOptions {
  readonly label: string;
  /** Tick positions, or about how many. */
  readonly ticks?: number | readonly number[];
  readonly format?: (value: number) => string;
}

/** The horizontal axis at the bottom, its label centred below. */
export function xAxis({ label, ticks = 6, format = shortNumber }: AxisOptions): Plot.Markish[] {
  return [
    Plot.axisX({ ...TICKS, ticks: ticks as number, tickFormat: format, label: null }),
    Plot.axisX({ ...LABEL, label, labelAnchor: "center", labelOffset: 38 }),
  ];
}

/** The vertical axis at the left, its label above it, written horizontally. */
export function yAxis({ label, ticks = 5, format = shortNumber }: AxisOptions): Plot.Markish[] {
  return [
    Plot.axisY({ ...TICKS, ticks: ticks as number, tickFormat: format, label: null, tickSize: 0 }),
    Plot.axisY({ ...LABEL, label, labelAnchor: "top", labelOffset: 54 }),
    Plot.gridY({ ticks: ticks as number, stroke: GRID, strokeOpacity: 1 }),
  ];
}

const TICKS = { fill: MUTED_INK, stroke: FRAME, fontSize: TICK_SIZE, tickSize: 4 };
const LABEL = { ticks: [], fontSize: LABEL_SIZE, labelArrow: "none" } as const;

/** The line along the bottom of the axes. */
export const baseline = (): Plot.Markish => Plot.frame({ anchor: "bottom", stroke: FRAME });

/** Smallest interval that holds the finite values, with room around it; `[0, 1]` when there are none. */
export function linearDomain(values: Iterable<number>): [number, number] {
  const [low, high] = extent(values, Number.isFinite);
  if (low > high) return [0, 1];
  const room = low === high ? Math.max(Math.abs(low) * 0.1, 1e-12) : (high - low) * 0.05;
  // Room below must not suggest that a quantity which cannot be negative were.
  return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
}

/** The same for a logarithmic axis, over the positive values; `[0.1, 1]` when there are none. */
export function logDomain(values: Iterable<number>): [number, number] {
  const [low, high] = extent(values, (value) => value > 0 && value < Infinity);
  if (low > high) return [0.1, 1];
  return [low / 1.2, high * 1.2];
}

/** Ticks at the powers of ten of an interval; at 1, 2 and 5 times these, or at round numbers, when it is narrow. */
export function logTicks([low, high]: readonly [number, number]): number[] {
  const powers: number[] = [];
  for (let k = Math.floor(Math.log10(low)); k <= Math.ceil(Math.log10(high)); k++)
    powers.push(Number(`1e${k}`));
  const inside = (value: number) => value >= low && value <= high;
  const decades = powers.filter(inside);
  if (decades.length >= 2) return decades;
  const finer = powers.flatMap((power) => [power, 2 * power, 5 * power]).filter(inside);
  return finer.length >= 3 ? finer : roundTicks(low, high, 5);
}

/** Round numbers from `low` to `high`, about `count` of them. */
export function roundTicks(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low];
  const raw = (high - low) / count;
  const exponent = Math.floor(Math.log10(raw));
  const leading = raw / 10 ** exponent;
  const mantissa = leading < Math.SQRT2 ? 1 : leading < Math.sqrt(10) ? 2 : leading < Math.sqrt(50) ? 5 : 10;
  // Whole multiples divided or multiplied by a whole power of ten, so that 0.3 is 0.3.
  const multiple = (k: number) =>
    exponent < 0 ? (k * mantissa) / 10 ** -exponent : k * mantissa * 10 ** exponent;
  const first = Math.ceil(low / multiple(1) - 1e-9);
  const last = Math.floor(high / multiple(1) + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) => multiple(first + k));
}

function extent(values: Iterable<number>, wanted: (value: number) => boolean): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!wanted(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}
