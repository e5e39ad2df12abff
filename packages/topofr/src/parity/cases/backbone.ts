// backbone_NAME.json: names, shapes and parameter count of a network, its embedding, and its loss and gradient norms.
//
// The recorded training pass has two images, so every batch norm sees few values and the gradients are
// ill-conditioned: one rounding error of the input moves MobileFaceNet's by several percent. With the arithmetic of
// the recording they come out equal to the last digit: libtorch on one thread with its AVX2 kernels, OpenBLAS's
// Haswell kernels on two threads, and oneDNN's AVX-512 convolutions. All but the last are settings that are read
// when libtorch loads, so the network runs in a process of its own; the last is up to the processor.

import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { NETWORKS, type NetworkName, networkName } from "../../models/names.js";
import { processorFlags } from "../../train/processor.js";
import type { BackboneNumbers } from "../backboneProcess.js";
import { expectArrayClose, expectClose, expectNear, parseCase, recordedArray } from "../compare.js";

const schema = z.strictObject({
  embedding: recordedArray,
  parameters: z.int().positive(),
  state_dict: z.array(z.tuple([z.string(), z.array(z.int().nonnegative())])),
  train_loss: z.number(),
  grad_norms: z.record(z.string(), z.number()),
});

const EMBEDDING = 1e-3;
const LOSS = 1e-4;
const GRADIENT = 1e-3;
/** On other processors: measured 0.024 with AVX2, 0.013 with one processor. The embedding and the loss hold there too. */
const GRADIENT_OTHER_ARITHMETIC = 0.1;
/** Of the largest norm: gradients below it are zero in exact arithmetic (of a bias before a batch norm, say). */
const ROUNDING_NOISE = 1e-5;

export async function check(value: unknown, name: string): Promise<void> {
  const recorded = parseCase(schema, value, name);
  const word = /^backbone_(.+)\.json$/.exec(name)?.[1];
  const network = networkName(word) as NetworkName;
  if (!NETWORKS.includes(network)) {
    throw new Error(`${name}: "${word}" is no network of ours; known: ${NETWORKS.join(", ")}`);
  }
  const ours = await computeApart(network);

  expectStateDict(ours.stateDict, recorded.state_dict);
  expectNear("parameters", ours.parameters, recorded.parameters, 0);
  expectArrayClose("embedding", ours.embedding, recorded.embedding.data, EMBEDDING);
  expectClose("training loss", ours.trainLoss, recorded.train_loss, LOSS);
  expectNorms(ours.gradNorms, recorded.grad_norms);
}

/** Of the recording, with `setNumThreads(1)` for libtorch itself. */
const ARITHMETIC = {
  ATEN_CPU_CAPABILITY: "avx2",
  OPENBLAS_CORETYPE: "Haswell",
  OPENBLAS_NUM_THREADS: "2",
};

/** Whether this machine's processor rounds as the recording's did. */
function hasRecordedArithmetic(): boolean {
  return availableParallelism() >= 2 && processorFlags()?.includes("avx512bw") === true;
}

async function computeApart(network: NetworkName): Promise<BackboneNumbers> {
  const script = fileURLToPath(new URL("../backboneProcess.js", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, network], {
    env: { ...process.env, ...ARITHMETIC },
    maxBuffer: 64 * 2 ** 20,
  });
  return JSON.parse(stdout) as BackboneNumbers;
}

function expectStateDict(ours: BackboneNumbers["stateDict"], recorded: BackboneNumbers["stateDict"]): void {
  const line = (entry: [string, number[]] | undefined) =>
    entry === undefined ? "nothing" : `${entry[0]} [${entry[1]}]`;
  for (let i = 0; i < Math.max(ours.length, recorded.length); i++) {
    if (line(ours[i]) === line(recorded[i])) continue;
    throw new Error(`state_dict entry ${i}: ${line(ours[i])}, recorded ${line(recorded[i])}`);
  }
}

function expectNorms(ours: Record<string, number>, recorded: Record<string, number>): void {
  const names = Object.keys(recorded).sort();
  const ownNames = Object.keys(ours).sort();
  if (String(names) !== String(ownNames)) {
    const strange = [...names, ...ownNames].filter((name) => !(name in ours && name in recorded));
    throw new Error(`gradient norms: only on one side: ${strange.join(", ")}`);
  }
  const relative = hasRecordedArithmetic() ? GRADIENT : GRADIENT_OTHER_ARITHMETIC;
  const noise = ROUNDING_NOISE * Math.max(...Object.values(recorded));
  for (const name of names) {
    const expected = recorded[name]!;
    if (expected < noise) expectNear(`gradient norm of ${name}`, ours[name]!, expected, noise);
    else expectClose(`gradient norm of ${name}`, ours[name]!, expected, relative);
  }
}
