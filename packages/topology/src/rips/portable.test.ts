import fc from "fast-check";
import { expect, test } from "vitest";
import { NO_VERTEX, type RipsPairs, type RipsProblem, type SparseRipsProblem } from "./core.js";
import { triangleOfList } from "./input.js";
import { portableRips } from "./portable.js";
import { referencePairs } from "./reference.test.support.js";

const SEED = 20_261_124;
const RUNS = 60;

interface Drawn {
  n: number;
  triangle: Float32Array;
  maxDimension: 0 | 1 | 2 | 3;
  modulus: number;
}

// Lengths: few values (ties everywhere), or nearly all distinct; some pairs never joined.
const length = (distinct: boolean) =>
  fc.oneof(
    { weight: 9, arbitrary: distinct ? fc.integer({ min: 0, max: 1e6 }) : fc.integer({ min: 0, max: 3 }) },
    { weight: 1, arbitrary: fc.constant(Infinity) },
  );
const drawn: fc.Arbitrary<Drawn> = fc
  .record({
    n: fc.integer({ min: 1, max: 9 }),
    distinct: fc.boolean(),
    maxDimension: fc.constantFrom(0, 1, 2, 3),
    modulus: fc.constantFrom(2, 3, 5, 65_521),
  })
  .chain(({ n, distinct, maxDimension, modulus }) => {
    const size = (n * (n - 1)) / 2;
    return fc.array(length(distinct), { minLength: size, maxLength: size }).map((lengths) => ({
      n,
      triangle: Float32Array.from(lengths),
      maxDimension: maxDimension as Drawn["maxDimension"],
      modulus,
    }));
  });

const lengthIn = (triangle: Float32Array) => (u: number, v: number) => triangle[(v * (v - 1)) / 2 + u]!;
const problemOf = ({ n, triangle, maxDimension, modulus }: Drawn): RipsProblem => ({
  n,
  distances: triangle,
  maxDimension,
  modulus,
  threshold: Infinity,
  representatives: true,
  cocycles: true,
});

/** The same edges as a list, with enough lonely points that the core takes neighbour lists. */
function padded({ distances, ...question }: RipsProblem): SparseRipsProblem {
  const u: number[] = [];
  const v: number[] = [];
  for (let j = 1; j < question.n; j++) {
    for (let i = 0; i < j; i++) {
      if (lengthIn(distances)(i, j) < Infinity) {
        u.push(i);
        v.push(j);
      }
    }
  }
  const [from, to] = [Int32Array.from(u), Int32Array.from(v)];
  const lengths = Float32Array.from(u, (i, k) => lengthIn(distances)(i, v[k]!));
  return { ...question, n: 3 * question.n + 1, u: from, v: to, lengths };
}

const rows = (values: Uint32Array, width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, k) => [...values.subarray(k * width, (k + 1) * width)]);

/** "birth simplex > death simplex" of each pair, sorted. */
const named = (pairs: RipsPairs): string[] => {
  const deaths = rows(pairs.deathSimplices!, pairs.dimension + 2);
  return rows(pairs.birthSimplices!, pairs.dimension + 1)
    .map((birth, k) => `${birth} > ${deaths[k]![0] === NO_VERTEX ? "" : deaths[k]}`)
    .sort();
};

const diameter = (vertices: readonly number[], lengthOf: (u: number, v: number) => number): number =>
  Math.max(0, ...vertices.flatMap((u, k) => vertices.slice(k + 1).map((v) => lengthOf(u, v))));

test("pairs are those of the boundary matrix reduced without clearing or shortcuts, simplex by simplex", () => {
  fc.assert(
    fc.property(drawn, (given) => {
      const lengthOf = lengthIn(given.triangle);
      const reference = referencePairs(given.n, lengthOf, given.maxDimension, given.modulus).filter(
        ({ birth, death }) => death === null || diameter(death, lengthOf) > diameter(birth, lengthOf),
      );
      const pairs = portableRips(problemOf(given));
      expect(pairs.map(({ dimension }) => dimension)).toEqual([...Array(given.maxDimension + 1).keys()]);
      for (const ofDegree of pairs) {
        const expected = reference.filter(({ dimension }) => dimension === ofDegree.dimension);
        expect(named(ofDegree)).toEqual(
          expected.map(({ birth, death }) => `${birth} > ${death ?? ""}`).sort(),
        );
        const { dimension, births, deaths, birthSimplices, deathSimplices } = ofDegree;
        expect([...births]).toEqual(
          rows(birthSimplices!, dimension + 1).map((birth) => diameter(birth, lengthOf)),
        );
        expect([...deaths]).toEqual(
          rows(deathSimplices!, dimension + 2).map((death) =>
            death[0] === NO_VERTEX ? Infinity : diameter(death, lengthOf),
          ),
        );
      }
    }),
    { seed: SEED, numRuns: RUNS },
  );
});

test("neighbour lists give the same pairs as the matrix, lonely points aside", () => {
  fc.assert(
    fc.property(drawn, (given) => {
      const problem = problemOf(given);
      const list = padded(problem);
      expect(triangleOfList(list).filter((value) => value < Infinity).length).toBe(list.u.length);
      const [fromMatrix, fromList] = [portableRips(problem), portableRips.sparse!(list)];
      fromList.forEach((pairs, dimension) => {
        const alone = (name: string) => dimension === 0 && Number(name.split(" ")[0]) >= given.n;
        expect(named(pairs).filter((name) => !alone(name))).toEqual(named(fromMatrix[dimension]!));
      });
    }),
    { seed: SEED + 1, numRuns: RUNS },
  );
});

test("a cocycle vanishes on every simplex before the death and not on the one that kills it", () => {
  fc.assert(
    fc.property(drawn, fc.boolean(), (given, sparse) => {
      const lengthOf = lengthIn(given.triangle);
      const problem = problemOf(given);
      const all = referencePairs(given.n, lengthOf, given.maxDimension + 1, given.modulus);
      for (const pairs of sparse ? portableRips.sparse!(padded(problem)) : portableRips(problem)) {
        const { dimension, births, deaths, deathSimplices } = pairs;
        const simplices = all.flatMap(({ birth, death }) => (death ? [birth, death] : [birth]));
        const cofaces = simplices.filter((vertices) => vertices.length === dimension + 2);
        pairs.cocycles!.forEach((cocycle, k) => {
          const support = rows(cocycle.simplices, dimension + 1);
          const coefficient = new Map(support.map((face, i) => [face.join(), cocycle.coefficients[i]!]));
          expect(coefficient.size).toBe(support.length);
          if (dimension > 0) {
            // Born at the last moment at which its simplices all are later than the birth or at it.
            expect(Math.min(...support.map((face) => diameter(face, lengthOf)))).toBe(births[k]);
          }
          const valueOn = (vertices: readonly number[]) =>
            vertices.reduce((sum, _, i) => {
              const value = coefficient.get(vertices.toSpliced(i, 1).join()) ?? 0;
              return (sum + (i % 2 === 0 ? value : given.modulus - value)) % given.modulus;
            }, 0);
          for (const vertices of cofaces) {
            if (diameter(vertices, lengthOf) < deaths[k]!) expect(valueOn(vertices)).toBe(0);
          }
          if (deaths[k]! < Infinity) {
            expect(valueOn(rows(deathSimplices!, dimension + 2)[k]!)).not.toBe(0);
          }
        });
      }
    }),
    { seed: SEED + 2, numRuns: RUNS },
  );
});

test("simplices and cocycles are left out unless asked for", () => {
  const distances = Float32Array.of(1, 2, 3);
  const pairs = portableRips({
    ...problemOf({ n: 3, triangle: distances, maxDimension: 1, modulus: 2 }),
    representatives: false,
    cocycles: false,
  });
  expect(Object.keys(pairs[0]!).sort()).toEqual(["births", "deaths", "dimension"]);
});

test("simplices without exact numbers are refused before the reduction, with what would fit", () => {
  const n = 2_000;
  const distances = new Float32Array((n * (n - 1)) / 2).fill(1);
  const given = { n, triangle: distances, maxDimension: 3, modulus: 2 } as const;
  expect(() => portableRips(problemOf(given))).toThrow(
    /maxDimension 3: the simplices of 2000 points .* about 1552 points fit/,
  );
});
