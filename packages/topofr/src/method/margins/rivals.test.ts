// The margins beside ArcFace and CosFace: each against its formula, computed one number at a time on angles, and against
// differences. Their running means and random streams.
import { TopofrError } from "@topofr/formats";
import { scope, type Tensor } from "@topofr/torch";
import { describe, expect, test } from "vitest";
import { RandomStream } from "../../random/stream.js";
import {
  classLabels,
  differencesAt,
  float64,
  gradientAt,
  numbers,
  relativeError,
} from "../method.test.support.js";
import { createMargin, type Margin } from "./margin.js";
import { MARGIN_DEFAULTS, type MarginKind, type MarginOptions } from "./marginOptions.js";

const CLASSES = 4;
const SEED = 11;
const SCALE = 64;
const stream = new RandomStream(2, "rivals test");
const LABELS = [0, 1, 2, 3, 0, 1, 2, 3];
// Angles of the true class on both sides of every bend; cosines of the others, some of them confusing.
const TRUE_ANGLES = [0.1, 0.6, 1.2, 1.7, 2.3, 2.5, 2.8, 3.05];
const COSINES = TRUE_ANGLES.map((angle, i) =>
  Array.from({ length: CLASSES }, (_, j) => (j === LABELS[i] ? Math.cos(angle) : stream.range(-0.6, 0.9))),
);
const NORMS = [3, 10.5, 20, 40, 77, 100.5, 109, 300];

const marginOf = (options: MarginOptions): Margin => createMargin(options, { classes: CLASSES, seed: SEED });

function logitsOf(margin: Margin): number[][] {
  const flat = scope(() => numbers(margin.logits(float64(COSINES), classLabels(LABELS), normColumn())));
  return LABELS.map((_, i) => flat.slice(CLASSES * i, CLASSES * (i + 1)));
}
const normColumn = () => float64(NORMS.map((norm) => [norm]));

/** ArcFace's function of the angle, with its fallback. */
const arc = (angle: number, m: number) =>
  angle + m < Math.PI ? Math.cos(angle + m) : Math.cos(angle) - m * Math.sin(m);

/** Logits with the true class's value given by `target`, the others' by `other`. */
const expected = (
  target: (angle: number, sample: number) => number,
  other: (cosine: number, sample: number) => number = (cosine) => cosine,
): number[][] =>
  COSINES.map((row, i) =>
    row.map((cosine, j) => SCALE * (j === LABELS[i] ? target(TRUE_ANGLES[i]!, i) : other(cosine, i))),
  );

const expectClose = (actual: readonly number[][], wanted: readonly number[][], tolerance = 1e-9) =>
  expect(relativeError(actual.flat(), wanted.flat())).toBeLessThan(tolerance);

test.each([1, 1.35, 2, 4])(
  "sphereface with m = %d is (-1)^k cos(m theta) - 2k, and falls all the way",
  (m1) => {
    const psi = (angle: number) => {
      let [rest, sign, steps] = [angle, 1, 0];
      for (; rest > Math.PI / m1; rest -= Math.PI / m1) [sign, steps] = [-sign, steps + 1];
      return sign * Math.cos(m1 * angle) - 2 * steps;
    };
    const logits = logitsOf(marginOf({ ...MARGIN_DEFAULTS.sphereface, m1 }));
    expectClose(logits, expected(psi));
    const own = logits.map((row, i) => row[LABELS[i]!]!);
    expect(own.every((logit, i) => i === 0 || logit < own[i - 1]!)).toBe(true);
  },
);

describe("curricularface", () => {
  test("misleading classes become c (tau + c); tau is the running mean of the true class's cosine", () => {
    const margin = marginOf({ ...MARGIN_DEFAULTS.curricularface, averaging: 0.25 });
    let tau = 0;
    for (let step = 0; step < 3; step++) {
      scope(() => margin.observe!(float64(COSINES), classLabels(LABELS), normColumn()));
      tau += 0.25 * (TRUE_ANGLES.reduce((sum, angle) => sum + Math.cos(angle), 0) / LABELS.length - tau);
    }
    expect(margin.state!()[0]).toBeCloseTo(tau, 12);
    const hard = (cosine: number, i: number) =>
      Math.acos(cosine) < Math.acos(Math.cos(TRUE_ANGLES[i]! + 0.5)) ? cosine * (tau + cosine) : cosine;
    const wanted = expected((angle) => arc(angle, 0.5), hard);
    expectClose(logitsOf(margin), wanted);
    const unchanged = expected((angle) => arc(angle, 0.5));
    expect(wanted).not.toEqual(unchanged);
  });

  test("its first batch has tau = 0.01 of its mean", () => {
    const margin = marginOf(MARGIN_DEFAULTS.curricularface);
    expect(margin.state!()).toEqual([0]);
    scope(() => margin.observe!(float64([[0.5, 0, 0, 0]]), classLabels([0]), float64([[1]])));
    expect(margin.state!()[0]).toBeCloseTo(0.005, 15);
  });
});

describe("magface", () => {
  const lengths = NORMS.map((norm) => Math.min(110, Math.max(10, norm)));

  test("the margin goes from 0.45 at length 10 to 0.8 at 110", () => {
    const m = (i: number) => 0.45 + (0.35 * (lengths[i]! - 10)) / 100;
    expectClose(
      logitsOf(marginOf(MARGIN_DEFAULTS.magface)),
      expected((angle, i) => arc(angle, m(i))),
    );
  });

  test("the regulariser is 35 (a / 110² + 1 / a), smallest at the largest length", () => {
    const { regularizer } = marginOf(MARGIN_DEFAULTS.magface);
    const values = scope(() => numbers(regularizer!(normColumn())));
    const wanted = lengths.map((a) => 35 * (a / 12100 + 1 / a));
    expect(relativeError(values, wanted)).toBeLessThan(1e-12);
    expect(values.every((value, i) => i === 0 || value <= values[i - 1]!)).toBe(true);
  });

  test("gradients flow through the length, in the margin and in the regulariser", () => {
    const inside = [12, 35, 60, 99].map((norm) => [norm]);
    const sum = (norms: Tensor) => {
      const { logits, regularizer } = marginOf(MARGIN_DEFAULTS.magface);
      const weights = float64(COSINES.slice(0, 4).map((row) => row.map((_, j) => j + 1)));
      return logits(float64(COSINES.slice(0, 4)), classLabels(LABELS.slice(0, 4)), norms)
        .mul(weights)
        .sum()
        .add(regularizer!(norms).sum());
    };
    expect(relativeError(gradientAt(inside, sum), differencesAt(inside, sum))).toBeLessThan(1e-6);
  });
});

describe("adaface", () => {
  test("is cos(theta - m z) - (m + m z), z from running mean and deviation of the lengths", () => {
    const margin = marginOf({ ...MARGIN_DEFAULTS.adaface, averaging: 0.5 });
    scope(() => margin.observe!(float64(COSINES), classLabels(LABELS), normColumn()));
    const lengths = NORMS.map((norm) => Math.min(100, norm));
    const mean = lengths.reduce((sum, value) => sum + value, 0) / lengths.length;
    const variance = lengths.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (lengths.length - 1);
    const [mu, sigma] = [(20 + mean) / 2, (100 + Math.sqrt(variance)) / 2];
    expect(relativeError(margin.state!(), [mu, sigma])).toBeLessThan(1e-12);
    const z = lengths.map((length) => Math.min(1, Math.max(-1, (0.333 * (length - mu)) / (sigma + 0.001))));
    expectClose(
      logitsOf(margin),
      expected((angle, i) => {
        const turned = Math.min(Math.PI - 0.001, Math.max(0.001, angle - 0.4 * z[i]!));
        return Math.cos(turned) - 0.4 - 0.4 * z[i]!;
      }),
    );
  });

  test("no gradient reaches the embedding through its length", () => {
    const gradient = gradientAt([[20], [60]], (norms) =>
      marginOf(MARGIN_DEFAULTS.adaface)
        .logits(float64(COSINES.slice(0, 2)), classLabels([0, 1]), norms)
        .sum()
        .add(norms.sum().mul(0)),
    );
    expect(gradient).toEqual([0, 0]);
  });
});

describe("elasticface", () => {
  const draws = (margin: number, deviation: number) => {
    const normals = new RandomStream(SEED, "elastic margins");
    return LABELS.map(() => margin + deviation * normals.normal());
  };

  test("each sample has a margin of its own, drawn from N(m, deviation²) by the seed", () => {
    const arcMargins = draws(0.5, 0.0125);
    expectClose(
      logitsOf(marginOf(MARGIN_DEFAULTS["elasticface-arc"])),
      expected((angle, i) => arc(angle, arcMargins[i]!)),
    );
    const cosMargins = draws(0.35, 0.0125);
    expectClose(
      logitsOf(marginOf(MARGIN_DEFAULTS["elasticface-cos"])),
      expected((angle, i) => Math.cos(angle) - cosMargins[i]!),
    );
  });

  test("plus: the same margins, the larger for the harder sample", () => {
    const logits = logitsOf(marginOf({ ...MARGIN_DEFAULTS["elasticface-cos"], plus: true, deviation: 0.1 }));
    const given = logits.map((row, i) => Math.cos(TRUE_ANGLES[i]!) - row[LABELS[i]!]! / SCALE);
    // The angles ascend, so must the margins.
    const wanted = draws(0.35, 0.1).sort((a, b) => a - b);
    expect(relativeError(given, wanted)).toBeLessThan(1e-12);
  });

  test("deviation 0 is ArcFace or CosFace", () => {
    const plain = (kind: "elasticface-arc" | "elasticface-cos", margin: number) =>
      logitsOf(marginOf({ ...MARGIN_DEFAULTS[kind], margin, deviation: 0 }));
    expectClose(plain("elasticface-arc", 0.5), logitsOf(marginOf(MARGIN_DEFAULTS.arcface)));
    expectClose(plain("elasticface-cos", 0.4), logitsOf(marginOf(MARGIN_DEFAULTS.cosface)));
  });
});

describe("uniface", () => {
  const unified = marginOf({ ...MARGIN_DEFAULTS.uniface, negativeWeight: 0.7 });
  const lossesOf = (cosine: Tensor) => {
    const labels = classLabels(LABELS);
    return unified.losses!(unified.logits(cosine, labels, normColumn()), labels);
  };

  test("is log(1 + e^-(s (c_y - m) - b)) + l sum log(1 + e^(s c_j - b)), b = log(10 K) at first", () => {
    const b = Math.fround(Math.log(10 * CLASSES)); // a float32 parameter
    const wanted = COSINES.map((row, i) =>
      row.reduce((sum, cosine, j) => {
        if (j === LABELS[i]) return sum + Math.log1p(Math.exp(-(SCALE * (cosine - 0.4) - b)));
        return sum + 0.7 * Math.log1p(Math.exp(SCALE * cosine - b));
      }, 0),
    );
    expect(
      relativeError(
        scope(() => numbers(lossesOf(float64(COSINES)))),
        wanted,
      ),
    ).toBeLessThan(1e-8);
  });

  test("cosines and the threshold have the gradient of differences", () => {
    const sum = (x: Tensor) => lossesOf(x).sum();
    expect(relativeError(gradientAt(COSINES, sum), differencesAt(COSINES, sum, 1e-6))).toBeLessThan(1e-6);

    const { bias } = Object.fromEntries(unified.learned!.namedParameters()) as { bias: Tensor };
    const at = (b: number) =>
      COSINES.reduce(
        (total, row, i) =>
          row.reduce((sum, cosine, j) => {
            const own = j === LABELS[i];
            const logit = SCALE * (own ? cosine - 0.4 : cosine) - b;
            return sum + (own ? Math.log1p(Math.exp(-logit)) : 0.7 * Math.log1p(Math.exp(logit)));
          }, total),
        0,
      );
    bias.grad = null;
    scope(() => lossesOf(float64(COSINES)).sum().backward());
    const b = scope(() => bias.item());
    const slope = (at(b + 1e-5) - at(b - 1e-5)) / 2e-5;
    expect(
      relativeError(
        scope(() => numbers(bias.grad!)),
        [slope],
      ),
    ).toBeLessThan(1e-5);
    bias.grad = null;
  });

  test("a sure prediction of one class among a thousand keeps its digits in float32", () => {
    const sure = createMargin(MARGIN_DEFAULTS.uniface, { classes: 1000, seed: 0 });
    const value = scope(() => {
      const labels = classLabels([0]);
      const row = Array.from({ length: 1000 }, (_, j) => (j === 0 ? 1 : 0));
      const cosine = float64([row]).to("float32");
      return sure.losses!(sure.logits(cosine, labels, float64([[1]])), labels).item();
    });
    const b = Math.log(10_000);
    expect(value).toBeCloseTo(Math.log1p(Math.exp(b - 64 * 0.6)) + 999 * Math.log1p(Math.exp(-b)), 5);
  });
});

const RIVALS = (Object.keys(MARGIN_DEFAULTS) as MarginKind[]).filter(
  (kind) => !["arcface", "cosface", "combined"].includes(kind),
);

test.each(RIVALS)("%s has the gradient of differences", (kind) => {
  // Away from the bends, where a difference would look at both sides.
  const weights = float64(COSINES.map((row, i) => row.map((_, j) => Math.sin(i + 3 * j))));
  const sum = (x: Tensor) => {
    const margin = marginOf(MARGIN_DEFAULTS[kind]); // the same draws each time
    if (kind === "curricularface") margin.restore!([0.3]);
    return margin.logits(x, classLabels(LABELS), normColumn()).mul(weights).sum();
  };
  expect(relativeError(gradientAt(COSINES, sum), differencesAt(COSINES, sum, 1e-6))).toBeLessThan(1e-6);
});

test.each(RIVALS)("%s is finite, with its gradient, at angles of 0 and pi in float32", (kind) => {
  scope(() => {
    const cosine = float64([
      [1, 0, 0, 0],
      [-1, 0.5, 1, -1],
    ]).to("float32");
    cosine.requiresGrad = true;
    const labels = classLabels([0, 0]);
    const margin = marginOf(MARGIN_DEFAULTS[kind]);
    const logits = margin.logits(cosine, labels, float64([[20], [30]]).to("float32"));
    (margin.losses?.(logits, labels) ?? logits).sum().backward();
    expect([...numbers(logits), ...numbers(cosine.grad!)].every(Number.isFinite)).toBe(true);
  });
});

test.each(RIVALS)("%s goes on from its saved state", (kind) => {
  const observe = (margin: Margin) =>
    scope(() => margin.observe?.(float64(COSINES), classLabels(LABELS), normColumn()));
  const [first, second] = [
    marginOf(MARGIN_DEFAULTS[kind]),
    createMargin(MARGIN_DEFAULTS[kind], { classes: CLASSES, seed: 5 }),
  ];
  observe(first);
  logitsOf(first);
  const state = first.state?.();
  if (state === undefined) return expect(second.restore).toBeUndefined();
  second.restore!(JSON.parse(JSON.stringify(state)) as number[]);
  for (const margin of [first, second]) observe(margin);
  expect(logitsOf(second)).toEqual(logitsOf(first));
  expect(() => second.restore!([0.5, Number.NaN, 3])).toThrow(TopofrError);
});
