// ONNX models as plain data: a graph of nodes, its weights, and what the file says of itself. Writes them, and reads what it
// writes. It knows no operator and runs nothing.
import { TopofrError } from "./error.js";
import {
  ATTRIBUTE_TYPE,
  type AttributeProto,
  ELEMENT_TYPE,
  MODEL_PROTO,
  type ModelProto,
  type TensorProto,
  type ValueInfoProto,
} from "./onnxMessage.js";
import { printable } from "./printable.js";
import { elementCount, isCount } from "./tensorEntry.js";

export type OnnxDType = keyof typeof ELEMENT_TYPE;

/** Bytes in one element. */
export const ONNX_ITEM_SIZE: Readonly<Record<OnnxDType, number>> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  int32: 4,
  int64: 8,
  float16: 2,
};

export interface OnnxTensor {
  readonly name: string;
  readonly dtype: OnnxDType;
  readonly shape: readonly number[];
  /** Little-endian, row-major. */
  readonly data: Uint8Array;
}

/** A list of numbers is `ints`; `{ float }` tells 1.0 from 1. */
export type OnnxAttribute = number | readonly number[] | { readonly float: number };

export interface OnnxNode {
  readonly name: string;
  /** Operator of the standard set, such as "Conv". */
  readonly op: string;
  /** Names of values; "" for one that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxValue {
  readonly name: string;
  readonly dtype: OnnxDType;
  /** A name stands for any number. Null: not stated. */
  readonly shape: readonly (number | string)[] | null;
}

export interface OnnxFile {
  /** Of the file format; it goes with the opset. */
  readonly irVersion: number;
  /** Version of the standard operators. */
  readonly opset: number;
  readonly producer: string;
  readonly producerVersion: string;
  readonly graph: {
    readonly name: string;
    /** In an order in which they can be run. */
    readonly nodes: readonly OnnxNode[];
    readonly weights: readonly OnnxTensor[];
    readonly inputs: readonly OnnxValue[];
    readonly outputs: readonly OnnxValue[];
  };
  readonly metadata: Readonly<Record<string, string>>;
}

const MAX_BYTES = 2 ** 31 - 1; // of a protobuf message; larger models need external data

/** @throws E_USAGE when a weight's bytes do not fit its shape, or the model does not fit into one file (2 GiB) */
export function encodeOnnx({ graph, ...file }: OnnxFile): Uint8Array {
  let bytes = 0;
  for (const { name, dtype, shape, data } of graph.weights) {
    const expected = elementCount(shape) * ONNX_ITEM_SIZE[dtype];
    if (data.length !== expected)
      throw new TopofrError(
        "E_USAGE",
        `ONNX weight "${name}": ${dtype} of shape [${shape}] takes ${expected} bytes, the data have ${data.length}`,
      );
    bytes += data.length;
  }
  if (bytes > MAX_BYTES)
    throw new TopofrError(
      "E_USAGE",
      `ONNX weights of ${bytes} bytes; one file holds ${MAX_BYTES}; use float16`,
    );
  const message: ModelProto = {
    irVersion: file.irVersion,
    producerName: file.producer,
    producerVersion: file.producerVersion,
    graph: {
      name: graph.name,
      node: graph.nodes.map(({ name, op, inputs, outputs, attributes }) => ({
        name,
        opType: op,
        input: [...inputs],
        output: [...outputs],
        attribute: Object.entries(attributes).map(([key, value]) => attributeProto(key, value)),
      })),
      initializer: graph.weights.map(({ name, dtype, shape, data }) => ({
        name,
        dataType: ELEMENT_TYPE[dtype],
        dims: [...shape],
        rawData: data,
      })),
      input: graph.inputs.map(valueProto),
      output: graph.outputs.map(valueProto),
    },
    opsetImport: [{ domain: "", version: file.opset }],
    metadataProps: Object.entries(file.metadata).map(([key, value]) => ({ key, value })),
  };
  return MODEL_PROTO.encode(message).finish();
}

function attributeProto(name: string, value: OnnxAttribute): AttributeProto {
  if (typeof value === "number") return { name, type: ATTRIBUTE_TYPE.int, i: value };
  if ("float" in value) return { name, type: ATTRIBUTE_TYPE.float, f: value.float };
  return { name, type: ATTRIBUTE_TYPE.ints, ints: [...value] };
}

function valueProto({ name, dtype, shape }: OnnxValue): ValueInfoProto {
  const dim = shape?.map((n) => (typeof n === "number" ? { dimValue: n } : { dimParam: n }));
  return { name, type: { tensorType: { elemType: ELEMENT_TYPE[dtype], ...(dim && { shape: { dim } }) } } };
}

/**
 * Reads a model of the kind that `encodeOnnx` writes: standard operators, weights as raw bytes of a known type.
 *
 * @throws E_FORMAT, beginning with `source`, when it is damaged or of another kind
 */
export function decodeOnnx(bytes: Uint8Array, source: string): OnnxFile {
  const fail = (what: string, cause?: unknown) =>
    new TopofrError("E_FORMAT", `${source}: ${what}`, { cause });
  let message: ModelProto;
  try {
    const options = { longs: Number, defaults: true, arrays: true };
    message = MODEL_PROTO.toObject(MODEL_PROTO.decode(bytes), options) as unknown as ModelProto;
  } catch (cause) {
    throw fail(`not an ONNX model: ${printable((cause as Error).message)}`, cause);
  }
  const { graph } = message;
  const opset = message.opsetImport.find(({ domain }) => domain === "")?.version;
  if (!graph || opset === undefined)
    throw fail("not an ONNX model: no graph, or no version of its operators");
  return {
    irVersion: message.irVersion,
    opset,
    producer: message.producerName,
    producerVersion: message.producerVersion,
    graph: {
      name: graph.name,
      nodes: graph.node.map(({ name, opType, domain, input, output, attribute }) => {
        if (domain) throw fail(`node "${printable(name)}" is of the operators "${printable(domain)}"`);
        const attributes = attribute.map((one) => [one.name, attributeOf(one, name, fail)] as const);
        return {
          name,
          op: opType,
          inputs: input,
          outputs: output,
          attributes: Object.fromEntries(attributes),
        };
      }),
      weights: graph.initializer.map((one) => tensorOf(one, fail)),
      inputs: graph.input.map((one) => valueInfoOf(one, fail)),
      outputs: graph.output.map((one) => valueInfoOf(one, fail)),
    },
    metadata: Object.fromEntries(message.metadataProps.map(({ key, value }) => [key, value])),
  };
}

type Fail = (what: string) => TopofrError;

const DTYPE_OF = new Map<number, OnnxDType>(
  Object.entries(ELEMENT_TYPE).map(([name, code]) => [code, name as OnnxDType]),
);

function attributeOf({ name, type, f, i, ints }: AttributeProto, node: string, fail: Fail): OnnxAttribute {
  if (type === ATTRIBUTE_TYPE.int) return i ?? 0;
  if (type === ATTRIBUTE_TYPE.float) return { float: f ?? 0 };
  if (type === ATTRIBUTE_TYPE.ints) return ints ?? [];
  throw fail(
    `attribute "${printable(name)}" of node "${printable(node)}" is of type ${type}, not a number or a list`,
  );
}

function dtypeOf(code: number, what: string, fail: Fail): OnnxDType {
  const dtype = DTYPE_OF.get(code);
  if (dtype !== undefined) return dtype;
  throw fail(`${what} has element type ${code}; known: ${[...DTYPE_OF.values()].join(", ")}`);
}

function tensorOf({ name, dims, dataType, rawData }: TensorProto, fail: Fail): OnnxTensor {
  const what = `weight "${printable(name)}"`;
  const dtype = dtypeOf(dataType, what, fail);
  if (!dims.every(isCount)) throw fail(`${what} has shape [${dims}], which is not made of counts`);
  const expected = elementCount(dims) * ONNX_ITEM_SIZE[dtype];
  if (rawData.length !== expected)
    throw fail(
      `${what}: ${dtype} of shape [${dims}] takes ${expected} bytes, found ${rawData.length} raw ones`,
    );
  return { name, dtype, shape: dims, data: rawData };
}

function valueInfoOf({ name, type }: ValueInfoProto, fail: Fail): OnnxValue {
  const what = `value "${printable(name)}"`;
  const tensor = type?.tensorType;
  if (!tensor) throw fail(`${what} is not a tensor`);
  const shape = tensor.shape?.dim.map(({ dimValue, dimParam }) => dimParam ?? dimValue ?? "") ?? null;
  return { name, dtype: dtypeOf(tensor.elemType, what, fail), shape };
}
