// Opens a recogniser in a browser.
import { TopofrError } from "@topofr/formats/error";
import { type CardFields, completeCard } from "../card/modelCard.js";
import { checkOptions } from "../checkOptions.js";
import { createDetector } from "../detect/detector.js";
import { type Network, oneLine, openNetwork } from "../onnx/network.js";
import { createOnnxModel } from "../onnx/onnxModel.js";
import { createRecognizer } from "../recognizer.js";
import type { BasicRecognizer, CommonOptions } from "../types.js";
import { type ImageSource, readImage, sourceName } from "./readImage.js";
import { loadWebRuntime } from "./webRuntime.js";

export type Recognizer = BasicRecognizer<ImageSource>;

/** A URL to fetch, or the file's bytes. */
export type ModelSource = string | URL | Uint8Array;

export interface RecognizerOptions extends CommonOptions {
  /** The embedding network, ONNX. */
  model: ModelSource;
  /** How it wants its input. A card's file is not looked for here: give what it says. */
  card?: CardFields;
  /** A five-landmark detector, ONNX, YuNet's or SCRFD's. Without one, pictures must be aligned faces. */
  detector?: ModelSource;
  /** URL of the folder that has ONNX Runtime's .wasm files; default: where its script is. */
  wasmPaths?: string;
}

/**
 * Loads runtime, model and detector and tries both networks on black, so that files that cannot work fail here.
 *
 * @throws E_FILE for a URL that cannot be fetched; E_FORMAT for a file that is no ONNX model; E_MODEL for one of another kind; E_USAGE for
 *   wrong options; E_SETUP when ONNX Runtime cannot be loaded
 */
export async function openRecognizer(options: RecognizerOptions): Promise<Recognizer> {
  const settings = checkOptions(options, ["wasmPaths"]);
  const card = completeCard(options.card ?? {});
  const { threads } = settings;
  const executionProviders = settings.executionProviders ?? ["wasm"];
  const runtime = await loadWebRuntime({ executionProviders, threads, wasmPaths: options.wasmPaths ?? null });
  const open = async (file: FetchedFile): Promise<Network> =>
    openNetwork(runtime, file.name, file.bytes, { threads: null, executionProviders, serial: true });
  const [modelFile, detectorFile] = await Promise.all([
    fetchFile(options.model, "model"),
    options.detector === undefined ? null : fetchFile(options.detector, "detector"),
  ]);
  const model = await createOnnxModel(await open(modelFile), card);
  try {
    const stem = modelFile.name
      .replace(/[?#].*$/, "")
      .replace(/^.*\//, "")
      .replace(/\.onnx$/, "");
    const name = { name: card.name ?? stem, sha256: await sha256(modelFile.bytes) };
    const detector = detectorFile && (await createDetector(await open(detectorFile)));
    return createRecognizer({ model, detector, card, settings, name, readImage, sourceName });
  } catch (error) {
    await model.close();
    throw error;
  }
}

interface FetchedFile {
  name: string;
  bytes: Uint8Array;
}

async function fetchFile(source: ModelSource, name: string): Promise<FetchedFile> {
  if (source instanceof Uint8Array) return { name, bytes: source };
  const url = String(source);
  let reason: string;
  try {
    const response = await fetch(url);
    if (response.ok) return { name: url, bytes: new Uint8Array(await response.arrayBuffer()) };
    reason = `HTTP ${response.status}`;
  } catch (cause) {
    reason = oneLine(cause);
  }
  throw new TopofrError("E_FILE", `${url}: cannot fetch the ${name} (${reason}); check the address`);
}

/** Empty where browsers do not hash: on pages that are neither from https nor localhost. */
async function sha256(bytes: Uint8Array): Promise<string> {
  const { subtle } = globalThis.crypto as { subtle?: SubtleCrypto };
  if (subtle === undefined) return "";
  const digest = new Uint8Array(await subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
