// 1,000 training steps of a small network in a process of their own, for memory.test.ts: prints one JSON line. The step, layout,
// objective and optimiser are those of training. The name keeps it out of the published package.
import {
  allocatorStats,
  liveTensors,
  manualSeed,
  nn,
  optim,
  setNumThreads,
  type Tensor,
} from "@topofr/torch";
import { CosineClassifier } from "../method/classifier.js";
import { Objective } from "../method/objective.js";
import { objectiveOptions } from "../method/objectiveComposition.js";
import { Backbone } from "../models/backbone.js";
import { RandomStream } from "../random/stream.js";
import { accumulateGradients, type Learner, update } from "./step.js";

const STEPS = 1000;
const WARMUP = 100;
const SIZE = 16;
const BATCH = 8;
const CLASSES = 4;

class SmallBackbone extends Backbone {
  override readonly embeddingSize = 8;
  readonly #conv = this.child("conv", new nn.Conv2d(3, 16, 3, { stride: 2, padding: 1, bias: false }));
  readonly #bn = this.child("bn", new nn.BatchNorm2d(16));
  readonly #prelu = this.child("prelu", new nn.PReLU(16));
  readonly #conv2 = this.child("conv2", new nn.Conv2d(16, 16, 3, { padding: 1, bias: false }));
  readonly #bn2 = this.child("bn2", new nn.BatchNorm2d(16));
  readonly #flatten = this.child("flatten", new nn.Flatten());
  readonly #fc = this.child("fc", new nn.Linear(16 * (SIZE / 2) ** 2, 8));

  override forward(images: Tensor): Tensor {
    const first = this.#bn.forward(this.#conv.forward(images), { prelu: this.#prelu });
    const second = this.#bn2.forward(this.#conv2.forward(first), { residual: first });
    return this.#fc.forward(this.#flatten.forward(second).to("float32"));
  }
}

const precision = process.argv[2] === "bf16" ? "bf16" : "fp32";
setNumThreads(1);
manualSeed(1);
const backbone = new SmallBackbone().to({ memoryFormat: "blocked" });
const classifier = new CosineClassifier(CLASSES, backbone.embeddingSize);
const learner: Learner = {
  backbone,
  classifier,
  objective: new Objective(objectiveOptions({ preset: "spherical" }), { seed: 1, classes: CLASSES }),
  optimizer: new optim.SGD([...backbone.namedParameters("b."), ...classifier.namedParameters("c.")], {
    lr: 0.01,
    momentum: 0.9,
  }),
  precision,
  clipNorm: 5,
};
const stream = new RandomStream(1, "many steps");

function step(): number {
  const { loss } = accumulateGradients(learner, {
    images: Uint8Array.from({ length: BATCH * SIZE * SIZE * 3 }, () => stream.integer(256)),
    labels: BigInt64Array.from({ length: BATCH }, () => BigInt(stream.integer(CLASSES))),
  });
  update(learner, 0.01);
  return loss;
}

function measure() {
  globalThis.gc!();
  return {
    resident: process.memoryUsage.rss(),
    used: allocatorStats().usedBytes,
    live: liveTensors(),
  };
}

let start = measure();
let loss = Number.NaN;
for (let done = 0; done < WARMUP + STEPS; done++) {
  if (done === WARMUP) start = measure();
  loss = step();
  await new Promise(setImmediate);
}
process.stdout.write(`${JSON.stringify({ loss, start, end: measure() })}\n`);
