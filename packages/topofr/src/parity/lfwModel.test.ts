// A recognition model of others on the whole of LFW, by the command and by the recognizer: its stated numbers must come out. They were
// computed with cosine thresholds of step 0.001; our rule, insightface's, has squared distances of step 0.01, and on the same scores it
// comes to 99.20 ± 0.42 %. Both are checked. Takes some minutes (15,402 single images), so it runs when asked:
// LFW_MODEL=1 npm run test:parity.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { openRecognizer, similarity } from "@topofr/recognizer";
import { describe, expect, test } from "vitest";
import type { PairScores } from "../evaluate/benchmark.js";
import { contiguousFolds } from "../evaluate/folds.js";
import { readPairs } from "../evaluate/pairs.js";
import { pairScoresOf, readSaved } from "../evaluate/savedEmbeddings.js";

const MOST_TIME = 30 * 60_000;
const fromHere = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const data = resolve(fromHere("../../../.."), "../shared/data");
const model = resolve(data, "models/foamliu_mobilefacenet_112x112.onnx");
const lfw = resolve(data, "lfw");
const missing = [model, lfw].find((path) => !existsSync(path));
const reason = missing
  ? `${relative(fromHere("../../../.."), missing)} is not here`
  : process.env.LFW_MODEL
    ? null
    : "takes minutes; LFW_MODEL=1 runs it";

const skipped = reason ? ` (skipped: ${reason})` : "";
describe.skipIf(reason !== null)(`foamliu's MobileFaceNet on LFW${skipped}`, () => {
  test(
    "topofr evaluate reaches its 99.27 ± 0.38 % and AUC 0.99883",
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "topofr-lfw-"));
      try {
        const scoresFile = join(folder, "scores.npz");
        const preprocessing = ["--pixel-scale", "1/255", "--pixel-mean", "0.485,0.456,0.406"];
        const args = [
          ...[
            fromHere("../cli/main.js"),
            "evaluate",
            model,
            ...preprocessing,
            "--pixel-std",
            "0.229,0.224,0.225",
          ],
          ...["--data", lfw, "--scores-out", scoresFile, "--json"],
        ];
        const out = execFileSync(process.execPath, args, { encoding: "utf8", maxBuffer: 2 ** 26 });
        const report = JSON.parse(out) as { accuracy: number; accuracyStd: number; auc: number };
        expect(shown(report.accuracy, report.accuracyStd)).toBe("99.20 ± 0.42");
        expect(report.auc.toFixed(5)).toBe("0.99883");

        const saved = await readSaved(scoresFile);
        if (saved.kind !== "scores") throw new Error(`${scoresFile} does not hold scores`);
        expect(shown(...accuracyByCosine(pairScoresOf(saved, null)))).toBe("99.27 ± 0.38");
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
    MOST_TIME,
  );

  test(
    "the recognizer reaches its 99.27 ± 0.38 %",
    async () => {
      const pairs = await readPairs(resolve(lfw, "pairs.txt"), lfw);
      const input = { scale: "1/255", mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
      const recognizer = await openRecognizer({ model, card: { input }, flip: true });
      const embeddings: Float32Array[] = [];
      for (const image of pairs.images) {
        if (image.kind !== "file") throw new Error("a pair list names files");
        const [face] = await recognizer.recognize(image.path);
        embeddings.push(face!.embedding);
      }
      await recognizer.close();
      const { same, folds } = pairs;
      const scores = Float64Array.from(same, (_, k) =>
        similarity(embeddings[pairs.first[k]!]!, embeddings[pairs.second[k]!]!),
      );
      expect(shown(...accuracyByCosine({ scores, same, folds }))).toBe("99.27 ± 0.38");
    },
    MOST_TIME,
  );
});

const shown = (mean: number, std: number) => `${(100 * mean).toFixed(2)} ± ${(100 * std).toFixed(2)}`;

/** Mean and standard deviation of ten folds: same when the cosine reaches the first of -1, -0.999 … that is best on the other folds. */
function accuracyByCosine({ scores, same }: PairScores): [mean: number, std: number] {
  const thresholds = Array.from({ length: 2000 }, (_, k) => (k - 1000) / 1000);
  const folds = contiguousFolds(same.length, 10);
  const right = thresholds.map((threshold) =>
    folds.map(({ start, end }) => {
      let count = 0;
      for (let k = start; k < end; k++) if (scores[k]! >= threshold === (same[k] === 1)) count += 1;
      return count;
    }),
  );
  const accuracies = folds.map(({ start, end }, fold) => {
    const elsewhere = right.map((counts) =>
      counts.reduce((sum, count, k) => sum + (k === fold ? 0 : count), 0),
    );
    return right[elsewhere.indexOf(Math.max(...elsewhere))]![fold]! / (end - start);
  });
  const mean = accuracies.reduce((sum, value) => sum + value, 0) / accuracies.length;
  const variance = accuracies.reduce((sum, value) => sum + (value - mean) ** 2, 0) / accuracies.length;
  return [mean, Math.sqrt(variance)];
}
