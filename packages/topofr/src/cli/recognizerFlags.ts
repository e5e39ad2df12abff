// The flags of commands that recognise faces, and what they open. Thresholds: thresholdFlags.ts; galleries: galleryFlags.ts.
import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { TopofrError } from "@topofr/formats";
import { type Choice, openRecognizer, type RecognizedFace, type Recognizer } from "@topofr/recognizer";
import { type Command, Option } from "commander";
import { glob } from "tinyglobby";
import { isRunFolder } from "../runs/runFolder.js";
import { realNumber, wholeNumber } from "./command.js";
import { noteSome } from "./openedData.js";

export interface RecognizerFlags {
  model?: string;
  detector?: string;
  card?: string;
  choice?: Choice;
  flip?: boolean;
  minScore?: number;
  threads?: number;
}

/** Flags of the networks; `addRecognizerFlags` adds which of several faces is meant. */
export function addModelFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--model <path>",
        "embedding network: an .onnx file (its card beside it), or a run folder with an export in it",
      ).env("TOPOFR_MODEL"),
    )
    .addOption(
      new Option(
        "--detector <file>",
        "face detector, .onnx of YuNet or SCRFD (default: pictures are aligned faces)",
      ).env("TOPOFR_DETECTOR"),
    )
    .option("--card <file>", "model card (default: <model>.card.yaml)")
    .option("--flip", "add the mirror image's embedding: slower, a little more accurate")
    .option(
      "--min-score <score>",
      "what counts as a face, 0 to 1 (default: 0.6)",
      realNumber("--min-score", { max: 1 }),
    )
    .option("--threads <n>", "of the runtime (default: all cores)", wholeNumber("--threads", { min: 1 }));
}

/** @param choices which of several faces is taken when `--choice` is not given: for the help */
export function addRecognizerFlags(command: Command, choices = "largest"): Command {
  return addModelFlags(command).addOption(
    new Option("--choice <which>", `which of several faces (default: ${choices})`).choices([
      "largest",
      "best",
      "only",
      "center",
    ]),
  );
}

/** @throws E_USAGE without a model; E_FILE; otherwise as `openRecognizer` */
export async function openForCommand(flags: RecognizerFlags): Promise<Recognizer> {
  const { detector, card, flip, minScore, threads } = flags;
  const model = await findOnnxModel(flags.model);
  return openRecognizer({
    model,
    ...(detector !== undefined && { detector }),
    ...(card !== undefined && { card }),
    ...(flip !== undefined && { flip }),
    ...(minScore !== undefined && { minScore }),
    ...(threads !== undefined && { threads }),
  });
}

/** The .onnx file that `--model` means. */
export async function findOnnxModel(path: string | undefined): Promise<string> {
  if (path === undefined)
    throw new TopofrError(
      "E_USAGE",
      "--model: which network? Name an .onnx file, or set TOPOFR_MODEL; topofr export makes one of a run or checkpoint",
    );
  if (await isRunFolder(path)) return findExport(path);
  const extension = extname(path).toLowerCase();
  if ([".safetensors", ".pt", ".pth"].includes(extension)) {
    const target = `${path.slice(0, -extension.length)}.onnx`;
    throw new TopofrError(
      "E_USAGE",
      `${path}: is a checkpoint, and recognition takes ONNX: topofr export ${path} --to ${target}`,
    );
  }
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) throw new TopofrError("E_FILE", `${path}: is a folder, and not a run; name an .onnx file`);
  return path;
}

async function findExport(run: string): Promise<string> {
  const found = (await glob("*.onnx", { cwd: run, absolute: true })).sort();
  if (found.length === 1) return found[0]!;
  throw new TopofrError(
    "E_USAGE",
    found.length === 0
      ? `${run}: holds no exported model; make one: topofr export ${run} --to ${run}/model.onnx`
      : `${run}: holds ${found.length} exported models; name one: ${found.join(", ")}`,
  );
}

/** What JSON says of a face; boxes and landmarks in pixels of the picture. */
export function faceFields({ box, landmarks, score, of }: RecognizedFace) {
  const { x, y, width, height } = box;
  return {
    faces: of,
    score: rounded(score, 4),
    box: { x: rounded(x), y: rounded(y), width: rounded(width), height: rounded(height) },
    landmarks: Array.from(landmarks, (value) => rounded(value)),
  };
}

const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** Pictures with several faces, and the one that was taken. */
export class Chosen {
  readonly #lines: string[] = [];
  readonly #choice: Choice;

  constructor({ choice = "largest" }: RecognizerFlags) {
    this.#choice = choice;
  }

  add(path: string, { of, box }: RecognizedFace): void {
    if (of > 1) this.#lines.push(`${path}: ${of} faces, taken at ${Math.round(box.x)},${Math.round(box.y)}`);
  }

  /** Says so: which one it was may not be who was meant. */
  note(): void {
    const pictures = this.#lines.length === 1 ? "picture" : "pictures";
    noteSome(this.#lines, `${pictures} with several faces, of which the ${this.#choice} one is taken`);
  }
}
