// topofr verify: whether two pictures show one person.
import type { Command } from "commander";
import { addCommand, print, printJson } from "./command.js";
import { addPictureFlag, FacePicture, type PictureFlags } from "./facePicture.js";
import {
  addRecognizerFlags,
  Chosen,
  faceFields,
  openForCommand,
  type RecognizerFlags,
} from "./recognizerFlags.js";
import { addThresholdFlags, readThresholds, type ThresholdFlags } from "./thresholdFlags.js";

interface VerifyFlags extends RecognizerFlags, ThresholdFlags, PictureFlags {
  json?: boolean;
}

export function addVerify(program: Command): void {
  const command = addCommand(program, "verify", "Compare the faces of two pictures.", [
    "verify a.jpg b.jpg --model model.onnx --detector yunet.onnx --threshold 0.36",
    "verify a.jpg b.jpg --model runs/first --detector yunet.onnx --report lfw.json --far 0.001 --picture both.png",
  ])
    .argument("<a>", "picture")
    .argument("<b>", "picture");
  addPictureFlag(addThresholdFlags(addRecognizerFlags(command)))
    .option("--json", "print the result as JSON")
    .action(verify);
}

async function verify(pathA: string, pathB: string, flags: VerifyFlags): Promise<void> {
  const { threshold } = await readThresholds(flags);
  const recognizer = await openForCommand(flags);
  try {
    const drawing = await FacePicture.open(flags, recognizer);
    const choice = flags.choice ?? "largest";
    const { similarity, same, a, b } = await recognizer.verify(pathA, pathB, { choice, threshold });
    const sides = [
      { path: pathA, face: a },
      { path: pathB, face: b },
    ];
    const chosen = new Chosen(flags);
    for (const { path, face } of sides) {
      chosen.add(path, face);
      const several = face.of > 1 ? [`${choice} of ${face.of} faces`] : [];
      await drawing.add(path, path, [{ face, lines: [`score ${face.score.toFixed(2)}`, ...several] }]);
    }
    chosen.note();
    const verdict = same === null ? null : same ? "same person" : "two people";
    const limit = threshold === null ? "no threshold given" : `threshold ${threshold.toFixed(4)}`;
    const result = `similarity ${similarity.toFixed(4)}`;
    await drawing.writeComparison(
      verdict === null ? result : `${result}: ${verdict}`,
      `cosine of the embeddings; ${limit}`,
    );
    if (flags.json) {
      const [first, second] = sides.map(({ path, face }) => ({ path, ...faceFields(face) }));
      return printJson({ similarity, threshold, same, model: recognizer.model, a: first, b: second });
    }
    print(verdict === null ? `${result} (${limit})` : `${result}, ${limit}: ${verdict}`);
  } finally {
    await recognizer.close();
  }
}
