// Which family a detector is of, and which output is what, from the shapes of its outputs: for each stride one of four columns (the box),
// one of ten (five points), and one (SCRFD) or two (YuNet) of one column (the score). Names and order differ from export to export and
// do not matter: of one stride all have the same number of rows, and YuNet multiplies its two scores.
import { TopofrError } from "@topofr/formats/error";
import type { NetworkOutput } from "../onnx/network.js";
import { type Decoder, SCRFD, YUNET } from "./decoders.js";

/** The outputs of one stride. */
export interface Level {
  /** Pixels of the input from cell to cell. */
  stride: number;
  /** Cells in a row of the picture. */
  columns: number;
  /** Rows of the outputs: cells times anchors. */
  rows: number;
  anchors: number;
  /** [rows], one or two of them. */
  scores: readonly Float32Array[];
  /** [rows, 4] */
  boxes: Float32Array;
  /** [rows, 10] */
  points: Float32Array;
}

const FIRST_STRIDE = 8;
const MOST_ANCHORS = 2;

interface Table {
  rows: number;
  columns: number;
  data: Float32Array;
}

/**
 * @param size of the input that gave these outputs
 * @throws E_MODEL when they are of neither family
 */
export function detectorOutputs(
  name: string,
  names: readonly string[],
  outputs: readonly NetworkOutput[],
  size: { width: number; height: number },
): { decoder: Decoder; levels: Level[] } {
  const fail = (what: string) =>
    new TopofrError(
      "E_MODEL",
      `${name}: ${what}; expected a YuNet or SCRFD face detector with five landmarks. Its outputs: ` +
        names.map((one, k) => `${one} [${outputs[k]!.dims.join(", ")}]`).join(", "),
    );
  const tables = outputs.map(({ dims, data }): Table => {
    const [columns = 0, rows = 0, ...others] = [...dims].reverse();
    if (others.some((n) => n !== 1)) throw fail(`${dims.length} dimensions in an output`);
    return { rows, columns, data };
  });
  if (tables.every(({ columns }) => columns !== 10))
    throw fail(
      tables.some(({ columns }) => columns === 4)
        ? "it finds boxes without landmarks"
        : "it is not a face detector (if it is the embedding network, give it as `model`)",
    );
  // The finest stride has the most rows.
  const heights = [...new Set(tables.map(({ rows }) => rows))].sort((a, b) => b - a);
  const levels = heights.map((rows, k): Level => {
    const own = tables.filter((table) => table.rows === rows);
    const of = (columns: number) => own.filter((table) => table.columns === columns).map(({ data }) => data);
    const [scores, boxes, points] = [of(1), of(4), of(10)];
    const stride = FIRST_STRIDE * 2 ** k;
    const columns = Math.ceil(size.width / stride);
    const anchors = rows / (columns * Math.ceil(size.height / stride));
    const complete = scores.length >= 1 && scores.length <= 2 && boxes.length === 1 && points.length === 1;
    if (!complete || own.length !== scores.length + 2)
      throw fail(`outputs of ${rows} rows do not fit together`);
    if (!Number.isInteger(anchors) || anchors < 1 || anchors > MOST_ANCHORS)
      throw fail(`${rows} rows are no grid of stride ${stride} on ${size.width}x${size.height} pixels`);
    return { stride, columns, rows, anchors, scores, boxes: boxes[0]!, points: points[0]! };
  });
  const [kinds] = [new Set(levels.map(({ scores }) => scores.length))];
  if (kinds.size !== 1) throw fail("strides with one score and with two");
  const decoder = kinds.has(2) ? YUNET : SCRFD;
  if (decoder === YUNET && levels.some(({ anchors }) => anchors !== 1))
    throw fail("two anchors and two scores");
  return { decoder, levels };
}
