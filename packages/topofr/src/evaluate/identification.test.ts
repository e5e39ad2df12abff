import fc from "fast-check";
import { expect, test } from "vitest";
import { identify } from "./identification.js";
import type { Templates } from "./ijbTemplates.js";

/** Templates on a circle: one angle, in degrees, per id. */
function circle(degrees: Record<number, number>): Templates {
  const ids = Object.keys(degrees).map(Number);
  const radians = ids.map((id) => (degrees[id]! * Math.PI) / 180);
  return {
    ids: Int32Array.from(ids),
    features: Float32Array.from(radians.flatMap((angle) => [Math.cos(angle), Math.sin(angle)])),
    dimension: 2,
  };
}
const list = (pairs: [template: number, subject: number][]) => ({
  templateIds: Int32Array.from(pairs, ([template]) => template),
  subjectIds: Int32Array.from(pairs, ([, subject]) => subject),
});

test("a worked example: ranks, thresholds from strangers, rates, mean and closed set", () => {
  // Gallery A: subjects 1 at 0°, 2 at 90°. Gallery B: subject 3 at 180°.
  const templates = circle({ 10: 0, 20: 90, 30: 180, 41: 5, 42: 60, 43: 120, 44: 175, 45: 50 });
  const report = identify({
    templates,
    galleries: [
      {
        name: "A",
        ...list([
          [10, 1],
          [20, 2],
        ]),
      },
      { name: "B", ...list([[30, 3]]) },
    ],
    probes: list([
      [41, 1],
      [42, 1],
      [43, 2],
      [44, 3],
      [45, 2],
    ]),
  });
  const [a, b] = report.galleries;
  expect(a).toMatchObject({ name: "A", subjects: 2, matedProbes: 4, nonMatedProbes: 1, reason: null });
  // 42 is nearer to subject 2 than to its own.
  expect(a!.ranks).toEqual([
    { rank: 1, rate: 0.75 },
    { rank: 5, rate: 1 },
    { rank: 10, rate: 1 },
  ]);
  // The stranger (44, at 175°) scores cos 85° in A: 41, 43 and 45 are first and above it.
  expect(a!.tpirAtFpir![0]).toMatchObject({ fpir: 0.1, fpirReached: 0, tpir: 0.75 });
  expect(a!.tpirAtFpir![0]!.threshold).toBeCloseTo(Math.cos((85 * Math.PI) / 180), 6);
  expect(a!.tpirAtFpir![0]!.note).toContain("0.1 false alarms expected, 10 needed");
  expect(b!.ranks![0]).toEqual({ rank: 1, rate: 1 });
  // Of the four strangers the best in B is 43, at 60° from it; 44 is at 5°.
  expect(b!.tpirAtFpir![0]!.threshold).toBeCloseTo(0.5, 6);
  expect(b!.tpirAtFpir![0]!.tpir).toBe(1);
  expect(report.mean.ranks![0]).toEqual({ rank: 1, rate: 0.8 });
  expect(report.mean.tpirAtFpir![0]).toEqual({ fpir: 0.1, tpir: 0.875 });
  expect(report.closedSet).toMatchObject({ subjects: 3, probes: 5 });
  expect(report.closedSet!.ranks![0]).toEqual({ rank: 1, rate: 0.8 });
});

test("rates are what a plain reading of the protocol gives", () => {
  const DIMENSION = 4;
  const cases = fc.record({
    galleries: fc.tuple(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 14 })),
    probeSubjects: fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 300 }),
    seed: fc.nat(1000),
  });
  fc.assert(
    fc.property(cases, ({ galleries: [m, n], probeSubjects, seed }) => {
      const count = m + n + probeSubjects.length;
      const templates: Templates = {
        ids: Int32Array.from({ length: count }, (_, t) => t),
        features: Float32Array.from(
          { length: count * DIMENSION },
          (_, i) => Math.round(8 * Math.sin((i + 1) * (seed + 1.37))), // whole numbers: exact products, many ties
        ),
        dimension: DIMENSION,
      };
      const galleries = [
        { name: "A", ...list(Array.from({ length: m }, (_, k) => [k, k])) },
        { name: "B", ...list(Array.from({ length: n }, (_, k) => [m + k, m + k])) },
      ];
      const probes = list(probeSubjects.map((subject, k) => [m + n + k, subject]));
      const report = identify({ templates, galleries, probes });
      const score = (a: number, b: number) => {
        let sum = 0;
        for (let d = 0; d < DIMENSION; d++)
          sum += templates.features[a * DIMENSION + d]! * templates.features[b * DIMENSION + d]!;
        return sum;
      };
      galleries.forEach((gallery, g) => {
        const own: { own: number; others: number[] }[] = [];
        const strangers: number[] = [];
        probeSubjects.forEach((subject, k) => {
          const scores = [...gallery.templateIds].map((id) => score(m + n + k, id));
          const seat = gallery.subjectIds.indexOf(subject);
          if (seat < 0) strangers.push(Math.max(...scores));
          else own.push({ own: scores[seat]!, others: scores.filter((_, j) => j !== seat) });
        });
        const { ranks, tpirAtFpir, matedProbes, reason } = report.galleries[g]!;
        expect(matedProbes).toBe(own.length);
        if (own.length === 0) expect(ranks).toBeNull();
        ranks?.forEach(({ rank, rate }) => {
          const hits = own.filter((probe) => probe.others.filter((s) => s >= probe.own).length < rank);
          expect(rate).toBe(hits.length / own.length);
        });
        expect(reason === null).toBe(own.length > 0 && strangers.length > 0);
        strangers.sort((a, b) => b - a);
        tpirAtFpir?.forEach(({ fpir, tpir }) => {
          const threshold = strangers[Math.max(Math.floor(strangers.length * fpir) - 1, 0)]!;
          const hits = own.filter(({ own, others }) => own > threshold && others.every((s) => own > s));
          expect(tpir).toBe(hits.length / own.length);
        });
      });
    }),
    { seed: 15, numRuns: 60 },
  );
});

test("what has no rate says so, and contradictory galleries are refused", () => {
  const templates = circle({ 1: 0, 2: 90, 3: 10 });
  const gallery = {
    name: "G1",
    ...list([
      [1, 5],
      [2, 6],
    ]),
  };
  const closed = identify({ templates, galleries: [gallery], probes: list([[3, 5]]) });
  expect(closed.galleries[0]).toMatchObject({ tpirAtFpir: null, matedProbes: 1, nonMatedProbes: 0 });
  expect(closed.galleries[0]!.reason).toContain("1 probes with a mate in the gallery and 0 without");
  expect(closed.closedSet!.ranks![0]!.rate).toBe(1);
  const open = identify({ templates, galleries: [gallery], probes: list([[3, 9]]) });
  expect(open).toMatchObject({
    galleries: [{ ranks: null }],
    mean: { ranks: null, tpirAtFpir: null },
    closedSet: { probes: 0, ranks: null },
  });
  // One subject in two galleries: no closed set over both.
  const twice = [gallery, { name: "G2", ...list([[3, 5]]) }];
  expect(identify({ templates, galleries: twice, probes: list([[1, 5]]) }).closedSet).toBeNull();
  expect(() =>
    identify({
      templates,
      galleries: [
        {
          name: "G1",
          ...list([
            [1, 5],
            [2, 5],
          ]),
        },
      ],
      probes: list([[3, 5]]),
    }),
  ).toThrow("gallery G1: templates 1 and 2 are both of subject 5");
  expect(() => identify({ templates, galleries: [gallery], probes: list([[8, 5]]) })).toThrow(
    "IJB probes: no image has template id 8",
  );
});
