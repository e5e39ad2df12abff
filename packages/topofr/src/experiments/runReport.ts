// The report of a finished run: what was learnt, as tables and pictures in one HTML file. Rebuilds the network as it was
// before training (same seed) and as it is in the last checkpoint, and looks at both.
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { writeFileAtomic } from "@topofr/formats";
import type { PersistenceDiagram } from "@topofr/topology";
import { setNumThreads } from "@topofr/torch";
import type { FaceDataset } from "../data/dataset.js";
import type { ImageSource } from "../data/imageSource.js";
import { loadImages } from "../data/loader.js";
import { contactSheet } from "../data/synthetic/contactSheet.js";
import { embedImages } from "../evaluate/embedImages.js";
import type { VerificationReport } from "../evaluate/verification.js";
import { bettiCurvePlot } from "../plots/bettiCurvePlot.js";
import { distanceHistogram } from "../plots/distanceHistogram.js";
import { htmlReport, type ReportSection } from "../plots/htmlReport.js";
import { persistenceDiagramPlot } from "../plots/persistenceDiagramPlot.js";
import { rasterize } from "../plots/rasterize.js";
import { rocPlot } from "../plots/rocPlot.js";
import { trainingCurves } from "../plots/trainingCurves.js";
import { RandomStream } from "../random/stream.js";
import { readEventLog } from "../runs/eventLog.js";
import { checkpointPaths, type RunFolder, readConfig } from "../runs/runFolder.js";
import { loadCheckpoint } from "../train/checkpoint.js";
import { createLearner, disposeLearner } from "../train/learner.js";
import type { Recipe } from "../train/recipe.js";
import { parseRecipe } from "../train/recipeFile.js";
import { openTrainingData } from "../train/trainingData.js";
import { openVerifier, type Verifier } from "../train/verifier.js";
import { hardestSamples } from "./hardSamples.js";
import { unitSphereDiagram } from "./structure.js";

const SCORED_SAMPLES = 1024;
const SHOWN_SAMPLES = 24;
const DIAGRAM_IMAGES = 128; // a batch of the paper
const BATCH_SIZE = 64;
const NEVER = new AbortController().signal;

interface Look {
  verification: VerificationReport | null;
  latent: PersistenceDiagram;
}

/** Writes report.html and its pictures (SVG, PNG) into the run folder; returns the report's path. */
export async function writeRunReport(run: RunFolder): Promise<string> {
  const { recipe } = parseRecipe(JSON.stringify(await readConfig(run)), run.config);
  setNumThreads(recipe.threads ?? availableParallelism());
  const { events } = readEventLog(run.events);
  const dataset = await openTrainingData(recipe);
  const verifier = await openVerifier(recipe);
  const images = diagramImages(recipe.seed, verifier, dataset);
  const input = unitSphereDiagram(...(await pixelPoints(images, recipe)), true);

  const learner = createLearner(recipe, dataset.identities.length);
  try {
    const before = await look(learner, verifier, images, recipe);
    const state = await loadCheckpoint(checkpointPaths(run, "last"), learner);
    const after = await look(learner, verifier, images, recipe);
    const hardest = await hardestSamples(learner, dataset, {
      scored: Math.min(SCORED_SAMPLES, dataset.labels.length),
      count: SHOWN_SAMPLES,
      batchSize: recipe.batchSize,
      resize: recipe.data.resize,
      seed: recipe.seed,
    });

    const curves = trainingCurves(trainingRows(events));
    const spaces = [
      { name: "input", diagram: input },
      { name: "latent, before", diagram: before.latent },
      { name: "latent, after", diagram: after.latent },
    ];
    const persistence = persistenceDiagramPlot(spaces);
    const betti = bettiCurvePlot(spaces);
    const sheet = await contactSheet(
      hardest.map(({ pixels, score }) => ({
        pixels,
        caption: `ω ${score.toFixed(2)}`,
        accent: "hard" as const,
      })),
      { columns: 8, size: recipe.model.inputSize },
    );
    await savePicture(run.path, "curves", curves);
    await savePicture(run.diagrams, "persistence", persistence);
    await savePicture(run.diagrams, "betti", betti);
    await writeFile(join(run.path, "hardest.png"), sheet);

    const sections: ReportSection[] = [];
    if (before.verification && after.verification) {
      const roc = rocPlot(
        [
          { name: "before", points: before.verification.roc },
          { name: "after", points: after.verification.roc },
        ].map((series) => ({
          ...series,
          impostors: after.verification!.pairs - after.verification!.samePairs,
        })),
      );
      const { same, different, binWidth } = after.verification.distances;
      await savePicture(run.evaluation, "roc", roc);
      sections.push({
        heading: "People it has not seen",
        text: `${after.verification.pairs} pairs of images; 10-fold accuracy and true accept rates, with the flip test.`,
        table: verificationRows(before.verification, after.verification),
        svg: roc,
      });
      sections.push({
        heading: "Distances of pairs after training",
        svg: distanceHistogram(binValues(same, binWidth), binValues(different, binWidth)),
      });
    }
    sections.push({ heading: "Training", svg: curves });
    sections.push({
      heading: "The shape of the data",
      text:
        `Degree-0 persistence of ${images.length} images: of the pixels (centred, scaled to length 1) and of the normalised ` +
        "embeddings, before and after training. Each point is the distance at which a cluster joins another.",
      svg: persistence,
    });
    sections.push({ heading: "Clusters at each scale", svg: betti });
    sections.push({
      heading: "Hardest samples",
      text: `The ${hardest.length} highest structure damage scores ω among ${Math.min(SCORED_SAMPLES, dataset.labels.length)} training images (section 4.2).`,
      png: sheet,
    });
    const { model, objective } = recipe;
    const html = htmlReport({
      title: `TopoFR: ${run.name}`,
      subtitle:
        `${model.network}, preset ${objective.preset}${objective.variant ? `, variant ${objective.variant}` : ""}; ` +
        `${dataset.labels.length} images of ${dataset.identities.length} people, ${state.step} steps`,
      sections,
    });
    await writeFileAtomic(run.report, [Buffer.from(html)]);
    return run.report;
  } finally {
    disposeLearner(learner);
  }
}

async function look(
  learner: ReturnType<typeof createLearner>,
  verifier: Verifier | null,
  images: readonly ImageSource[],
  { data: { resize } }: Recipe,
): Promise<Look> {
  const embeddings = await embedImages(learner.backbone, images, {
    flip: false,
    batchSize: BATCH_SIZE,
    resize,
  });
  return {
    verification: (await verifier?.verify(learner, NEVER)) ?? null,
    latent: unitSphereDiagram(embeddings, learner.backbone.embeddingSize, false),
  };
}

/** Unseen people's images where the recipe has any, else training images. */
function diagramImages(seed: number, verifier: Verifier | null, training: FaceDataset): ImageSource[] {
  const count = verifier?.images.length ?? training.labels.length;
  const order = new RandomStream(seed, "diagram images").permutation(count);
  return Array.from(
    order.subarray(0, DIAGRAM_IMAGES),
    (index) => verifier?.images[index] ?? training.source(index),
  );
}

async function pixelPoints(
  images: readonly ImageSource[],
  { model, data }: Recipe,
): Promise<[points: Float32Array, dimension: number]> {
  const parts: Float32Array[] = [];
  const loading = { size: model.inputSize, batchSize: BATCH_SIZE, resize: data.resize };
  for await (const batch of loadImages(images, loading)) {
    parts.push(Float32Array.from(batch.images));
    batch.release();
  }
  const points = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    points.set(part, offset);
    offset += part.length;
  }
  return [points, points.length / images.length];
}

function trainingRows(events: ReturnType<typeof readEventLog>["events"]) {
  const evaluated = new Map(
    events.flatMap((event) =>
      event.type === "evaluation" ? [[event.step, event.metrics.accuracy ?? null] as const] : [],
    ),
  );
  return events.flatMap((event) => {
    if (event.type !== "step") return [];
    const { step, loss, classificationLoss, alignmentLoss, accuracy = null, learningRate } = event;
    return [
      {
        step,
        loss,
        classificationLoss,
        alignmentLoss,
        accuracy,
        verificationAccuracy: evaluated.get(step) ?? null,
        learningRate,
        embeddingNorm: event.embeddingNorm,
        imagesPerSecond: event.imagesPerSecond,
      },
    ];
  });
}

function verificationRows(before: VerificationReport, after: VerificationReport) {
  const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
  const row = (name: string, pick: (report: VerificationReport) => number, show = percent) => [
    name,
    show(pick(before)),
    show(pick(after)),
  ];
  return {
    columns: ["", "before", "after"],
    rows: [
      row("10-fold accuracy", ({ accuracy }) => accuracy),
      row("standard deviation over folds", ({ accuracyStd }) => accuracyStd),
      row(
        "AUC",
        ({ auc }) => auc,
        (value) => value.toFixed(4),
      ),
      row("equal error rate", ({ eer }) => eer),
      ...after.tarAtFar
        .filter(({ note }) => note === null)
        .map(({ far }, index) =>
          row(`TAR at FAR ${far.toExponential(0)}`, ({ tarAtFar }) => tarAtFar[index]!.tar),
        ),
    ],
  };
}

/** Values spread evenly over each bin, as many as it counts: the plot's own bins then show no pattern of these. */
const binValues = (counts: readonly number[], width: number): number[] =>
  counts.flatMap((count, bin) => Array.from({ length: count }, (_, i) => (bin + (i + 0.5) / count) * width));

async function savePicture(folder: string, name: string, svg: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.svg`), svg);
  await writeFile(join(folder, `${name}.png`), rasterize(svg));
}
