// Verification reports as a plain-text table. Returns strings; printing belongs to the command line.

import type { VerificationReport } from "./verification.js";

export interface NamedReport {
  name: string;
  report: VerificationReport;
}

const percent = (value: number) => (100 * value).toFixed(2);

/**
 * One row per report: accuracy ± std, AUC, EER and TAR at each FAR, all in percent but AUC. A `*` marks a
 * TAR that too few different pairs can carry; the notes below the table say why. No trailing newline.
 */
export function verificationTable(reports: NamedReport[]): string {
  const fars = [...new Set(reports.flatMap(({ report }) => report.tarAtFar.map(({ far }) => far)))];
  const header = [
    "",
    "accuracy %",
    "AUC",
    "EER %",
    ...fars.map((far) => `TAR% @FAR ${far.toExponential(0)}`),
  ];
  const rows = reports.map(({ name, report }) => [
    name,
    `${percent(report.accuracy)} ± ${percent(report.accuracyStd)}`,
    report.auc.toFixed(5),
    percent(report.eer),
    ...fars.map((far) => {
      const point = report.tarAtFar.find((candidate) => candidate.far === far);
      return point === undefined ? "-" : percent(point.tar) + (point.note === null ? "" : "*");
    }),
  ]);
  return [...layOut([header, ...rows]), ...notes(reports)].join("\n");
}

/** The first column to the left, the others to the right, a rule under the header. */
function layOut(table: string[][]): string[] {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join("  "),
  );
  return [lines[0]!, "-".repeat(lines[0]!.length), ...lines.slice(1)];
}

function notes(reports: NamedReport[]): string[] {
  const sizes = new Map<string, string[]>();
  for (const { name, report } of reports) {
    const folds = report.perFold.length;
    const size = `${report.pairs} pairs (${report.samePairs} same), ${report.images} images, ${folds} folds`;
    sizes.set(size, [...(sizes.get(size) ?? []), name]);
  }
  const sizeLines = [...sizes].map(([size, names]) =>
    sizes.size === 1 ? size : `${names.join(", ")}: ${size}`,
  );
  const cautions = reports.flatMap(({ report }) => report.tarAtFar.flatMap(({ note }) => note ?? []));
  return [...sizeLines, ...[...new Set(cautions)].map((note) => `* ${note}`)];
}
