// Reports as plain-text tables. Returns strings; printing belongs to the command line.

import type { GroupsBenchmarkReport, IjbBenchmarkReport } from "./benchmark.js";
import type { Evaluation } from "./evaluateModel.js";
import type { GroupRow } from "./groups.js";
import type { IdentificationReport } from "./identification.js";
import type { VerificationReport } from "./verification.js";

export interface NamedReport {
  name: string;
  report: VerificationReport;
}

interface RatePoint {
  far: number;
  tar: number;
  note: string | null;
}

const NONE = "-";
const percent = (value: number) => (100 * value).toFixed(2);
const percentOr = (value: number | null | undefined) => (value == null ? NONE : percent(value));

/**
 * Everything about some evaluations: with more than one, a table with a row per model and the numbers that papers quote; then a table
 * with all numbers for each kind of benchmark. No trailing newline.
 */
export function evaluationTables(evaluations: readonly Evaluation[]): string {
  const names = rowNames(evaluations);
  const named = evaluations.map((evaluation, k) => ({ name: names[k]!, report: evaluation }));
  const ofKind = <Kind extends Evaluation["kind"]>(kind: Kind) =>
    named.filter((each): each is { name: string; report: Extract<Evaluation, { kind: Kind }> } => {
      return each.report.kind === kind;
    });
  const [pairs, ijb, groups] = [ofKind("pairs"), ofKind("ijb"), ofKind("groups")];
  return [
    evaluations.length > 1 ? summaryTable(evaluations) : "",
    pairs.length > 0 ? verificationTable(pairs) : "",
    ijb.length > 0 ? templateTable(ijb) : "",
    identificationTable(ijb),
    groups.length > 0 ? groupTable(groups) : "",
  ]
    .filter((text) => text !== "")
    .join("\n\n");
}

/** What tells the rows apart: the benchmark, the model, or both. */
export function rowNames(evaluations: readonly Pick<Evaluation, "model" | "benchmark">[]): string[] {
  const models = new Set(evaluations.map(({ model }) => model)).size;
  const benchmarks = new Set(evaluations.map(({ benchmark }) => benchmark)).size;
  return evaluations.map(({ model, benchmark }) => {
    if (models === 1) return benchmark;
    return benchmarks === 1 ? model : `${benchmark}, ${model}`;
  });
}

/** A row per model; of each benchmark the numbers that papers quote. */
export function summaryTable(evaluations: readonly Evaluation[]): string {
  const columns: string[] = [];
  const rows = new Map<string, Map<string, string>>();
  for (const evaluation of evaluations) {
    const row = rows.get(evaluation.model) ?? new Map<string, string>();
    rows.set(evaluation.model, row);
    for (const [column, text] of headlines(evaluation)) {
      if (!columns.includes(column)) columns.push(column);
      row.set(column, text);
    }
  }
  const table = [
    ["", ...columns],
    ...[...rows].map(([model, cells]) => [model, ...columns.map((column) => cells.get(column) ?? NONE)]),
  ];
  return layOut(table).join("\n");
}

function headlines(evaluation: Evaluation): [column: string, text: string][] {
  const { benchmark: name } = evaluation;
  switch (evaluation.kind) {
    case "pairs":
      return [[`${name} %`, `${percent(evaluation.accuracy)} ± ${percent(evaluation.accuracyStd)}`]];
    case "ijb": {
      const rankOne = evaluation.identification && ranksOf(evaluation.identification)?.[0];
      return [
        ...evaluation.tarAtFar
          .filter(({ far }) => far === 1e-4 || far === 1e-5)
          .map((point): [string, string] => [`${name} @${power(point.far)}`, tarCell(point)]),
        ...(rankOne ? ([[`${name} rank ${rankOne.rank}`, percent(rankOne.rate)]] as [string, string][]) : []),
      ];
    }
    case "groups":
      return evaluation.groups.map((group): [string, string] => {
        const point = strictestSteady(group);
        return [`${name} ${group.name}`, point === null ? NONE : `${tarCell(point)} @${power(point.far)}`];
      });
  }
}

/** TAR at the lowest FAR that enough pairs stand behind, else at the highest. */
function strictestSteady({ tarAtFar }: GroupRow): RatePoint | null {
  if (tarAtFar === null) return null;
  const steady = tarAtFar.filter(({ note }) => note === null).sort((a, b) => a.far - b.far);
  return steady[0] ?? tarAtFar.at(-1) ?? null;
}

/**
 * One row per report: accuracy ± std, AUC, EER and TAR at each FAR, all in percent but AUC. A `*` marks a
 * TAR that too few different pairs can carry; the notes below the table say why. No trailing newline.
 */
export function verificationTable(reports: readonly NamedReport[]): string {
  const fars = allFars(reports.map(({ report }) => report));
  const header = ["", "accuracy %", "AUC", "EER %", ...fars.map(tarColumn)];
  const rows = reports.map(({ name, report }) => [
    name,
    `${percent(report.accuracy)} ± ${percent(report.accuracyStd)}`,
    report.auc.toFixed(5),
    percent(report.eer),
    ...tarCells(report, fars),
  ]);
  const sizes = reports.map(({ name, report }): [string, string] => {
    const { pairs, samePairs, images } = report;
    const ofImages = images === null ? "" : ` ${images} images,`;
    return [name, `${pairs} pairs (${samePairs} same),${ofImages} ${report.perFold.length} folds`];
  });
  const cautions = cautionLines(reports.map(({ report }) => report));
  return [...layOut([header, ...rows]), ...sizeLines(sizes), ...cautions].join("\n");
}

type Named<Report> = { name: string; report: Report };

function templateTable(reports: readonly Named<IjbBenchmarkReport>[]): string {
  const fars = allFars(reports.map(({ report }) => report));
  const header = ["1:1", ...fars.map(tarColumn), "AUC", "EER %"];
  const rows = reports.map(({ name, report }) => [
    name,
    ...tarCells(report, fars),
    report.auc.toFixed(5),
    percent(report.eer),
  ]);
  const sizes = reports.map(({ name, report }): [string, string] => {
    const { genuines, impostors, templates, images } = report;
    const ofImages = images === null ? "" : `, ${templates} templates, ${images} images`;
    return [name, `${genuines + impostors} pairs (${genuines} same)${ofImages}`];
  });
  const cautions = cautionLines(reports.map(({ report }) => report));
  return [...layOut([header, ...rows]), ...sizeLines(sizes), ...cautions].join("\n");
}

/** Empty when no report has identification. */
function identificationTable(reports: readonly Named<IjbBenchmarkReport>[]): string {
  const found = reports.flatMap(({ name, report }) =>
    report.identification === null ? [] : [{ name, report: report.identification }],
  );
  if (found.length === 0) return "";
  const ranks = [...new Set(found.flatMap(({ report }) => (ranksOf(report) ?? []).map(({ rank }) => rank)))];
  const fpirs = [
    ...new Set(found.flatMap(({ report }) => (report.mean.tpirAtFpir ?? []).map(({ fpir }) => fpir))),
  ].sort((a, b) => a - b);
  const header = [
    "1:N",
    ...ranks.map((rank) => `rank-${rank} %`),
    ...fpirs.map((fpir) => `TPIR% @FPIR ${power(fpir)}`),
  ];
  const rows = found.map(({ name, report }) => [
    name,
    ...ranks.map((rank) => percentOr(ranksOf(report)?.find((each) => each.rank === rank)?.rate)),
    ...fpirs.map((fpir) => {
      const tpir = report.mean.tpirAtFpir?.find((each) => each.fpir === fpir)?.tpir;
      return percentOr(tpir) + (tpir !== undefined && fpirNotes(report, fpir).length > 0 ? "*" : "");
    }),
  ]);
  const sizes = found.map(({ name, report }): [string, string] => {
    const galleries = report.galleries
      .map(({ name: gallery, subjects }) => `${gallery} ${subjects}`)
      .join(", ");
    const closed =
      report.closedSet === null ? "" : `; ranks: closed set of all ${report.closedSet.subjects} subjects`;
    return [name, `galleries ${galleries} subjects${closed}; TPIR: mean over the galleries`];
  });
  const notes = new Set(found.flatMap(({ report }) => fpirs.flatMap((fpir) => fpirNotes(report, fpir))));
  return [...layOut([header, ...rows]), ...sizeLines(sizes), ...[...notes].map((note) => `* ${note}`)].join(
    "\n",
  );
}

/** Of the closed set; where a subject is in two galleries, the mean over them. */
const ranksOf = ({ closedSet, mean }: IdentificationReport) => closedSet?.ranks ?? mean.ranks;

const fpirNotes = ({ galleries }: IdentificationReport, fpir: number): string[] =>
  galleries.flatMap(({ tpirAtFpir }) =>
    (tpirAtFpir ?? []).flatMap((point) => (point.fpir === fpir && point.note !== null ? [point.note] : [])),
  );

function groupTable(reports: readonly Named<GroupsBenchmarkReport>[]): string {
  const all = reports.flatMap(({ name, report }) =>
    report.groups.map((group) => ({
      name: reports.length > 1 ? `${name}: ${group.name}` : group.name,
      group,
    })),
  );
  const fars = allFars(all.map(({ group }) => group));
  const header = ["group", ...fars.map(tarColumn), "AUC", "EER %", "images", "people", "same", "different"];
  const rows = all.map(({ name, group }) => [
    name,
    ...tarCells(group, fars),
    group.auc?.toFixed(5) ?? NONE,
    percentOr(group.eer),
    ...[group.images, group.identities, group.genuines, group.impostors].map(String),
  ]);
  const reasons = all.flatMap(({ name, group }) =>
    group.reason === null ? [] : [`${name}: ${group.reason}`],
  );
  const cautions = cautionLines(all.map(({ group }) => group));
  return [...layOut([header, ...rows]), ...reasons, ...cautions].join("\n");
}

const power = (rate: number) => rate.toExponential(0);
const tarColumn = (far: number) => `TAR% @FAR ${power(far)}`;
const tarCell = ({ tar, note }: RatePoint) => percent(tar) + (note === null ? "" : "*");

interface HasRates {
  tarAtFar: readonly RatePoint[] | null;
}

/** The FARs of all reports, in the order of the first that has each. */
function allFars(reports: readonly HasRates[]): number[] {
  return [...new Set(reports.flatMap(({ tarAtFar }) => (tarAtFar ?? []).map(({ far }) => far)))];
}

function tarCells({ tarAtFar }: HasRates, fars: readonly number[]): string[] {
  return fars.map((far) => {
    const point = tarAtFar?.find((candidate) => candidate.far === far);
    return point === undefined ? NONE : tarCell(point);
  });
}

function cautionLines(reports: readonly HasRates[]): string[] {
  const notes = reports.flatMap(({ tarAtFar }) => (tarAtFar ?? []).flatMap(({ note }) => note ?? []));
  return [...new Set(notes)].map((note) => `* ${note}`);
}

/** What stands behind the rows: one line when it is the same for all. */
function sizeLines(sizes: readonly (readonly [name: string, size: string])[]): string[] {
  const names = new Map<string, string[]>();
  for (const [name, size] of sizes) names.set(size, [...(names.get(size) ?? []), name]);
  return [...names].map(([size, of]) => (names.size === 1 ? size : `${of.join(", ")}: ${size}`));
}

/** The first column to the left, the others to the right, a rule under the header. */
function layOut(table: readonly (readonly string[])[]): string[] {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join("  "),
  );
  return [lines[0]!, "-".repeat(lines[0]!.length), ...lines.slice(1)];
}
