// Times complete training steps of this project; prints one JSON line. The counterpart of reference/step.py: the same
// step (zero gradients, forward, loss, backward, clip, SGD) on a random batch that stays in memory.
import { availableParallelism } from "node:os";
import { buildInfo, manualSeed, optim, rand, scope, setNumThreads, tensor } from "@topofr/torch";
import { structureAlignment } from "../packages/topofr/dist/method/alignment.js";
import { CosineClassifier } from "../packages/topofr/dist/method/classifier.js";
import { structureDamage } from "../packages/topofr/dist/method/damage.js";
import { Objective } from "../packages/topofr/dist/method/objective.js";
import { composeObjective } from "../packages/topofr/dist/method/objectiveComposition.js";
import { createBackbone } from "../packages/topofr/dist/models/registry.js";
import { RandomStream } from "../packages/topofr/dist/random/stream.js";
import { median, parseOptions, positive, STEP_OPTIONS } from "./options.mjs";

const HELP =
  "Usage: node bench/ours.mjs [--network iresnet18] [--batch 32] [--precision fp32|bf16] [--objective arcface|topofr]\n";
const IMAGE_SIZE = 112;

const values = parseOptions(STEP_OPTIONS, HELP);
const batch = positive(values, "batch");
const classes = positive(values, "classes");
const steps = positive(values, "steps");
const warmup = Number(values.warmup);
const threads = values.threads === undefined ? availableParallelism() : positive(values, "threads");
const seed = positive(values, "seed");
const dtype = values.precision === "bf16" ? "bfloat16" : "float32";

setNumThreads(threads);
manualSeed(seed);
// Both sides do the same work: the `official` preset, and no perturbation, which the reference does while loading.
const { options } = composeObjective({
  preset: "official",
  variant: values.objective === "topofr" ? "topofr" : "arcface",
});
const objective = new Objective(options, seed);
const backbone = createBackbone(values.network).to({ memoryFormat: "channelsLast" });
const classifier = new CosineClassifier(classes, backbone.embeddingSize);
const named = [...backbone.namedParameters(), ...classifier.namedParameters("classifier.")];
const parameters = named.map(([, parameter]) => parameter);
const sgd = new optim.SGD(named, { lr: 0.1, momentum: 0.9, weightDecay: 5e-4 });
const images = scope(() =>
  rand([batch, 3, IMAGE_SIZE, IMAGE_SIZE]).mul(2).sub(1).contiguous({ memoryFormat: "channelsLast" }),
);
const labels = tensor(BigInt64Array.from({ length: batch }, (_, index) => BigInt((index * 7919) % classes)));

let parts = {};
function timed(name, work) {
  const start = performance.now();
  const result = work();
  parts[name] ??= [];
  parts[name].push((performance.now() - start) / 1000);
  return result;
}

function step() {
  return scope(() => {
    sgd.zeroGrad();
    const embedding = timed("forward", () => backbone.forward(images.to(dtype)));
    const loss = timed("objective", () => {
      const cosine = classifier.forward(embedding);
      return objective.loss({ images, embedding, cosine, labels }).loss;
    });
    timed("backward", () => loss.backward());
    timed("update", () => {
      optim.clipGradNorm_(parameters, 5);
      sgd.step();
    });
    return loss.item();
  });
}

for (let index = 0; index < warmup; index += 1) step();
parts = {};
const stepSeconds = [];
let loss = Number.NaN;
for (let index = 0; index < steps; index += 1) {
  const start = performance.now();
  loss = step();
  stepSeconds.push((performance.now() - start) / 1000);
}

if (options.alignment !== null && options.damage !== null) timePieces();

/** The two pieces that TopoFR adds, alone on the last batch's tensors: alignment with its gradient, damage. */
function timePieces() {
  const signs = new RandomStream(seed, "signs");
  scope(() => {
    const embedding = backbone.forward(images.to(dtype)).detach();
    embedding.requiresGrad = true;
    const logits = objective.margin.logits(classifier.forward(embedding), labels).detach();
    for (let index = 0; index < steps + warmup; index += 1) {
      timed("alignment", () =>
        scope(() => structureAlignment(images, embedding, options.alignment).loss.backward()),
      );
      timed("damage", () => {
        scope(() =>
          structureDamage(logits, labels, options.damage, options.mixture, signs).omega.sum().item(),
        );
      });
    }
  });
}

const medianSeconds = median(stepSeconds);
process.stdout.write(
  `${JSON.stringify({
    implementation: "topofr",
    version: buildInfo().version,
    network: values.network,
    batch,
    classes,
    precision: values.precision,
    layout: "channels_last",
    objective: values.objective,
    threads,
    medianSeconds,
    imagesPerSecond: batch / medianSeconds,
    stepSeconds,
    peakResidentBytes: process.resourceUsage().maxRSS * 1024,
    parts: Object.fromEntries(Object.entries(parts).map(([name, seconds]) => [name, median(seconds)])),
    loss,
  })}\n`,
);
