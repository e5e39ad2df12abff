// ROC curves over a logarithmic false accept rate, the form in which face verification is reported.

import * as Plot from "@observablehq/plot";
import { baseline, xAxis, yAxis } from "./axes.js";
import { CONTENT_WIDTH, composeFigure, drawPanel, emptyPanel } from "./figure.js";
import { percent, powerOfTen, shortNumber } from "./format.js";
import { lineLegend } from "./lineChart.js";
import { MUTED_INK, NOTE_SIZE, SHADE, seriesStyle } from "./theme.js";

export interface RocSeries {
  readonly name: string;
  /** False accept rate and true accept rate, both 0 to 1, at any number of thresholds. */
  readonly points: readonly { readonly far: number; readonly tar: number }[];
  /** Pairs of different people behind the curve; the smallest positive FAR tells when it is not given. */
  readonly impostors?: number;
}

/** Leftmost FAR unless a curve has impostors enough to go further. */
const LOWEST_FAR = 1e-4;

/** Below this many expected false accepts a rate is mostly chance: relative standard error above 30%. */
const RELIABLE_ACCEPTS = 10;

/** Where the vertical axis may begin: the highest of these below all curves, so that good models can be told apart. */
const AXIS_STARTS = [0, 0.5, 0.8, 0.9, 0.95, 0.98];

/**
 * TAR over FAR from 10⁻⁴ (lower when 10 false accepts are expected there) to 1, as the step functions that they are, with the
 * chance line. The region where not even one impostor pair fits is shaded; a curve with fewer impostor pairs than another begins
 * where one fits, and notes give the FAR from which each can be trusted. The vertical axis begins above 0 when all curves do.
 */
export function rocPlot(
  series: readonly RocSeries[],
  { title = "ROC: verification of unseen pairs" }: { title?: string } = {},
): string {
  const curves = series.map((one) => ({ ...one, points: cleaned(one), impostors: impostorsOf(one) }));
  const found = curves.filter(({ points }) => points.length > 0);
  const notes = curves.flatMap(({ name, points }, k) => {
    const dropped = series[k]!.points.length - points.length;
    if (points.length === 0) return [`${name}: no points.`];
    return dropped > 0 ? [`${name}: ${shortNumber(dropped)} points with rates outside 0 to 1 left out.`] : [];
  });
  if (found.length === 0) {
    return composeFigure({ title, rows: [[emptyPanel(CONTENT_WIDTH, 240, "no points to draw")]], notes });
  }
  const most = found.reduce((largest, { impostors }) => Math.max(largest, impostors), 0);
  const lowest = Math.min(LOWEST_FAR, 10 ** Math.ceil(Math.log10(RELIABLE_ACCEPTS / most)));
  const drawn = found.map(({ name, points, impostors }) => {
    const start = impostors < most ? Math.max(lowest, 1 / impostors) : lowest;
    return { name, impostors, steps: asSteps(points, start, lowest) };
  });
  const floor = Math.min(...drawn.map(({ steps }) => steps[0]![1]));
  const bottom = AXIS_STARTS.findLast((value) => value === 0 || value < floor)!;
  const panel = drawPanel({
    width: CONTENT_WIDTH,
    height: 380,
    x: { type: "log", domain: [lowest, 1] },
    y: { domain: [bottom, 1] },
    marks: [
      shadedBelow(1 / most, { lowest, bottom }),
      yAxis({ label: "true accept rate (TAR)", ticks: 6, format: percent }),
      Plot.gridX(decades(lowest), { stroke: "#eceff2", strokeOpacity: 1 }),
      xAxis({ label: "false accept rate (FAR)", ticks: decades(lowest), format: powerOfTen }),
      baseline(),
      ...(bottom === 0 ? chanceMarks(lowest) : []),
      ...drawn.map(({ steps }, index) =>
        Plot.line(steps, {
          stroke: seriesStyle(index).color,
          strokeDasharray: seriesStyle(index).dash,
          strokeWidth: 2,
          curve: "step-after",
        }),
      ),
    ],
  });
  return composeFigure({
    title,
    legend: drawn.map(({ name }, index) => lineLegend(name, index)),
    rows: [[panel]],
    notes: [...notes, ...scarcityNotes(drawn, most, lowest)],
  });
}

/** Points with both rates in [0, 1], by ascending FAR and TAR. */
function cleaned({ points }: RocSeries): { far: number; tar: number }[] {
  const isRate = (value: number) => value >= 0 && value <= 1;
  return points
    .filter(({ far, tar }) => isRate(far) && isRate(tar))
    .sort((a, b) => a.far - b.far || a.tar - b.tar);
}

function impostorsOf({ points, impostors }: RocSeries): number {
  if (impostors !== undefined && impostors > 0) return impostors;
  const smallest = points.reduce((least, { far }) => (far > 0 && far < least ? far : least), 1);
  return Math.round(1 / smallest);
}

/** The best TAR reached at a FAR of at most x, from x = `start` on, for the few hundred x that a screen can tell apart. */
function asSteps(
  points: readonly { far: number; tar: number }[],
  start: number,
  lowest: number,
): [number, number][] {
  const columns = 600;
  const steps: [number, number][] = [];
  let best = 0;
  let lastColumn = -1;
  for (const { far, tar } of points) {
    best = Math.max(best, tar);
    const x = Math.max(far, start);
    const column = Math.floor((1 - Math.log10(x) / Math.log10(lowest)) * columns);
    if (column === lastColumn) steps[steps.length - 1]![1] = best;
    else steps.push([x, best]);
    lastColumn = column;
  }
  if (steps.at(-1)![0] < 1) steps.push([1, best]);
  return steps;
}

function decades(lowest: number): number[] {
  const count = Math.round(-Math.log10(lowest));
  return Array.from({ length: count + 1 }, (_, k) => Number(`1e${k - count}`));
}

/** The line of guessing, where TAR is FAR. */
function chanceMarks(lowest: number): Plot.Markish[] {
  const count = 120;
  const line = Array.from({ length: count + 1 }, (_, k): [number, number] => {
    const far = lowest ** (1 - k / count);
    return [far, far];
  });
  return [
    Plot.line(line, { stroke: MUTED_INK, strokeWidth: 1, strokeDasharray: "2 4" }),
    Plot.text([[0.2, 0.13]], {
      text: ["chance"],
      fill: MUTED_INK,
      fontSize: NOTE_SIZE,
      textAnchor: "start",
    }),
  ];
}

function shadedBelow(far: number, { lowest, bottom }: { lowest: number; bottom: number }): Plot.Markish {
  return far <= lowest
    ? null
    : Plot.rect([0], { x1: lowest, x2: Math.min(far, 1), y1: bottom, y2: 1, fill: SHADE });
}

/** One note for each number of impostor pairs that is too small for the axis; with the names when not all share it. */
function scarcityNotes(
  curves: readonly { name: string; impostors: number }[],
  most: number,
  lowest: number,
): string[] {
  const namesOf = new Map<number, string[]>();
  for (const { name, impostors } of curves) {
    if (RELIABLE_ACCEPTS / impostors > lowest)
      namesOf.set(impostors, [...(namesOf.get(impostors) ?? []), name]);
  }
  return [...namesOf].map(([impostors, names]) => {
    const whose = names.length === curves.length ? "" : `${names.join(", ")}: with `;
    const pairs = `${whose === "" ? "With " : whose}${shortNumber(impostors)} impostor pairs`;
    const shaded =
      impostors === most && 1 / impostors > lowest ? " In the shaded region not even one is." : "";
    return (
      `${pairs}, fewer than ${RELIABLE_ACCEPTS} are accepted left of FAR ` +
      `${Number((RELIABLE_ACCEPTS / impostors).toPrecision(2))}, and TAR there is mostly chance.${shaded}`
    );
  });
}
