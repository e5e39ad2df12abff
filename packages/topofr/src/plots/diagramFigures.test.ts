// Figures of diagrams of any degree, and of Betti curves with bands.

import { TopofrError } from "@topofr/formats";
import type { PersistenceDiagram } from "@topofr/topology";
import { expect, test } from "vitest";
import { barcodePlot } from "./barcodePlot.js";
import { bettiBandPlot } from "./bettiBandPlot.js";
import { persistenceScatterPlot } from "./persistenceScatterPlot.js";
import { rasterize } from "./rasterize.js";

const diagram = (dimension: number, ...points: (readonly [number, number])[]): PersistenceDiagram => ({
  dimension,
  births: Float64Array.from(points, ([birth]) => birth),
  deaths: Float64Array.from(points, ([, death]) => death),
});

const NAME = `<b onload="x">& 'Ω'`;
const SERIES = [
  { name: NAME, diagram: diagram(1, [1, 2], [1, 2], [0.5, 3], [0.5, Infinity]) },
  { name: "H2", diagram: diagram(2, [2, 2.5]) },
];
const BAND = {
  scales: [0, 1, 2],
  mean: [5, 3, 1],
  spread: { low: [4, 2, 0], high: [6, 5, 2] },
  confidence: { low: [4.5, 2.5, 0.5], high: [5.5, 3.5, 1.5] },
};

const FIGURES: Record<string, () => string> = {
  persistenceScatterPlot: () =>
    persistenceScatterPlot(SERIES, { title: NAME, subtitle: NAME, uncertainty: 0.2, notes: [NAME] }),
  barcodePlot: () => barcodePlot(SERIES, { title: NAME, notes: [NAME] }),
  bettiBandPlot: () =>
    bettiBandPlot(
      [
        { name: NAME, ...BAND },
        { name: "curve", scales: [0, 1], mean: [2, 0] },
      ],
      { title: NAME },
    ),
};

test.each(Object.keys(FIGURES))("%s is a valid SVG document, the same each time", (name) => {
  const svg = FIGURES[name]!();
  expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 ')).toBe(true);
  expect(svg).not.toContain("<b ");
  expect(svg).not.toMatch(/<(style|script|figure)|\bid=|url\(|NaN"|NaN,|undefined/);
  expect([...rasterize(svg, { scale: 0.5 }).subarray(0, 4)]).toEqual([0x89, 0x50, 0x4e, 0x47]);
  expect(FIGURES[name]!()).toBe(svg);
});

test("diagrams lie over each other: a dot for each place, a ring for each class that never dies", () => {
  const svg = persistenceScatterPlot(SERIES);
  expect(svg.match(/<circle[^>]* r="2.8"/g)).toHaveLength(3);
  expect(svg.match(/<circle[^>]* r="4"/g)).toHaveLength(1);
  expect(svg).toContain("lifetime (death - birth)");
  expect(svg.match(/<circle[^>]* r="3.5"/g)).toHaveLength(3 + 1); // of the bars that end, in order of rank
  expect(svg).toContain("H2: 1 point<");
  expect(svg).not.toContain("Shaded");
  expect(persistenceScatterPlot(SERIES, { uncertainty: 1 })).toContain("Shaded: too near the diagonal");
});

test("a barcode counts its bars, and says when not all are drawn", () => {
  const svg = barcodePlot(SERIES);
  expect(svg).toContain(": 4 bars, 1 never dying<");
  expect(svg).toContain(">H2: 1 bar<");
  const many = diagram(1, ...Array.from({ length: 400 }, (_, k) => [k, k + 1 + k / 400] as const));
  expect(barcodePlot([{ name: "many", diagram: many }])).toContain("many: the 150 longest bars are drawn.");
  expect(barcodePlot([...SERIES, { name: "none", diagram: diagram(3) }])).toContain(">none: no bars<");
});

test("figures without data say so", () => {
  const none = [{ name: "none", diagram: diagram(1) }];
  expect(persistenceScatterPlot(none)).toContain("no classes to draw");
  expect(barcodePlot([])).toContain("no classes to draw");
  expect(bettiBandPlot([])).toContain("no curves to draw");
});

test("points and curves that are none are refused by name", () => {
  const bad = [{ name: "loops", diagram: diagram(1, [2, 1]) }];
  for (const draw of [persistenceScatterPlot, barcodePlot]) {
    expect(() => draw(bad)).toThrow('diagram "loops": point 0 is (2, 1)');
    expect(() => draw(bad)).toThrow(TopofrError);
  }
  expect(() => bettiBandPlot([{ name: "c", scales: [0, 1], mean: [1] }])).toThrow("1 values at 2 scales");
  expect(() => bettiBandPlot([{ name: "c", scales: [0], mean: [Number.NaN] }])).toThrow(
    "value 0 is not finite",
  );
});
