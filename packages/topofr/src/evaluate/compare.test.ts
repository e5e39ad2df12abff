// Reports in tables and as curves, and read back from JSON.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type BenchmarkReport, reportOnScores } from "./benchmark.js";
import { curvesOf, distinguish, readEvaluations } from "./compare.js";
import type { Evaluation, EvaluationHead } from "./evaluateModel.js";
import { evaluationTables } from "./report.js";

const folder = mkdtempSync(join(tmpdir(), "topofr-compare-"));
afterAll(() => rmSync(folder, { recursive: true }));

const same = Uint8Array.from({ length: 40 }, (_, k) => 1 - (k % 2));
const scores = Float64Array.from(same, (flag) => (flag === 1 ? 0.9 : 0.1));
const pairs = reportOnScores({ scores, same, folds: 10 });
const ijb = reportOnScores({ scores, same, folds: 0 });
const curve = [
  { far: 0, tar: 0.5 },
  { far: 1, tar: 1 },
];
const groups: BenchmarkReport = {
  kind: "groups",
  images: 9,
  groups: [
    {
      ...{
        name: "Mask",
        images: 5,
        identities: 2,
        genuines: 4,
        impostors: 6,
        auc: 0.9,
        eer: 0.1,
        reason: null,
        roc: curve,
      },
      tarAtFar: [
        { far: 1e-6, farReached: 0, tar: 0.25, threshold: 0.8, note: "too few" },
        { far: 1e-3, farReached: 0, tar: 0.75, threshold: 0.5, note: null },
      ],
    },
    {
      ...{ name: "One", images: 4, identities: 1, genuines: 6, impostors: 0, auc: null, eer: null },
      ...{ tarAtFar: null, roc: null, reason: "no pair of two identities" },
    },
  ],
};
const identification = {
  galleries: [
    {
      name: "G1",
      subjects: 3,
      matedProbes: 2,
      nonMatedProbes: 1,
      ranks: null,
      reason: null,
      tpirAtFpir: null,
    },
    {
      ...{ name: "G2", subjects: 4, matedProbes: 2, nonMatedProbes: 1, ranks: null, reason: null },
      tpirAtFpir: [{ fpir: 0.1, fpirReached: 0, tpir: 0.5, threshold: 0.3, note: "FPIR 0.1 of 1 probe" }],
    },
  ],
  mean: { ranks: [{ rank: 1, rate: 0.9 }], tpirAtFpir: [{ fpir: 0.1, tpir: 0.5 }] },
  closedSet: { subjects: 7, probes: 4, ranks: [{ rank: 1, rate: 0.875 }] },
};

function evaluation(
  model: string,
  benchmark: string,
  report: BenchmarkReport,
  more: Partial<EvaluationHead> = {},
): Evaluation {
  const head = {
    source: `${model}.onnx`,
    network: null,
    data: benchmark,
    pairList: null,
    flip: true,
    imagesPerSecond: 10,
  };
  return { model, benchmark, ...head, warnings: [], ...more, ...report };
}

describe("tables", () => {
  test("one evaluation: its own table, the row named by the benchmark", () => {
    const text = evaluationTables([evaluation("net", "lfw", pairs)]);
    expect(text).toMatch(/^ +accuracy % +AUC .*TAR% @FAR 1e-4\n-+\nlfw +100\.00 ± 0\.00 +1\.00000/);
    expect(text).toContain("40 pairs (20 same), 10 folds");
  });

  test("several: a row a model, columns a benchmark; then each kind with all its numbers", () => {
    const withSearch = { ...ijb, identification } as BenchmarkReport;
    const text = evaluationTables([
      evaluation("a", "lfw", pairs),
      evaluation("b", "lfw", pairs),
      evaluation("b", "IJBC", withSearch),
      evaluation("a", "mfr", groups),
    ]);
    const [summary, lfw, ijbc, search, mfr] = text.split("\n\n").map((table) => table.split("\n"));
    const cells = (line: string) => line.split(/ {2,}/);
    expect(cells(summary![0]!).slice(1)).toEqual([
      "lfw %",
      "IJBC @1e-5",
      "IJBC @1e-4",
      "IJBC rank 1",
      "mfr Mask",
      "mfr One",
    ]);
    expect(cells(summary![2]!)).toEqual(["a", "100.00 ± 0.00", "-", "-", "-", "75.00 @1e-3", "-"]);
    expect(cells(summary![3]!)).toEqual(["b", "100.00 ± 0.00", "100.00*", "100.00*", "87.50", "-", "-"]);
    expect(lfw!.slice(2, 4).map((line) => cells(line)[0])).toEqual(["lfw, a", "lfw, b"]);
    expect(cells(ijbc![0]!).slice(0, 2)).toEqual(["1:1", "TAR% @FAR 1e-6"]);
    expect(cells(search![0]!)).toEqual(["1:N", "rank-1 %", "TPIR% @FPIR 1e-1"]);
    expect(cells(search![2]!)).toEqual(["IJBC, b", "87.50", "50.00*"]);
    expect(search).toContain(
      "galleries G1 3, G2 4 subjects; ranks: closed set of all 7 subjects; TPIR: mean over the galleries",
    );
    expect(search).toContain("* FPIR 0.1 of 1 probe");
    expect(cells(mfr![2]!)).toEqual(["Mask", "25.00*", "75.00", "0.90000", "10.00", "5", "2", "4", "6"]);
    expect(cells(mfr![3]!)).toEqual(["One", "-", "-", "-", "-", "4", "1", "6", "0"]);
    expect(mfr).toContain("One: no pair of two identities");
  });
});

test("every report has its curves; of groups, one each that has both kinds of pairs", () => {
  const curves = curvesOf([
    evaluation("a", "lfw", pairs),
    evaluation("a", "IJBC", ijb),
    evaluation("a", "mfr", groups),
  ]);
  expect(curves.map(({ name, impostors }) => [name, impostors])).toEqual([
    ["lfw", 20],
    ["IJBC", 20],
    ["mfr: Mask", 6],
  ]);
});

describe("reports in files", () => {
  const write = (text: string) => {
    const path = join(folder, "report.json");
    writeFileSync(path, text);
    return path;
  };

  test("one or a list, as --json prints them", async () => {
    const one = evaluation("a", "lfw", pairs);
    const search = evaluation("a", "IJBC", { ...ijb, identification } as BenchmarkReport);
    const list = [one, evaluation("a", "mfr", groups), search];
    const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;
    expect(await readEvaluations(write(JSON.stringify(one)))).toEqual([plain(one)]);
    expect(await readEvaluations(write(JSON.stringify(list)))).toEqual(plain(list));
    expect(evaluationTables(await readEvaluations(write(JSON.stringify(list))))).toBe(evaluationTables(list));
  });

  test.each([
    ["{", "not JSON"],
    ["{}", "not a report of topofr evaluate (kind: "],
    ["[]", "not a report of topofr evaluate"],
    [JSON.stringify({ ...evaluation("a", "lfw", pairs), auc: "high" }), "(auc: "],
    [
      JSON.stringify([evaluation("a", "lfw", pairs), { ...evaluation("b", "lfw", pairs), roc: [1] }]),
      "(1.roc.0: ",
    ],
  ])("%.40s is E_FORMAT", async (text, message) => {
    await expect(readEvaluations(write(text))).rejects.toMatchObject({
      code: "E_FORMAT",
      message: expect.stringContaining(message) as string,
    });
  });
});

test("models that are called alike get other names", () => {
  const named = distinguish([
    evaluation("net", "lfw", pairs, { source: "x/net.onnx" }),
    evaluation("net", "lfw", pairs, { source: "y/net.onnx" }),
    evaluation("net", "lfw", pairs, { source: "y/net.onnx", flip: false }),
    evaluation("net", "IJBC", ijb),
    evaluation("other", "lfw", pairs),
    evaluation("other", "lfw", pairs),
  ]);
  expect(named.map(({ model }) => model)).toEqual([
    "net (x/net.onnx)",
    "net (y/net.onnx)",
    "net (no flip)",
    "net",
    "other (other.onnx)",
    "other (other.onnx) #2",
  ]);
});
