// A small face "network" as an ONNX file, encoded byte by byte for tests: its embedding is the mean colour of the left and of the
// right half, [left c0, right c0, left c1, right c1, left c2, right c2]. The name keeps it out of the published package.

export interface HalvesOptions {
  /** A number, or a name for any number. */
  batch?: number | string;
  size?: number;
  /** Also give the network's inner value [batch, 3, 1, 2] as the output "pooled". */
  innerOutput?: boolean;
  layout?: "nchw" | "nhwc";
  channels?: number;
  /** Element type of the input: 1 float32, 2 uint8 (onnx.proto, TensorProto.DataType). */
  elementType?: number;
}

/** The file's bytes. Field numbers: onnx.proto. */
export function halvesOnnx({
  batch = "N",
  size = 112,
  innerOutput = false,
  layout = "nchw",
  channels = 3,
  elementType = 1,
}: HalvesOptions = {}): Uint8Array {
  const pooling = [ints("kernel_shape", [size, size / 2]), ints("strides", [size, size / 2])];
  const nodes =
    layout === "nchw"
      ? [node("AveragePool", "image", "pooled", pooling)]
      : [
          node("Transpose", "image", "planes", [ints("perm", [0, 3, 1, 2])]),
          node("AveragePool", "planes", "pooled", pooling),
        ];
  const shape = layout === "nchw" ? [batch, channels, size, size] : [batch, size, size, channels];
  const graph = message([
    ...[...nodes, node("Flatten", "pooled", "embedding", [])].map((one) => bytes(1, one)),
    text(2, "halves"),
    bytes(11, value("image", elementType, shape)),
    bytes(12, value("embedding", 1, [batch, 2 * channels])),
    ...(innerOutput ? [bytes(12, value("pooled", 1, [batch, channels, 1, 2]))] : []),
  ]);
  const opset = message([text(1, ""), integer(2, 13)]);
  return message([integer(1, 8), text(2, "test"), bytes(7, graph), bytes(8, opset)]);
}

function node(type: string, from: string, to: string, attributes: Uint8Array[]): Uint8Array {
  const own = attributes.map((attribute) => bytes(5, attribute));
  return message([text(1, from), text(2, to), text(3, to), text(4, type), ...own]);
}

const INTS = 7; // AttributeProto.AttributeType

function ints(name: string, values: number[]): Uint8Array {
  return message([text(1, name), ...values.map((one) => integer(8, one)), integer(20, INTS)]);
}

function value(name: string, elementType: number, shape: (number | string)[]): Uint8Array {
  const dimensions = shape.map((n) => bytes(1, typeof n === "number" ? integer(1, n) : text(2, n)));
  const tensor = message([integer(1, elementType), bytes(2, message(dimensions))]);
  return message([text(1, name), bytes(2, message([bytes(1, tensor)]))]);
}

const message = (fields: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(fields));
const text = (field: number, content: string) => bytes(field, Buffer.from(content));
const bytes = (field: number, content: Uint8Array) =>
  message([varint(8 * field + 2), varint(content.length), content]);
const integer = (field: number, n: number) => message([varint(8 * field), varint(n)]);

function varint(n: number): Uint8Array {
  const out: number[] = [];
  for (let rest = n; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.of(...out, rest);
    out.push((rest % 128) + 128);
  }
}
