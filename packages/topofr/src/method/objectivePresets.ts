// The three named objectives: every switch of each, with the reason where it is a decision.
// Values only; the meaning of a switch is in objectiveOptions.ts.

import type { ObjectiveOptions, PresetName } from "./objectiveOptions.js";

/** The equations of the paper (section 4), with nothing that only its code does. */
const paper: ObjectiveOptions = {
  margin: { kind: "arcface", scale: 64, margin: 0.5, interClassFilter: null }, // eq. 1
  perturbation: {
    probability: 0.2, // xi, section 5.1
    operations: ["erasing", "blur", "grayscale", "jitter"],
    erasingLeaks: false,
  },
  alignment: {
    weight: 0.1, // alpha for IResNet-50; the paper uses 0.05 for IResNet-100 and -200
    match: "symmetric", // eq. 2
    half: true,
    reduce: "sum",
    inputNorm: "none",
    latent: "raw",
    distance: "gram",
  },
  damage: {
    focal: true,
    mixture: true,
    lambda: 1, // not given in the paper; the code's value
    // The paper writes g = C(f): the classifier sees the embedding and no label, so its softmax can hold no
    // margin. With one, the true class is pushed down by it and even a perfect prediction looks uncertain.
    probability: "plain",
    truncateProbability: false,
    detach: false, // section 4.2: both omega and the loss are optimised
  },
  mixture: {
    sign: "random", // before eq. 6
    standardise: false,
    mixingCap: null,
    omega: "paper", // eq. 7
    maxIterations: 1000, // the paper gives no stopping rule; the code's
    tolerance: 1e-10,
    entropyEpsilon: 0,
  },
  mining: null,
  constraints: "both",
};

/** What the published code does, quirks included (D1 to D13). */
const official: ObjectiveOptions = {
  margin: { kind: "arcface", scale: 64, margin: 0.5, interClassFilter: null },
  perturbation: {
    probability: 0.2,
    operations: ["erasing", "blur", "grayscale", "jitter"],
    erasingLeaks: true, // D13: erases through a view of the clean batch
  },
  alignment: {
    weight: 0.1,
    match: "sorted", // D1
    half: false, // D2
    reduce: "batch-mean",
    inputNorm: "theory-maximum", // D3
    latent: "raw", // D4
    distance: "gram",
  },
  damage: {
    focal: true,
    mixture: true,
    lambda: 1,
    probability: "margin", // D8
    truncateProbability: true, // D6: p_gt is stored in an integer tensor
    detach: true, // D7
  },
  mixture: {
    sign: "alternate", // D9
    standardise: true, // D10
    mixingCap: 0.5, // D12
    omega: "code", // D11
    maxIterations: 1000,
    tolerance: 1e-10,
    entropyEpsilon: 1e-5,
  },
  mining: null,
  constraints: "both",
};

/**
 * Ours: alignment of the angles that recognition compares. Embeddings have length 1 and so have the images,
 * centred on the batch's mean image, so both spaces have distances in [0, 2] and shrinking the embeddings'
 * norm changes nothing. On batches of 128 real faces (the pins set) the centred images' tree edges have mean length
 * 0.96 and all pairs 1.41, where unrelated embeddings are too; divided by the theoretical maximum
 * (times 2) the edges would be 0.44 and would pull different people together.
 * The weight is alpha times the margin's scale: cosines enter the classification loss multiplied by 64, unit
 * distances enter the alignment as they are, and with 0.1 its gradient would be lost beside the other.
 * The damage score is the published code's without its two mistakes: D6 (integer p_gt), D11 (a missing 3).
 */
const spherical: ObjectiveOptions = {
  ...official,
  perturbation: { ...official.perturbation!, erasingLeaks: false },
  alignment: {
    weight: 6.4, // alpha s = 0.1 * 64
    match: "symmetric",
    half: false,
    reduce: "batch-mean",
    inputNorm: "unit-sphere",
    latent: "l2",
    distance: "gram",
  },
  damage: { ...official.damage!, truncateProbability: false },
  mixture: { ...official.mixture, omega: "paper" },
};

export const PRESETS: Readonly<Record<PresetName, ObjectiveOptions>> = { paper, official, spherical };
