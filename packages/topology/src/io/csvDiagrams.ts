// Persistence diagrams as CSV: the header `dimension,birth,death`, a point a line, `inf` for a class that never dies.

import type { PersistenceDiagram } from "../diagram.js";
import { DiagramPoints } from "./diagramPoints.js";
import { formatError, numberLines, numberText, quoted } from "./numbers.js";

const HEADER = "dimension,birth,death";

/** All points of the diagrams, in their order. */
export function formatCsvDiagrams(diagrams: readonly PersistenceDiagram[]): string {
  let text = `${HEADER}\n`;
  for (const { dimension, births, deaths } of diagrams) {
    births.forEach((birth, k) => {
      text += `${dimension},${numberText(birth)},${numberText(deaths[k]!)}\n`;
    });
  }
  return text;
}

/**
 * One diagram for each degree that occurs, ascending, points in the order of the text.
 *
 * @throws TopologyError `E_FORMAT` for text that is not, naming the line.
 */
export function parseCsvDiagrams(text: string, source = "CSV diagrams"): PersistenceDiagram[] {
  const body = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const end = body.indexOf("\n");
  const header = (end < 0 ? body : body.slice(0, end)).replace(/[\s"]/g, "").toLowerCase();
  if (header !== HEADER) throw formatError(source, 1, `header ${quoted(header)}; "${HEADER}" expected`);
  const points = new DiagramPoints();
  for (const { line, values } of numberLines(`#${body}`, source)) {
    const [dimension, birth, death] = values;
    if (dimension === undefined || birth === undefined || death === undefined || values.length !== 3) {
      throw formatError(source, line, `${values.length} values; three expected: ${HEADER}`);
    }
    const wrong = points.add(dimension, birth, death);
    if (wrong !== undefined) throw formatError(source, line, wrong);
  }
  return points.finish();
}
