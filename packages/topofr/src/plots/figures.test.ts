// What every figure must do, and what each of them says about numbers it cannot draw.

import { TopofrError } from "@topofr/formats";
import type { PersistenceDiagram } from "@topofr/topology";
import { expect, test } from "vitest";
import { bettiCurvePlot } from "./bettiCurvePlot.js";
import { distanceHistogram } from "./distanceHistogram.js";
import { lineChart, type Point, thin } from "./lineChart.js";
import { persistenceDiagramPlot } from "./persistenceDiagramPlot.js";
import { rasterize } from "./rasterize.js";
import { rocPlot } from "./rocPlot.js";
import { seriesStyle } from "./theme.js";
import { type TrainingRow, trainingCurves } from "./trainingCurves.js";

const diagram = (...deaths: number[]): PersistenceDiagram => ({
  dimension: 0,
  births: new Float64Array(deaths.length),
  deaths: Float64Array.from(deaths),
});

const NAME = `<b onload="x">& 'Ω' \u0000 \uD800`;
const ESCAPED = "&lt;b onload=&quot;x&quot;&gt;&amp; &#39;Ω&#39; \uFFFD \uFFFD";

const rows: TrainingRow[] = Array.from({ length: 120 }, (_, step) => ({
  step,
  loss: 10 / (step + 1),
  classificationLoss: 9 / (step + 1),
  alignmentLoss: 1 / (step + 1),
  learningRate: 0.1 * (1 - step / 120) ** 2,
  imagesPerSecond: 300 + (step % 7),
}));

const roc = [
  { far: 0, tar: 0.2 },
  { far: 0.01, tar: 0.6 },
  { far: 1, tar: 1 },
];

/** Every figure with ordinary data, under names that need escaping. */
const FIGURES: Record<string, () => string> = {
  lineChart: () =>
    lineChart({
      title: NAME,
      xLabel: NAME,
      yLabel: NAME,
      series: [
        { name: NAME, points: [[0, 1]] },
        {
          name: "b",
          points: [
            [0, 2],
            [1, 3],
          ],
        },
      ],
    }),
  trainingCurves: () => trainingCurves(rows, { title: NAME }),
  rocPlot: () => rocPlot([{ name: NAME, points: roc, impostors: 300 }], { title: NAME }),
  distanceHistogram: () =>
    distanceHistogram([0.5, 0.7, 0.8], [1.2, 1.3], { title: NAME, xLabel: NAME, threshold: 1 }),
  persistenceDiagramPlot: () =>
    persistenceDiagramPlot([{ name: NAME, diagram: diagram(1, 2, Infinity) }], { title: NAME }),
  bettiCurvePlot: () => bettiCurvePlot([{ name: NAME, diagram: diagram(1, 2, Infinity) }], { title: NAME }),
};

test.each(Object.keys(FIGURES))("%s is a valid, closed SVG document with its text escaped", (name) => {
  const svg = FIGURES[name]!();
  expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 ')).toBe(true);
  expect(svg).toContain(`aria-label="${ESCAPED}"`);
  expect(svg).not.toContain("<b ");
  expect(svg).not.toMatch(/<(style|script|figure)|\bid=|url\(|NaN"|NaN,|undefined/);
  // The rasteriser parses strictly, so that malformed markup throws.
  expect([...rasterize(svg, { scale: 0.5 }).subarray(0, 4)]).toEqual([0x89, 0x50, 0x4e, 0x47]);
});

test.each(Object.keys(FIGURES))("%s gives the same bytes for the same data", (name) => {
  expect(FIGURES[name]!()).toBe(FIGURES[name]!());
});

test("figures without data say so instead of drawing axes", () => {
  expect(lineChart({ title: "t", xLabel: "x", yLabel: "y", series: [] })).toContain("no values to draw");
  expect(trainingCurves([])).toContain("no step events yet");
  expect(rocPlot([])).toContain("no points to draw");
  expect(distanceHistogram([], [])).toContain("no pairs to draw");
  expect(persistenceDiagramPlot([{ name: "one image", diagram: diagram(Infinity) }])).toContain(
    "no finite deaths to draw",
  );
  expect(bettiCurvePlot([{ name: "none", diagram: diagram() }])).toContain("no curves to draw");
});

test("a line goes through its points, in pixels", () => {
  const svg = lineChart({
    title: "golden",
    xLabel: "step",
    yLabel: "loss",
    series: [
      {
        name: "a",
        points: [
          [0, 0],
          [10, 1],
        ],
      },
    ],
  });
  // 720 x 340 pixels less the margins 54, 14, 26 and 42; the domain's top is 1.05.
  expect(svg).toContain('d="M54,298L706,38.95"');
  expect(svg).toContain(">step</text>");
  expect(svg).toContain(">loss</text>");
});

test("values that are not finite leave gaps, lone points get a dot, and a note counts them", () => {
  const points: Point[] = [
    [0, 2],
    [1, Number.NaN],
    [2, 3],
    [3, 1],
    [4, Number.POSITIVE_INFINITY],
  ];
  const svg = lineChart({ title: "t", xLabel: "x", yLabel: "y", series: [{ name: "a", points }] });
  expect(svg).toContain("a: 2 values not finite, left as gaps.");
  expect(svg.match(/<circle/g)).toHaveLength(1);
  const only = lineChart({ title: "t", xLabel: "x", yLabel: "y", series: [{ name: "a", points: [[5, 2]] }] });
  expect(only.match(/<circle/g)).toHaveLength(1);
});

test("a logarithmic axis leaves out what is not positive, and says so", () => {
  const points: Point[] = [
    [0, 100],
    [1, 0],
    [2, 1],
  ];
  const svg = lineChart({
    title: "t",
    xLabel: "x",
    yLabel: "y",
    series: [{ name: "a", points }],
    yScale: "log",
  });
  expect(svg).toContain("a: 1 value not positive, outside a logarithmic axis.");
  expect(svg).toContain(">10²</text>");
});

test("thinning keeps spikes, gaps and order", () => {
  const points = Array.from({ length: 10_000 }, (_, x): Point => [x, x === 5000 ? 9 : x === 7001 ? NaN : 0]);
  const kept = thin(points, 400);
  expect(kept.length).toBeLessThan(450);
  expect(kept).toContainEqual([5000, 9]);
  expect(kept).toContainEqual([7001, NaN]);
  expect(kept.every(([x], k) => k === 0 || x > kept[k - 1]![0])).toBe(true);
});

test("training curves show what was logged and nothing else", () => {
  const svg = trainingCurves(rows);
  for (const heading of ["Loss", "Alignment loss", "Learning rate", "Speed"])
    expect(svg).toContain(`>${heading}<`);
  for (const heading of ["Accuracy", "Embedding norm"]) expect(svg).not.toContain(`>${heading}<`);
  expect(svg).toContain("Pale: each step.");
  const short = trainingCurves([{ step: 3, loss: null, accuracy: 0.5 }]);
  expect(short).toContain(">step 3<");
  expect(short).toContain(">50%<");
  expect(short).not.toContain(">Loss<");
  expect(short).not.toContain("Pale");
});

test("a ROC with few impostors shades what it cannot measure and says from where it can be trusted", () => {
  const svg = rocPlot([{ name: "a", points: roc, impostors: 300 }]);
  expect(svg).toContain("With 300 impostor pairs, fewer than 10 are accepted left of FAR 0.033");
  expect(svg).toContain("In the shaded region");
  const many = rocPlot([{ name: "a", points: roc, impostors: 8_000_000 }]);
  expect(many).not.toContain("impostor pairs");
  expect(many).toContain(">10⁻⁵</text>"); // enough impostors to go below 10⁻⁴
});

test("curves with different numbers of impostors share an axis; each begins where it can, and good ones are told apart", () => {
  const fine = (tar: number) => [
    { far: 0, tar },
    { far: 0.5, tar: 0.999 },
    { far: 1, tar: 1 },
  ];
  const svg = rocPlot([
    { name: "lfw", points: fine(0.96), impostors: 3000 },
    { name: "IJBC", points: fine(0.93), impostors: 16_000_000 },
  ]);
  expect(svg).toContain(">10⁻⁶</text>");
  expect(svg).toContain("lfw: with 3,000 impostor pairs, fewer than 10 are accepted left of FAR 0.0033");
  expect(svg).not.toContain("16,000,000");
  expect(svg).toContain(">92%<"); // the axis begins at 90%, and chance is not on it
  expect(svg).not.toContain(">chance<");
  const [lfw, ijb] = [...svg.matchAll(/d="M([\d.]+),/g)].map(([, x]) => Number(x)).slice(-2);
  expect(ijb).toBe(54); // at the left edge of the axis
  expect(lfw).toBeCloseTo(54 + 652 * (1 - Math.log10(3000) / 6), 0); // at 1/3000 on an axis of six decades
});

test("seven curves have seven styles", () => {
  const styles = Array.from({ length: 36 }, (_, k) => JSON.stringify(seriesStyle(k)));
  expect(new Set(styles).size).toBe(36);
});

test("a ROC leaves rates outside 0 to 1 out and names a series without points", () => {
  const svg = rocPlot([
    { name: "a", points: [...roc, { far: Number.NaN, tar: 1 }, { far: 0.1, tar: 1.2 }], impostors: 300 },
    { name: "b", points: [] },
  ]);
  expect(svg).toContain("a: 2 points with rates outside 0 to 1 left out.");
  expect(svg).toContain("b: no points.");
});

test("the histogram counts its pairs and leaves NaN out, with a note", () => {
  const svg = distanceHistogram([1, Number.NaN], [2, 2, 2]);
  expect(svg).toContain("same person (1 pair)");
  expect(svg).toContain("different people (3 pairs)");
  expect(svg).toContain("same person: 1 distance not finite, left out.");
});

test("diagrams on very different scales are drawn as shares of their longest death, with a note", () => {
  const series = [
    { name: "input", diagram: diagram(0.1, 0.2, Infinity) },
    { name: "latent", diagram: diagram(5, 20, NaN, Infinity) },
  ];
  const svg = persistenceDiagramPlot(series);
  expect(svg).toContain("death (share of the longest)");
  expect(svg).toContain("input 0.2, latent 20.");
  expect(svg).toContain("latent: 1 death NaN, left out.");
  expect(svg).toContain("input: 2 bars, median 0.75");
  expect(persistenceDiagramPlot(series, { scale: "shared" })).toContain("death (distance)");
  expect(bettiCurvePlot(series)).toContain("scale (share of the longest)");
});

test("diagrams of another degree are refused", () => {
  const loops = { dimension: 1, births: Float64Array.of(1), deaths: Float64Array.of(2) };
  expect(() => persistenceDiagramPlot([{ name: "loops", diagram: loops }])).toThrow(TopofrError);
  expect(() => bettiCurvePlot([{ name: "loops", diagram: loops }])).toThrow('diagram "loops" is of degree 1');
});

test("a hundred thousand deaths make a small figure", () => {
  const many = diagram(...Array.from({ length: 100_000 }, (_, k) => 1 + (k % 977) / 977), Infinity);
  const series = [{ name: "all", diagram: many }];
  expect(persistenceDiagramPlot(series).length).toBeLessThan(400_000);
  expect(persistenceDiagramPlot(series)).toContain("100,000 deaths, drawn by 1,000 evenly ranked ones");
  expect(bettiCurvePlot(series).length).toBeLessThan(100_000);
});

test("text is drawn when a figure is rasterised, and a broken document is an error", () => {
  const page = (text: string) =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="90" height="20"><text y="15">${text}</text></svg>`;
  expect(rasterize(page("Text"))).not.toEqual(rasterize(page("")));
  expect(() => rasterize("<svg")).toThrow(TopofrError);
  expect(() => rasterize(page("a"), { scale: 0 })).toThrow("scale is 0");
});
