import { expect, test } from "vitest";
import type { PersistenceDiagram } from "../diagram.js";
import { barcodeSvg } from "./barcodeSvg.js";
import { bettiSvg } from "./bettiSvg.js";
import { diagramSvg } from "./diagramSvg.js";
import { ticks } from "./frame.js";

const diagram = (dimension: number, ...points: (readonly [number, number])[]): PersistenceDiagram => ({
  dimension,
  births: Float64Array.from(points, ([birth]) => birth),
  deaths: Float64Array.from(points, ([, death]) => death),
});

const DIAGRAMS = [diagram(0, [0, 1], [0, 2], [0, Infinity]), diagram(1, [1, 1.5], [1, 1.5], [-0.5, 2])];

/** Every element closed, every attribute quoted, no number gone wrong. */
function expectWellFormed(svg: string): void {
  expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ')).toBe(true);
  expect(svg).not.toMatch(/NaN|undefined|Infinity|="[^"]*\de-\d/);
  const open: string[] = [];
  for (const [, closing, name, rest] of svg.matchAll(/<(\/?)([a-z]+)([^<>]*)>/g)) {
    if (closing === "/") expect(open.pop()).toBe(name);
    else if (!rest!.endsWith("/")) open.push(name!);
    expect(rest!.replace(/ [a-zA-Z-]+="[^"<>]*"/g, "").replace("/", "")).toBe("");
  }
  expect(open).toEqual([]);
}

test("the diagram has a dot for each place and a ring for each class that never dies", () => {
  const svg = diagramSvg(DIAGRAMS);
  expectWellFormed(svg);
  expect(svg.match(/r="2.8"/g)).toHaveLength(4); // two of degree 1 are at one place
  expect(svg.match(/stroke-width="1.8"/g)).toHaveLength(1);
  expect(svg).toContain(">H0 (3)</text>");
  expect(svg).toContain(">H1 (3)</text>");
  expect(svg).toBe(diagramSvg(DIAGRAMS));
  expect(diagramSvg(DIAGRAMS, { uncertainty: 0.1 }).length).toBeGreaterThan(svg.length);
  expectWellFormed(diagramSvg(DIAGRAMS, { uncertainty: 100 }));
});

test("the barcode has a bar for each class and an arrow for each that never dies", () => {
  const svg = barcodeSvg(DIAGRAMS);
  expectWellFormed(svg);
  const bars = (degreeColor: string) =>
    svg.match(new RegExp(`H[\\d.]+" stroke="${degreeColor}"`, "g"))?.length;
  expect([bars("#0072b2"), bars("#d55e00")]).toEqual([3, 3]);
  expect(svg.match(/l6,4l-6,4z/g)).toHaveLength(1);
});

test("Betti curves step where classes begin and end", () => {
  const svg = bettiSvg(DIAGRAMS, { width: 366, height: 300 }); // 300 columns for scales -0.5 to 2.15
  expectWellFormed(svg);
  const [h0, h1] = [...svg.matchAll(/<path d="(M[^"]*)" fill="none"/g)].map(([, path]) => path!);
  const heights = (path: string) => [...path.matchAll(/V([\d.]+)/g)].map(([, y]) => Number(y));
  // Degree 0: none before scale 0, then 3, 2, 1. Degree 1: one from the left edge, three from 1, one from 1.5, none from 2.
  const unit = (260 - 34) / (3 * 1.05);
  const counts = (path: string) => heights(path).map((y) => Math.round((260 - y) / unit));
  expect(counts(h0!)).toEqual([0, 3, 2, 1, 1]);
  expect(counts(h1!)).toEqual([1, 3, 1, 0, 0]);
});

test("empty diagrams, single scales, and very many points are drawn", () => {
  const many = diagram(
    1,
    ...Array.from({ length: 50_000 }, (_, k) => [k % 300, (k % 300) + 1 + (k % 7)] as const),
  );
  const all = [
    [],
    [diagram(0)],
    [diagram(0, [3, 3])],
    [diagram(0, [0, Infinity])],
    [diagram(2, [1e-9, 2e-9])],
    [many],
  ];
  for (const diagrams of all) {
    expectWellFormed(diagramSvg(diagrams));
    expectWellFormed(barcodeSvg(diagrams, { width: 600, height: 200 }));
    expectWellFormed(bettiSvg(diagrams));
  }
  expect(diagramSvg([many]).length).toBeLessThan(300_000);
});

test("points that are none are refused", () => {
  expect(() => diagramSvg([diagram(0, [1, NaN])])).toThrow("point 0 is (1, NaN)");
  expect(() => barcodeSvg([diagram(0, [2, 1])])).toThrow("point 0 is (2, 1)");
  expect(() => bettiSvg([diagram(0, [NaN, 1])])).toThrow("point 0 is (NaN, 1)");
});

test("ticks are round numbers inside the range", () => {
  expect(ticks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(ticks(-0.3, 2.1, 6)).toEqual([0, 0.5, 1, 1.5, 2]);
  expect(ticks(0, 7e-9, 4)).toEqual([0, 2e-9, 4e-9, 6e-9]);
});
