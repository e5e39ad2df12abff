// An outcome as tables: the paper's table with ours, in Markdown and CSV. No files.
import type { Column, Outcome, OutcomeEntry, OutcomeRow } from "./outcome.js";
import type { PairedTest } from "./statistics.js";

export interface TextTable {
  columns: string[];
  rows: string[][];
}

/** Rows of the plan: mean ± std of every column, then the paper's columns. */
export function outcomeTable({ plan, columns, rows }: Outcome): TextTable {
  const paper = plan.paper?.columns ?? [];
  return {
    columns: ["", "n", ...columns.map(({ name }) => name), ...paper.map((name) => `paper: ${name}`)],
    rows: rows.map((row) => [
      row.label + (row.diverged > 0 ? ` (${row.diverged} diverged)` : ""),
      String(Math.max(0, ...columns.map(({ name }) => row.entries[name]!.spread?.n ?? 0))),
      ...columns.map((column) => showEntry(column, row.entries[column.name]!)),
      ...paper.map((_, i) => plan.paper!.rows[row.label]?.[i]?.toString() ?? "–"),
    ]),
  };
}

/** For each column a line for each row that has a baseline: difference, interval, t, p. */
export function testTable({ columns, rows }: Outcome): TextTable {
  return {
    columns: ["", "against", "of", "seeds", "difference", "95 % interval", "t", "p"],
    rows: columns.flatMap((column) =>
      rows.flatMap((row) => {
        const { test } = row.entries[column.name]!;
        return test === null ? [] : [testLine(row, column, test)];
      }),
    ),
  };
}

function testLine(row: OutcomeRow, column: Column, test: PairedTest): string[] {
  const show = (value: number) => signed(value, column);
  return [
    row.label,
    row.baseline!,
    column.name,
    String(test.n),
    show(test.meanDifference),
    test.t === null ? "–" : `${show(test.interval[0])} … ${show(test.interval[1])}`,
    test.t === null ? "–" : test.t.toFixed(2),
    test.p === null ? "–" : test.p < 0.001 ? "< 0.001" : test.p.toFixed(3),
  ];
}

export function markdownTable({ columns, rows }: TextTable): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}

/** A line for each row and column, in full precision: row, column, n, mean, std, interval, baseline, difference, interval, t, p. */
export function outcomeCsv({ columns, rows }: Outcome): string {
  const head = ["row", "column", "n", "mean", "std", "low", "high", "baseline"];
  const tested = ["pairs", "difference", "difference_low", "difference_high", "t", "p"];
  const lines = rows.flatMap((row) =>
    columns.map(({ name }) => {
      const { spread, test } = row.entries[name]!;
      return [
        ...[
          row.label,
          name,
          spread?.n ?? 0,
          spread?.mean,
          spread?.std,
          spread?.interval?.[0],
          spread?.interval?.[1],
        ],
        ...[
          row.baseline,
          test?.n,
          test?.meanDifference,
          test?.interval[0],
          test?.interval[1],
          test?.t,
          test?.p,
        ],
      ];
    }),
  );
  return `${[[...head, ...tested], ...lines].map((line) => line.map(csvCell).join(",")).join("\n")}\n`;
}

/** "97.21 ± 0.14" in percent; "12.4 ± 0.3" of seconds. */
export function showEntry(column: Column, { spread }: OutcomeEntry): string {
  if (spread === null) return "–";
  const { factor, digits } = formOf(column);
  const mean = (factor * spread.mean).toFixed(digits);
  return spread.std === null ? mean : `${mean} ± ${(factor * spread.std).toFixed(digits)}`;
}

/** Shares in percent. */
export function formOf({ unit }: Pick<Column, "unit">): { factor: number; digits: number; suffix: string } {
  if (unit === "share") return { factor: 100, digits: 2, suffix: " (%)" };
  return { factor: 1, digits: unit === "seconds" ? 2 : 4, suffix: unit === "seconds" ? " (s)" : "" };
}

function signed(value: number, column: Column): string {
  const { factor, digits } = formOf(column);
  return `${value < 0 ? "-" : "+"}${(factor * Math.abs(value)).toFixed(digits)}`;
}

function csvCell(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return "";
  const text = String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
