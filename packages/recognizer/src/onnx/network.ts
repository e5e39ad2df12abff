// An ONNX network in ONNX Runtime, the one of Node or the one of browsers: tensors in, tensors out. What they mean: onnxModel.ts,
// detect/detector.ts. Loading the runtime: nodeRuntime.ts, web/webRuntime.ts.
import { TopofrError } from "@topofr/formats/error";
import type { InferenceSession, InferenceSessionFactory, TensorConstructor } from "onnxruntime-node";

/** What onnxruntime-node and onnxruntime-web have in common. */
export interface Runtime {
  InferenceSession: InferenceSessionFactory;
  Tensor: TensorConstructor;
}

export interface NetworkOptions {
  /** Of the runtime; null: its own choice. */
  threads: number | null;
  /** Null: the runtime's default. */
  executionProviders: readonly string[] | null;
  /** One call of the runtime after another, also of other networks; browsers cannot do otherwise. */
  serial?: boolean;
}

export interface NetworkValue {
  readonly name: string;
  /** Null: not a tensor. A name stands for any number. */
  readonly shape: readonly (number | string)[] | null;
  readonly type: string;
}

export interface NetworkOutput {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

export interface Network {
  /** How messages call it: its path, mostly. */
  readonly name: string;
  readonly inputs: readonly NetworkValue[];
  readonly outputNames: readonly string[];
  /** @throws E_MODEL when the network fails on this input, or an output is not float32 */
  run(
    input: { name: string; data: Float32Array; shape: readonly number[] },
    outputs: readonly string[],
  ): Promise<NetworkOutput[]>;
  close(): Promise<void>;
}

/**
 * @param file a path (Node), or the bytes
 * @throws E_FORMAT when ONNX Runtime cannot load it
 */
export async function openNetwork(
  runtime: Runtime,
  name: string,
  file: string | Uint8Array,
  options: NetworkOptions,
): Promise<Network> {
  const inTurn = options.serial ? oneAfterAnother : atOnce;
  const session = await inTurn(() => createSession(runtime, name, file, options));
  return {
    name,
    inputs: session.inputMetadata.map((value) =>
      value.isTensor
        ? { name: value.name, shape: value.shape, type: value.type }
        : { name: value.name, shape: null, type: "no tensor" },
    ),
    outputNames: session.outputNames,
    async run(input, outputs) {
      const feeds = { [input.name]: new runtime.Tensor("float32", input.data, input.shape) };
      const found = await inTurn(() => session.run(feeds, [...outputs])).catch((cause) => {
        const given = `[${input.shape.join(", ")}]`;
        throw new TopofrError("E_MODEL", `${name}: fails on an input of ${given} (${oneLine(cause)})`, {
          cause,
        });
      });
      return outputs.map((output) => {
        const { type, dims, data } = found[output]!;
        if (data instanceof Float32Array) return { dims, data };
        throw new TopofrError(
          "E_MODEL",
          `${name}: output "${output}" is ${type} [${dims.join(", ")}]; expected float32`,
        );
      });
    },
    close: () => inTurn(() => session.release()),
  };
}

const atOnce = <Result>(call: () => Promise<Result>): Promise<Result> => call();

let last: Promise<unknown> = Promise.resolve();

/** Of all networks: a page has one runtime, which with WebGPU breaks when it is called while it waits. */
function oneAfterAnother<Result>(call: () => Promise<Result>): Promise<Result> {
  const result = last.then(call);
  last = result.catch(() => {});
  return result;
}

function createSession(
  runtime: Runtime,
  name: string,
  file: string | Uint8Array,
  { threads, executionProviders }: NetworkOptions,
): Promise<InferenceSession> {
  const options: InferenceSession.SessionOptions = {
    logSeverityLevel: 3, // errors
    ...(threads !== null && { intraOpNumThreads: threads }),
    ...(executionProviders !== null && { executionProviders }),
  };
  const { InferenceSession: sessions } = runtime;
  const session = typeof file === "string" ? sessions.create(file, options) : sessions.create(file, options);
  return session.catch((cause) => {
    throw new TopofrError(
      "E_FORMAT",
      `${name}: ONNX Runtime cannot load it (${oneLine(cause)}); the file is damaged or not an ONNX model`,
      { cause },
    );
  });
}

/** The first line of an error's words. */
export function oneLine(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.split("\n")[0]!.trim();
}
