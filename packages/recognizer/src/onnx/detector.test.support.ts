// Small face detectors as ONNX files, for tests. A "face" is a square of pure red that fills a cell of the grid of stride 8, and
// whiter or darker pixels are none: the score is red minus green. Box and landmarks have a fixed place around the cell. The name keeps it
// out of the published package.
import { encodeOnnx, type OnnxNode, type OnnxTensor } from "@topofr/formats";
import { ARCFACE_TEMPLATE, TEMPLATE_SIZE } from "../align/template.js";

export const STRIDE = 8;
/** Side of a face's box, in cells; the cell is in its middle. */
export const BOX_CELLS = 4;
/** Where the points are, in cells from the cell's corner: the template's places in the box. */
export const POINT_CELLS = ARCFACE_TEMPLATE.flat().map(
  (value) => (value / TEMPLATE_SIZE - 0.5) * BOX_CELLS + 0.5,
);
const STRIDES = [8, 16, 32];
/** Score of SCRFD's second anchor, in shares of the first's. */
const SECOND_ANCHOR = 0.9;

export interface DetectorFileOptions {
  family: "YuNet" | "SCRFD";
  /** Null: open. */
  size?: { width: number; height: number } | null;
  /** Leave out the landmarks, as some SCRFD exports do. */
  points?: boolean;
  batch?: number;
}

interface Head {
  name: string;
  stride: number;
  /** Of one row. */
  columns: number;
  /** [anchors · columns][3]: of each input channel. */
  weights: number[][];
  bias: number[];
}

export function detectorOnnx({
  family,
  size = null,
  points = true,
  batch = 1,
}: DetectorFileOptions): Uint8Array {
  const heads = STRIDES.flatMap((stride) =>
    family === "YuNet" ? yunetHeads(stride) : scrfdHeads(stride),
  ).filter(({ columns }) => points || columns !== 10);
  const nodes: OnnxNode[] = [];
  const weights: OnnxTensor[] = [];
  const node = (op: string, inputs: string[], output: string, attributes: OnnxNode["attributes"] = {}) =>
    nodes.push({ name: output, op, inputs, outputs: [output], attributes });
  const constant = (name: string, shape: number[], values: number[]) =>
    weights.push({ name, dtype: "float32", shape, data: new Uint8Array(Float32Array.from(values).buffer) });
  const whole = (name: string, values: number[]) => {
    const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    weights.push({ name, dtype: "int64", shape: [values.length], data });
  };
  for (const stride of STRIDES)
    node("AveragePool", ["picture"], `cells${stride}`, {
      kernel_shape: [stride, stride],
      strides: [stride, stride],
    });
  for (const { name, stride, columns, weights: rows, bias } of heads) {
    constant(`${name}.weight`, [rows.length, 3, 1, 1], rows.flat());
    constant(`${name}.bias`, [bias.length], bias);
    // insightface's files have [rows, columns], OpenCV's [1, rows, columns].
    whole(`${name}.shape`, family === "YuNet" ? [1, -1, columns] : [-1, columns]);
    node("Conv", [`cells${stride}`, `${name}.weight`, `${name}.bias`], `${name}.map`);
    node("Transpose", [`${name}.map`], `${name}.last`, { perm: [0, 2, 3, 1] });
    node("Reshape", [`${name}.last`, `${name}.shape`], name);
  }
  const shape = [batch, 3, size?.height ?? "H", size?.width ?? "W"];
  return encodeOnnx({
    irVersion: 8,
    opset: 13,
    producer: "test",
    producerVersion: "",
    graph: {
      name: family,
      nodes,
      weights,
      inputs: [{ name: "picture", dtype: "float32", shape }],
      outputs: heads.map(({ name }) => ({ name, dtype: "float32", shape: null })),
    },
    metadata: {},
  });
}

const NOTHING = [0, 0, 0];
const constantRows = (values: readonly number[]) => ({
  weights: values.map(() => NOTHING),
  bias: [...values],
});

/** BGR, 0..255; as OpenCV's file: all cls, obj, bbox, kps of a stride. */
function yunetHeads(stride: number): Head[] {
  const bias = stride === STRIDE ? 0 : -1; // no faces of the coarser strides
  const size = Math.log(BOX_CELLS);
  return [
    { name: `cls_${stride}`, stride, columns: 1, weights: [[0, -1 / 255, 1 / 255]], bias: [bias] },
    { name: `obj_${stride}`, stride, columns: 1, ...constantRows([1]) },
    { name: `bbox_${stride}`, stride, columns: 4, ...constantRows([0.5, 0.5, size, size]) },
    { name: `kps_${stride}`, stride, columns: 10, ...constantRows(POINT_CELLS) },
  ];
}

/** RGB, (x - 127.5) / 128, two anchors of which the second is a little less sure; names as insightface's export has them. */
function scrfdHeads(stride: number): Head[] {
  const bias = stride === STRIDE ? 0 : -1;
  const red = 128 / 255;
  const [near, far] = [(BOX_CELLS - 1) / 2, (BOX_CELLS + 1) / 2];
  const twice = (values: readonly number[]) => constantRows([...values, ...values]);
  const weights = [
    [red, -red, 0],
    [SECOND_ANCHOR * red, -SECOND_ANCHOR * red, 0],
  ];
  return [
    { name: `${440 + stride}`, stride, columns: 1, weights, bias: [bias, bias] },
    { name: `${480 + stride}`, stride, columns: 4, ...twice([near, near, far, far]) },
    { name: `${520 + stride}`, stride, columns: 10, ...twice(POINT_CELLS) },
  ];
}
