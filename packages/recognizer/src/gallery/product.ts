// Dot products of many rows with some queries, by ONNX Runtime's matrix product: it reads the rows where they lie. 100,000 rows of 512
// on two cores: 8.5 ms for one query, 0.55 ms a query for 64 together; a plain loop takes 70 ms.
import { encodeOnnx, type OnnxValue } from "@topofr/formats";
import { loadRuntime } from "../onnx/nodeRuntime.js";

const ROWS = "rows";
const QUERIES = "queries";
const SCORES = "scores";

export interface Product {
  /**
   * @param rows [count, dimension]
   * @param queries [dimension, width]: a query a column
   * @returns [count, width]
   */
  run(rows: Float32Array, queries: Float32Array, dimension: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * @param threads null: all cores
 * @throws E_SETUP when ONNX Runtime cannot be loaded
 */
export async function openProduct(threads: number | null): Promise<Product> {
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(matrixProduct(), {
    logSeverityLevel: 3, // errors
    ...(threads !== null && { intraOpNumThreads: threads }),
  });
  return {
    async run(rows, queries, dimension) {
      const count = rows.length / dimension;
      const width = queries.length / dimension;
      const result = await session.run({
        [ROWS]: new Tensor("float32", rows, [count, dimension]),
        [QUERIES]: new Tensor("float32", queries, [dimension, width]),
      });
      return result[SCORES]!.data as Float32Array;
    },
    close: () => session.release(),
  };
}

function matrixProduct(): Uint8Array {
  const value = (name: string, shape: string[]): OnnxValue => ({ name, dtype: "float32", shape });
  return encodeOnnx({
    irVersion: 7,
    opset: 13,
    producer: "topofr",
    producerVersion: "",
    metadata: {},
    graph: {
      name: "products",
      nodes: [{ name: SCORES, op: "MatMul", inputs: [ROWS, QUERIES], outputs: [SCORES], attributes: {} }],
      weights: [],
      inputs: [value(ROWS, ["count", "dimension"]), value(QUERIES, ["dimension", "width"])],
      outputs: [value(SCORES, ["count", "width"])],
    },
  });
}
