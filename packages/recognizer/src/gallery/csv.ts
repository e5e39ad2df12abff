// Comma-separated values (RFC 4180): lines in, cells out, and back. What the cells mean: embeddingTable.ts.
import { TopofrError } from "@topofr/formats";
import { textChunks } from "./textChunks.js";

const MAX_CELL = 1_000_000; // characters
const MAX_CELLS = 100_000;

export function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",")}\n`;
}

/** Rows that are not blank, with the line on which each begins. @throws E_FILE; E_FORMAT naming the line */
export async function* csvRows(path: string): AsyncGenerator<{ line: number; cells: string[] }> {
  let cells: string[] = [];
  let cell = "";
  /** Inside quotes; just behind the closing one; neither. */
  let state: "plain" | "quoted" | "closed" = "plain";
  let [line, rowLine] = [1, 1];
  const fail = (message: string) => new TopofrError("E_FORMAT", `${path}:${line}: ${message}`);
  const endCell = () => {
    if (cells.push(cell) > MAX_CELLS) throw fail(`more than ${MAX_CELLS} cells in a line`);
    [cell, state] = ["", "plain"];
  };
  for await (const chunk of textChunks(path)) {
    let from = 0; // of plain characters not yet in the cell
    for (let at = 0; at < chunk.length; at++) {
      const character = chunk[at]!;
      const isSpecial =
        character === '"' ||
        character === "\n" ||
        (state !== "quoted" && (character === "," || character === "\r"));
      if (!isSpecial) {
        if (state === "closed") throw fail(`"${character}" behind a closing quote`);
        continue;
      }
      cell += chunk.slice(from, at);
      from = at + 1;
      if (character === '"') {
        if (state === "plain" && cell !== "") throw fail("a quote inside a cell without quotes");
        if (state === "closed") cell += '"'; // a doubled one
        state = state === "quoted" ? "closed" : "quoted";
      } else if (state === "quoted") {
        cell += character;
        line++;
      } else if (character === ",") {
        endCell();
      } else if (character === "\n") {
        const isBlank = cells.length === 0 && cell === "" && state === "plain";
        endCell();
        if (!isBlank) yield { line: rowLine, cells };
        cells = [];
        rowLine = ++line;
      }
    }
    cell += chunk.slice(from);
    if (cell.length > MAX_CELL) throw fail(`a cell of more than ${MAX_CELL} characters; is a quote missing?`);
  }
  if (state === "quoted") throw fail("the file ends inside quotes");
  if (cells.length === 0 && cell === "") return;
  endCell();
  yield { line: rowLine, cells };
}
