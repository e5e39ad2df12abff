// A table of text in columns, for the terminal.

/** Columns as wide as their widest cell, numbers at the right of theirs. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, k) => Math.max(title.length, ...rows.map((row) => row[k]!.length)));
  const isNumber = head.map((_, k) => rows.every((row) => /^[-\d]/.test(row[k]!)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, k) => (isNumber[k] ? cell.padStart(widths[k]!) : cell.padEnd(widths[k]!)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
