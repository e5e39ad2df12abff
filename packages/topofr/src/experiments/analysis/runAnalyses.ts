// `topofr analyze entropy` and `hard-samples` from their questions to their files.
import { writeFileAtomic } from "@topofr/formats";
import { sourceName } from "../../data/imageSource.js";
import { contactSheet } from "../../data/synthetic/contactSheet.js";
import type { RunFolder } from "../../runs/runFolder.js";
import { hardestSamples } from "../hardSamples.js";
import { damageOptionsOf, type FittedMixture, measureEntropies } from "./entropy.js";
import { entropyPlot } from "./entropyPlot.js";
import { fileIn, makeFolder, type PictureFormat, saveJson, savePicture } from "./saveFiles.js";
import { openTrainedRun, type TrainedRunOptions } from "./trainedRun.js";

interface RunRequest extends TrainedRunOptions {
  run: RunFolder;
  /** Images a batch; null: the run's own. */
  batchSize: number | null;
  seed: number;
  out: string;
  onProgress?(doing: string, done: number, total: number): void;
}

interface RunAnalysis {
  run: string;
  step: number;
  data: string;
  /** Images that were looked at. */
  samples: number;
  files: string[];
  warnings: readonly string[];
}

export interface EntropyRequest extends RunRequest {
  count: number;
  pictures: readonly PictureFormat[];
}

export interface EntropyReport extends RunAnalysis {
  /** Whose softmax: "margin" or "plain" logits. */
  probability: string;
  right: EntropyGroup;
  wrong: EntropyGroup;
  mixture: FittedMixture;
}

export interface EntropyGroup {
  count: number;
  /** Nats; null when there are none. */
  meanEntropy: number | null;
  /** Mean posterior of being hard. */
  meanHard: number | null;
  /** Share with a posterior above 1/2. */
  hardShare: number | null;
}

/** @throws as `openTrainedRun` and `measureEntropies` */
export async function analyseEntropy(request: EntropyRequest): Promise<EntropyReport> {
  const { run, out, pictures, batchSize, count } = request;
  const trained = await openTrainedRun(run, request);
  try {
    await makeFolder(out);
    const { dataset, recipe, step, data } = trained;
    const samples = await measureEntropies(trained, {
      ...request,
      count: Math.min(count, dataset.labels.length),
      batchSize: batchSize ?? recipe.batchSize,
    });
    const { entropies, right, hard, mixture, indices } = samples;
    const { probability } = damageOptionsOf(trained);
    const svg = entropyPlot(samples, {
      title: `Entropies of predictions: ${run.name}, step ${step}`,
      subtitle: `${entropies.length} images of ${dataset.name}; softmax of the ${probability === "margin" ? "margin logits" : "scaled cosines"}`,
    });
    const files = await savePicture(out, { name: "entropy", svg }, pictures);
    const groupOf = (flag: number): EntropyGroup => {
      const places = [...right.keys()].filter((k) => right[k] === flag);
      const mean = (value: (k: number) => number) =>
        places.length === 0 ? null : places.reduce((sum, k) => sum + value(k), 0) / places.length;
      return {
        count: places.length,
        meanEntropy: mean((k) => entropies[k]!),
        meanHard: mean((k) => hard[k]!),
        hardShare: mean((k) => (hard[k]! > 0.5 ? 1 : 0)),
      };
    };
    const report: EntropyReport = {
      run: run.path,
      step,
      data,
      samples: entropies.length,
      probability,
      right: groupOf(1),
      wrong: groupOf(0),
      mixture,
      files,
      warnings: dataset.warnings,
    };
    const values = Array.from(indices, (index, k) => ({
      image: sourceName(dataset.source(index)),
      identity: dataset.identities[dataset.labels[index]!]!,
      entropy: entropies[k]!,
      right: right[k] === 1,
      hard: hard[k]!,
    }));
    files.push(await saveJson(out, "entropy", { ...report, values }));
    return report;
  } finally {
    trained.close();
  }
}

export interface HardSamplesRequest extends RunRequest {
  /** Images to show. */
  count: number;
  /** Images to score, drawn at random. */
  scored: number;
}

export interface HardSamplesReport extends RunAnalysis {
  /** The highest damage scores first. */
  hardest: { image: string; identity: string; score: number }[];
}

const COLUMNS = 8;

/** @throws as `openTrainedRun` and `hardestSamples` */
export async function analyseHardSamples(request: HardSamplesRequest): Promise<HardSamplesReport> {
  const { run, out, batchSize, count, scored, seed, onProgress } = request;
  const trained = await openTrainedRun(run, request);
  try {
    await makeFolder(out);
    const { dataset, learner, recipe, step, data } = trained;
    const samples = Math.min(scored, dataset.labels.length);
    onProgress?.(`scoring ${samples} images`, 0, 1);
    const found = await hardestSamples(learner, dataset, {
      scored: samples,
      count,
      batchSize: batchSize ?? recipe.batchSize,
      resize: recipe.data.resize,
      seed,
    });
    const hardest = found.map(({ image, identity, score }) => ({ image, identity, score }));
    const sheet = await contactSheet(
      found.map(({ pixels, score }) => ({ pixels, caption: `ω ${score.toFixed(2)}`, accent: "hard" })),
      { columns: COLUMNS, size: recipe.model.inputSize },
    );
    const files = [fileIn(out, "hardest", "png"), fileIn(out, "hardest", "csv")];
    await writeFileAtomic(files[0]!, [sheet]);
    await writeFileAtomic(files[1]!, [Buffer.from(csvOf(hardest))]);
    const report: HardSamplesReport = {
      run: run.path,
      step,
      data,
      samples,
      hardest,
      files,
      warnings: dataset.warnings,
    };
    files.push(await saveJson(out, "hardest", report));
    return report;
  } finally {
    trained.close();
  }
}

function csvOf(rows: HardSamplesReport["hardest"]): string {
  const quoted = (text: string) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = rows.map(({ image, identity, score }) => `${score},${quoted(identity)},${quoted(image)}\n`);
  return `score,identity,image\n${lines.join("")}`;
}
