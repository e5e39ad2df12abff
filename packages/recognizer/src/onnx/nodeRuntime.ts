// ONNX Runtime in Node. It is loaded when the first model is opened.
import { stat } from "node:fs/promises";
import { fileError, TopofrError } from "@topofr/formats";
import type { ModelCard } from "../card/modelCard.js";
import { type Network, type NetworkOptions, oneLine, openNetwork } from "./network.js";
import { createOnnxModel, type OnnxModel } from "./onnxModel.js";

type NodeRuntime = typeof import("onnxruntime-node");

/** @throws E_SETUP when ONNX Runtime cannot be loaded */
export async function loadRuntime(): Promise<NodeRuntime> {
  try {
    const runtime = await import("onnxruntime-node");
    return (runtime as NodeRuntime & { default?: NodeRuntime }).default ?? runtime;
  } catch (cause) {
    throw new TopofrError(
      "E_SETUP",
      `ONNX models need ONNX Runtime, which comes with @topofr/recognizer but cannot be loaded here (${oneLine(cause)}); ` +
        "install it again: npm install onnxruntime-node",
      { cause },
    );
  }
}

/**
 * @param path only names the network where `bytes` are given
 * @throws E_SETUP; E_FILE; E_FORMAT when ONNX Runtime cannot load it
 */
export async function openNodeNetwork(
  path: string,
  bytes: Uint8Array | null,
  options: NetworkOptions,
): Promise<Network> {
  if (bytes === null) {
    const found = await stat(path).catch((error) => {
      throw fileError(path, "open the ONNX model", error);
    });
    if (!found.isFile()) throw new TopofrError("E_FILE", `${path}: is not a file; name an ONNX model`);
  }
  return openNetwork(await loadRuntime(), path, bytes ?? path, options);
}

/**
 * Opens the file and embeds one black image, so that a model that cannot work fails here.
 *
 * @param options.threads of the runtime; null: all cores
 * @param options.bytes the model, where it is not in the file yet; `path` then only names it
 * @throws E_SETUP when ONNX Runtime cannot be loaded; E_FILE; E_FORMAT when it cannot load the file; E_MODEL when the network
 *   is not one of faces: [batch, 3, size, size] or [batch, size, size, 3] float32 in, [batch, dimension] float32 out
 */
export async function openOnnxModel(
  path: string,
  card: ModelCard,
  {
    threads = null,
    bytes = null,
    executionProviders = null,
  }: Partial<NetworkOptions> & { bytes?: Uint8Array | null } = {},
): Promise<OnnxModel> {
  return createOnnxModel(await openNodeNetwork(path, bytes, { threads, executionProviders }), card);
}
