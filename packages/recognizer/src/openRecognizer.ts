// Opens a recogniser in Node.
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { basename } from "node:path";
import { fileError } from "@topofr/formats";
import { completeCard, type ModelCard } from "./card/modelCard.js";
import { cardPath, readModelCard } from "./card/readModelCard.js";
import { checkOptions, type Settings } from "./checkOptions.js";
import { createDetector, type Detector } from "./detect/detector.js";
import { openNodeNetwork, openOnnxModel } from "./onnx/nodeRuntime.js";
import type { Recognizer, RecognizerOptions } from "./options.js";
import { readImage, sourceName } from "./read/readImage.js";
import { createRecognizer } from "./recognizer.js";

/**
 * Opens model and detector and tries both on black, so that files that cannot work fail here.
 *
 * @throws E_FILE, E_FORMAT for a model, card or detector that cannot be read; E_MODEL for one of another kind; E_USAGE for wrong options;
 *   E_SETUP when ONNX Runtime cannot be loaded
 */
export async function openRecognizer(options: RecognizerOptions): Promise<Recognizer> {
  const settings = checkOptions(options);
  const card = await completeCardOf(options);
  const { path, bytes } = placeOf(options.model, "model");
  const model = await openOnnxModel(path, card, { ...settings, bytes });
  try {
    const name = { name: card.name ?? basename(path, ".onnx"), sha256: await sha256(options.model) };
    const detector = options.detector === undefined ? null : await openDetector(options.detector, settings);
    return createRecognizer({ model, detector, card, settings, name, readImage, sourceName });
  } catch (error) {
    await model.close();
    throw error;
  }
}

async function openDetector(file: string | Uint8Array, settings: Settings): Promise<Detector> {
  const { path, bytes } = placeOf(file, "detector");
  return createDetector(await openNodeNetwork(path, bytes, settings));
}

/** `path` only names the network where there are bytes. */
function placeOf(file: string | Uint8Array, name: string): { path: string; bytes: Uint8Array | null } {
  return typeof file === "string" ? { path: file, bytes: null } : { path: name, bytes: file };
}

async function completeCardOf({ model, card }: RecognizerOptions): Promise<ModelCard> {
  if (card !== undefined && typeof card !== "string") return completeCard(card);
  if (card !== undefined) return completeCard(await readModelCard(card));
  const beside = typeof model === "string" ? cardPath(model) : null;
  return completeCard(beside !== null && existsSync(beside) ? await readModelCard(beside) : {});
}

async function sha256(file: string | Uint8Array): Promise<string> {
  const hash = createHash("sha256");
  if (typeof file !== "string") return hash.update(file).digest("hex");
  try {
    for await (const part of createReadStream(file)) hash.update(part as Buffer);
  } catch (error) {
    throw fileError(file, "read the ONNX model", error);
  }
  return hash.digest("hex");
}
