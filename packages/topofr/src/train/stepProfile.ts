// Where the time of one step goes: its operators, slowest first, and their sums by kind. Timing without a profile: benchmark.ts.
import { noGrad, type OperatorTime, profile, scope } from "@topofr/torch";
import { type LayerWork, networkWork } from "../models/networkWork.js";
import { type BenchmarkRequest, inputOf, topologySeconds, trainingStep, withLearner } from "./benchmark.js";
import { accumulateGradients, update } from "./step.js";

export type OperatorKind =
  | "convolution forward"
  | "convolution backward"
  | "batch norm forward"
  | "batch norm backward"
  | "classifier"
  | "linear layers"
  | "topology"
  | "optimiser"
  | "the rest";

export interface KindTime {
  kind: OperatorKind;
  seconds: number;
  /** Of the step. */
  share: number;
  /** Billions of operations a second; null for what is not counted in operations. */
  gflopPerSecond: number | null;
}

export interface ProfiledOperator {
  /** libtorch's name, and "backward" behind those of the addon's own. */
  name: string;
  shapes: string;
  kind: OperatorKind;
  calls: number;
  /** In it alone, without the operators that it called. */
  seconds: number;
  share: number;
  gflopPerSecond: number | null;
}

export interface StepProfile {
  /** Of the profiled step, which the profiling itself slows down a little. */
  seconds: number;
  /** Most time first, "the rest" last: other operators, and what runs outside of operators. */
  kinds: KindTime[];
  /** Most time first. */
  operators: ProfiledOperator[];
}

/** Operations of one call, by the layers that have its shapes. */
type WorkOfCall = (kind: OperatorKind, shapes: string) => number | null;

/** Profiles one training step after `warmup` others. */
export async function profileTraining(request: BenchmarkRequest): Promise<StepProfile> {
  const { recipe, classes, warmup } = request;
  const topology = topologySeconds(recipe, classes, PROFILED_TOPOLOGIES) ?? 0;
  const work = workOfCalls(layersOf(request), recipe.batchSize);
  return withLearner(request, async (learner, batch) => {
    for (let step = 0; step < warmup; step++) trainingStep(learner, batch, recipe);
    const started = performance.now();
    const { operators: ofNetwork } = profile(() => {
      for (let index = 0; index < recipe.accumulate; index++)
        accumulateGradients(learner, batch, 1 / recipe.accumulate);
    });
    const { operators: ofOptimizer } = profile(() => update(learner, recipe.optim.lr));
    const seconds = (performance.now() - started) / 1000;
    const kindOf = kindsOf(learner.classifier.compared);
    const operators = [
      ...ofNetwork.map((operator) => profiled(operator, kindOf(operator), seconds, work)),
      ...ofOptimizer.map((operator) => profiled(operator, "optimiser", seconds, work)),
    ];
    return summary(seconds, operators, topology);
  });
}

/** Profiles one batch's embedding after `warmup` others. */
export async function profileInference(request: BenchmarkRequest): Promise<StepProfile> {
  const { recipe, warmup } = request;
  const work = workOfCalls(layersOf(request), recipe.batchSize);
  return withLearner(request, async ({ backbone, classifier }, batch) => {
    backbone.eval();
    const embed = () =>
      noGrad(() => scope(() => void backbone.forward(inputOf(batch, recipe.precision)).toTypedArray()));
    for (let step = 0; step < warmup; step++) embed();
    const started = performance.now();
    const { operators } = profile(embed);
    const seconds = (performance.now() - started) / 1000;
    const kindOf = kindsOf(classifier.compared);
    return summary(
      seconds,
      operators.map((operator) => profiled(operator, kindOf(operator), seconds, work)),
      0,
    );
  });
}

const PROFILED_TOPOLOGIES = 5; // runs, of which the median counts

function layersOf({ recipe }: BenchmarkRequest): LayerWork[] {
  const { network, embeddingSize, inputSize } = recipe.model;
  return networkWork(network, { embeddingSize, inputSize, precision: recipe.precision }).layers;
}

function kindsOf(classes: number): (operator: OperatorTime) => OperatorKind {
  const ofClasses = new RegExp(`\\b${classes}\\b`);
  return ({ name, shapes }) => {
    const isBackward = /backward|CppNode/i.test(name);
    if (/convolution/i.test(name)) return isBackward ? "convolution backward" : "convolution forward";
    if (/batch_?norm/i.test(name)) return isBackward ? "batch norm backward" : "batch norm forward";
    if (/mm$|linear$/.test(name)) return ofClasses.test(shapes) ? "classifier" : "linear layers";
    return "the rest";
  };
}

function profiled(
  { name, shapes, calls, seconds: whole, selfSeconds }: OperatorTime,
  kind: OperatorKind,
  stepSeconds: number,
  work: WorkOfCall,
): ProfiledOperator {
  // An operator that only calls another has no speed of its own.
  const operations = selfSeconds > whole / 2 ? work(kind, shapes) : null;
  return {
    name: plainName(name),
    shapes,
    kind,
    calls,
    seconds: selfSeconds,
    share: selfSeconds / stepSeconds,
    gflopPerSecond: operations === null ? null : (operations * calls) / selfSeconds / 1e9,
  };
}

/** `torch::autograd::CppNode<topofr::(anonymous namespace)::FusedBatchNorm>` is the backward of one of the addon's own. */
const plainName = (name: string): string =>
  name.replace(/torch::autograd::CppNode<(?:.*::)?(\w+)>/, "topofr::$1 backward");

/** Finds the convolutions that an operator's shapes are of. Several layers may have them; they have the same work or nearly. */
function workOfCalls(layers: readonly LayerWork[], images: number): WorkOfCall {
  const convolutions = layers.filter((layer) => layer.kind === "convolution");
  return (kind, text) => {
    if (!kind.startsWith("convolution")) return null;
    const isBackward = kind === "convolution backward";
    const [first, ...others] = shapesIn(text);
    if (first === undefined) return null;
    const found = convolutions.filter(({ input, output, weight }) => {
      const passes = isBackward ? output : input;
      const isWeight = (shape: number[]) =>
        shape.length === 4 && shape[0] === weight[0] && shape[2] === weight[2];
      return String(first.slice(1)) === String(passes) && (others.length === 0 || others.some(isWeight));
    });
    if (found.length === 0) return null;
    // Backward: a gradient of the weight and one of the input, each as much as forward; the images need none.
    const gradients = (layer: LayerWork) => (!isBackward ? 1 : layer === layers[0] ? 1 : 2);
    const operations = found.reduce((sum, layer) => sum + gradients(layer) * layer.operations, 0);
    return (operations / found.length) * images;
  };
}

/** "Float[32, 64, 56, 56] Float[64]" -> [[32, 64, 56, 56], [64]] */
const shapesIn = (text: string): number[][] =>
  [...text.matchAll(/\[([^\]]*)\]/g)].map(([, numbers]) => numbers!.split(", ").map(Number));

function summary(seconds: number, operators: ProfiledOperator[], topology: number): StepProfile {
  operators.sort((a, b) => b.seconds - a.seconds);
  const sums = new Map<OperatorKind, { seconds: number; operations: number }>();
  for (const { kind, seconds: own, gflopPerSecond } of operators) {
    if (kind === "the rest") continue;
    const sum = sums.get(kind) ?? { seconds: 0, operations: 0 };
    sum.seconds += own;
    sum.operations += (gflopPerSecond ?? 0) * own;
    sums.set(kind, sum);
  }
  if (topology > 0) sums.set("topology", { seconds: topology, operations: 0 });
  const kinds = [...sums].map(([kind, sum]) => ({
    kind,
    seconds: sum.seconds,
    share: sum.seconds / seconds,
    gflopPerSecond: sum.operations > 0 ? sum.operations / sum.seconds : null,
  }));
  kinds.sort((a, b) => b.seconds - a.seconds);
  const rest = Math.max(0, seconds - kinds.reduce((sum, kind) => sum + kind.seconds, 0));
  kinds.push({ kind: "the rest", seconds: rest, share: rest / seconds, gflopPerSecond: null });
  return { seconds, kinds, operators };
}
