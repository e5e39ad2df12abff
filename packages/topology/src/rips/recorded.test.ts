import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { PersistenceDiagram } from "../diagram.js";
import { persistence } from "../persistence.js";
import { CASES, oracleProblem, type RipsCase } from "./cases.test.support.js";
import { ripserBars, ripserInstalled } from "./ripser.test.support.js";

/** For each degree birth, death, birth, death …, -1 for Infinity; by fixtures/record.mjs. */
interface Recorded {
  readonly name: string;
  /** GUDHI 3.7: exact float32. */
  readonly gudhi: number[][];
  /** Ripser 1.2.1: six digits. */
  readonly ripser: number[][];
}

const RECORDED = JSON.parse(
  readFileSync(new URL("../../fixtures/rips.json", import.meta.url), "utf8"),
) as Recorded[];

const sixDigits = (value: number): number => (value === Infinity ? value : Number(value.toPrecision(6)));

/** Pairs by (birth, death) after `round`, flat. */
function flat(bars: readonly (readonly [number, number])[], round: (value: number) => number): number[] {
  return bars
    .map(([birth, death]): [number, number] => [round(birth), round(death)])
    .sort((a, b) => a[0] - b[0] || (a[1] === b[1] ? 0 : a[1] - b[1]))
    .flat();
}

const barsOf = ({ births, deaths }: PersistenceDiagram): [number, number][] =>
  Array.from(births, (birth, k) => [birth, deaths[k]!]);

const compute = ({ input, ...options }: RipsCase): PersistenceDiagram[] => persistence(input, options);

function pairsOf(values: readonly number[]): [number, number][] {
  const bars: [number, number][] = [];
  for (let k = 0; k < values.length; k += 2) {
    bars.push([values[k]!, values[k + 1]! < 0 ? Infinity : values[k + 1]!]);
  }
  return bars;
}

test("at least 40 cases are recorded, one for each that is defined", () => {
  expect(RECORDED.length).toBeGreaterThanOrEqual(40);
  expect(RECORDED.map(({ name }) => name)).toEqual(CASES.map(({ name }) => name));
});

describe("equal to the recorded bars of GUDHI 3.7 in float32 and of Ripser 1.2.1 in six digits", () => {
  test.each(CASES.map((given, k) => [given.name, given, RECORDED[k]!] as const))(
    "%s",
    (_, given, recorded) => {
      compute(given).forEach((diagram, degree) => {
        const bars = barsOf(diagram);
        expect(flat(bars, Math.fround)).toEqual(flat(pairsOf(recorded.gudhi[degree]!), Math.fround));
        expect(flat(bars, sixDigits)).toEqual(flat(pairsOf(recorded.ripser[degree]!), sixDigits));
      });
    },
  );
});

describe.skipIf(!ripserInstalled)("equal to the Ripser that is installed", () => {
  const chosen = CASES.filter(({ maxDimension }) => maxDimension < 3).filter((_, k) => k % 6 === 0);
  test.each(chosen.map((given) => [given.name, given] as const))("%s", (_, given) => {
    const oracle = ripserBars(given, oracleProblem(given));
    compute(given).forEach((diagram, degree) => {
      expect(flat(barsOf(diagram), sixDigits)).toEqual(flat(oracle[degree]!, sixDigits));
    });
  });
});

test("the Klein bottle and the projective plane have torsion: Z/2 sees classes that Z/3 does not", () => {
  const classesAlive = (name: string, degree: number): number => {
    const diagram = compute(CASES.find((given) => given.name === name)!)[degree]!;
    // At scale 0.7 the projective plane is there, at 1.3 the coarse grid of the bottle.
    const scale = name.startsWith("Klein") ? 1.3 : 0.7;
    return barsOf(diagram).filter(([birth, death]) => birth <= scale && scale < death).length;
  };
  expect([classesAlive("Klein bottle, Z/2", 1), classesAlive("Klein bottle, Z/2", 2)]).toEqual([2, 1]);
  expect([classesAlive("Klein bottle, Z/3", 1), classesAlive("Klein bottle, Z/3", 2)]).toEqual([1, 0]);
  expect([classesAlive("projective plane, Z/2", 1), classesAlive("projective plane, Z/2", 2)]).toEqual([
    1, 1,
  ]);
  expect([classesAlive("projective plane, Z/3", 1), classesAlive("projective plane, Z/3", 2)]).toEqual([
    0, 0,
  ]);
});
