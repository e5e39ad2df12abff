// ONNX Runtime in a browser: WebAssembly, or WebGPU where asked for and there. Loaded when the first model is opened.
import { TopofrError } from "@topofr/formats/error";
import { oneLine, type Runtime } from "../onnx/network.js";

const WASM = "wasm";

export interface WebRuntimeOptions {
  executionProviders: readonly string[] | null;
  threads: number | null;
  /** URL of the folder that has the runtime's .wasm files; null: where its script is. */
  wasmPaths: string | null;
}

/**
 * `wasm` is "onnxruntime-web/wasm", everything else "onnxruntime-web/webgpu" (which has both, and is larger).
 *
 * @throws E_SETUP when it cannot be loaded
 */
export async function loadWebRuntime(options: WebRuntimeOptions): Promise<Runtime> {
  const { executionProviders, threads, wasmPaths } = options;
  const onlyWasm = (executionProviders ?? [WASM]).every((name) => name === WASM);
  try {
    const runtime = onlyWasm ? await import("onnxruntime-web/wasm") : await import("onnxruntime-web/webgpu");
    // The runtime reads these when its first session is made; later ones share them.
    runtime.env.logLevel = "error";
    if (threads !== null) runtime.env.wasm.numThreads = threads;
    if (wasmPaths !== null) runtime.env.wasm.wasmPaths = wasmPaths;
    return runtime;
  } catch (cause) {
    throw new TopofrError(
      "E_SETUP",
      `ONNX Runtime cannot be loaded (${oneLine(cause)}); without a bundler, the page's import map must have ` +
        `"onnxruntime-web/${onlyWasm ? WASM : "webgpu"}"`,
      { cause },
    );
  }
}
