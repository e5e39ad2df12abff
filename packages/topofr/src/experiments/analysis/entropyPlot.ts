// The paper's figure 4: entropies of right and wrong predictions under the fitted Gaussian-uniform mixture.

import * as Plot from "@observablehq/plot";
import { baseline, linearDomain, xAxis, yAxis } from "../../plots/axes.js";
import { CONTENT_WIDTH, composeFigure, drawPanel, emptyPanel, type Panel } from "../../plots/figure.js";
import { count, percent, shortNumber } from "../../plots/format.js";
import { INK, SERIES_COLORS } from "../../plots/theme.js";
import { type EntropySamples, mixtureDensities } from "./entropy.js";

const BINS = 48;
const CURVE_POINTS = 400;
const STARS_DRAWN = 150; // of each kind
const [RIGHT, WRONG, MIXTURE] = [SERIES_COLORS[2], SERIES_COLORS[1], SERIES_COLORS[0]];
const X_LABEL = "entropy of the prediction (nats)";

/** Above: densities of right and wrong samples and the mixture. Below: samples on the Gaussian, as the paper draws them. */
export function entropyPlot(
  samples: Pick<EntropySamples, "entropies" | "right" | "hard" | "mixture">,
  { title, subtitle }: { title: string; subtitle: string },
): string {
  const { entropies, mixture } = samples;
  const total = entropies.length;
  if (total === 0)
    return composeFigure({ title, rows: [[emptyPanel(CONTENT_WIDTH, 240, "no samples to draw")]] });
  const most = entropies.reduce((a, b) => Math.max(a, b), 0) || 1;
  const least = entropies.reduce((a, b) => Math.min(a, b), most);
  // Entropies that are all high are shown by themselves.
  const from = least > most / 2 && least < most ? least - (most - least) * 0.05 : 0;
  const kinds = [
    { name: "right", color: RIGHT, chosen: 1 },
    { name: "wrong", color: WRONG, chosen: 0 },
  ].map(({ chosen, ...kind }) => ({
    ...kind,
    values: entropies.filter((_, k) => samples.right[k] === chosen),
    hard: samples.hard.filter((_, k) => samples.right[k] === chosen),
  }));
  return composeFigure({
    title,
    subtitle,
    legend: [
      ...kinds.map(({ name, color, values }) => ({
        name: `${name} (${count(values.length, "sample")}, ${percent(values.length / total)})`,
        color,
        mark: "area" as const,
      })),
      { name: "Gaussian part", color: MIXTURE, mark: "line" },
      { name: "uniform part", color: MIXTURE, mark: "line", dash: "7 3" },
      { name: "mixture", color: INK, mark: "line" },
    ],
    rows: [
      [{ ...densityPanel(kinds, total, [from, most], mixture), heading: "Densities" }],
      [
        {
          ...gaussianPanel(kinds, most, mixture),
          heading: "Samples on the Gaussian: stars right, crosses wrong",
        },
      ],
    ],
    notes: [
      ...(from > 0 ? ["The axis of the densities does not begin at 0: all entropies are high."] : []),
      `Mixture: Gaussian share ${percent(mixture.mixing)}, standard deviation ${shortNumber(Math.sqrt(mixture.variance) * mixture.deviation)} nats. ` +
        "It is fitted to entropies with signs flipped, and drawn folded back onto positive ones.",
      ...kinds
        .filter(({ values }) => values.length > 0)
        .map(
          ({ name, hard }) =>
            `${name[0]!.toUpperCase()}${name.slice(1)}: mean posterior of being hard ${shortNumber(mean(hard))}.`,
        ),
    ],
  });
}

interface Kind {
  name: string;
  color: string;
  values: Float64Array;
}

function densityPanel(
  kinds: readonly Kind[],
  total: number,
  [from, most]: readonly [number, number],
  mixture: EntropySamples["mixture"],
): Panel {
  const width = (most - from) / BINS;
  const bars = kinds.flatMap(({ color, values }) => {
    const counts = new Array<number>(BINS).fill(0);
    for (const value of values) counts[Math.min(BINS - 1, Math.floor((value - from) / width))]! += 1;
    return counts.map((n, bin) => ({
      x1: from + bin * width,
      x2: from + (bin + 1) * width,
      y: n / total / width,
      color,
    }));
  });
  const { gaussian, uniform } = mixtureDensities(mixture);
  const curve = curveAt(from, most, (x) => ({ gaussian: gaussian(x), uniform: uniform(x) }));
  // A Gaussian that is a spike must not press everything else flat.
  const tallest = bars.reduce((a, { y }) => Math.max(a, y), 0) * 1.25;
  const drawn = curve.filter((point) => point.gaussian + point.uniform <= tallest);
  return drawPanel({
    width: CONTENT_WIDTH,
    height: 300,
    x: { domain: [from, most] },
    y: { domain: [0, tallest] },
    color: { type: "identity" },
    marks: [
      yAxis({ label: "density (both kinds together have area 1)" }),
      xAxis({ label: X_LABEL, ticks: 8 }),
      Plot.rect(bars, { x1: "x1", x2: "x2", y1: 0, y2: "y", fill: "color", fillOpacity: 0.4 }),
      Plot.line(drawn, { x: "x", y: (d) => d.gaussian + d.uniform, stroke: INK, strokeWidth: 1.4 }),
      Plot.line(drawn, { x: "x", y: "gaussian", stroke: MIXTURE, strokeWidth: 2 }),
      Plot.line(drawn, { x: "x", y: "uniform", stroke: MIXTURE, strokeWidth: 2, strokeDasharray: "7 3" }),
      baseline(),
    ],
  });
}

function gaussianPanel(kinds: readonly Kind[], most: number, mixture: EntropySamples["mixture"]): Panel {
  const { gaussian } = mixtureDensities(mixture);
  const curve = curveAt(0, most, (x) => ({ gaussian: gaussian(x) }));
  const [right, wrong] = kinds.map(({ values }) =>
    evenly(values, STARS_DRAWN).map((x) => ({ x, y: gaussian(x) })),
  );
  return drawPanel({
    width: CONTENT_WIDTH,
    height: 220,
    x: { domain: [0, most] },
    y: { domain: linearDomain([0, ...curve.map((point) => point.gaussian)]) },
    marks: [
      yAxis({ label: "density of the Gaussian part" }),
      xAxis({ label: X_LABEL, ticks: 8 }),
      Plot.line(curve, { x: "x", y: "gaussian", stroke: MIXTURE, strokeWidth: 1.4 }),
      Plot.dot(right!, { x: "x", y: "y", symbol: "star", fill: RIGHT, r: 4, fillOpacity: 0.8 }),
      Plot.dot(wrong!, { x: "x", y: "y", symbol: "times", stroke: WRONG, strokeWidth: 1.6, r: 4 }),
      baseline(),
    ],
  });
}

const curveAt = <Values extends object>(from: number, most: number, values: (x: number) => Values) =>
  Array.from({ length: CURVE_POINTS + 1 }, (_, k) => {
    const x = from + ((most - from) * k) / CURVE_POINTS;
    return { x, ...values(x) };
  });

/** At most `limit` of the values, evenly ranked. */
function evenly(values: Float64Array, limit: number): number[] {
  const sorted = values.slice().sort();
  if (sorted.length <= limit) return [...sorted];
  return Array.from(
    { length: limit },
    (_, k) => sorted[Math.round((k * (sorted.length - 1)) / (limit - 1))]!,
  );
}

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
