// The method's variants and its rivals by name (tables 3 to 8 of the paper): which parts of the objective each one has.
// A variant says what is on; the values of its switches come from the preset and the recipe. Words (a margin's kind, a
// matching) are what a variant means, and a recipe cannot change them; numbers are its defaults, which a recipe may change.

import type { MarginOptions } from "./margins/marginOptions.js";
import type { MiningOptions } from "./mining/miningOptions.js";
import type { AlignmentOptions, ObjectiveOptions, VariantName } from "./objectiveOptions.js";

/** Some of a union's keys, with the kind that they are of. */
type Kinded<T extends { kind: string }> = T extends unknown ? Partial<T> & Pick<T, "kind"> : never;

export interface Variant {
  /** One line for `--help` and tables. */
  description: string;
  /** The margin that the name implies; null: the recipe's. */
  margin: Kinded<MarginOptions> | null;
  perturbation: boolean;
  /** false: off; otherwise on, with the matching that the name implies, if any. */
  alignment: Pick<Partial<AlignmentOptions>, "match"> | false;
  damage: { focal: boolean; mixture: boolean } | false;
  mining: Kinded<MiningOptions> | null;
  constraints: ObjectiveOptions["constraints"];
}

const baseline = {
  margin: null,
  perturbation: false,
  alignment: false,
  damage: false,
  mining: null,
  constraints: "both",
} as const satisfies Omit<Variant, "description">;
const arcface = { ...baseline, margin: { kind: "arcface" } } as const;
const cosface = { ...baseline, margin: { kind: "cosface" } } as const;
const ptsa = { ...baseline, perturbation: true, alignment: {} } as const;
const topofr = { ...ptsa, damage: { focal: true, mixture: true } } as const;
const withoutIntra = { constraints: "inter-class" } as const;
const withoutInter = { constraints: "intra-class" } as const;

export const VARIANTS: Readonly<Record<VariantName, Variant>> = {
  arcface: { ...arcface, description: "ArcFace, the baseline" },
  cosface: { ...cosface, description: "CosFace, the other baseline" },
  topofr: { ...topofr, description: "the whole method (PTSA + SDE)" },
  "topofr-r": { ...baseline, perturbation: true, description: "random structure perturbation only" },
  "topofr-a": { ...baseline, alignment: {}, description: "structure alignment without perturbation" },
  "topofr-p": { ...ptsa, description: "perturbation and alignment (PTSA)" },
  "topofr-f": { ...ptsa, damage: { focal: true, mixture: false }, description: "PTSA and the focal factor" },
  "topofr-g": {
    ...ptsa,
    damage: { focal: false, mixture: true },
    description: "PTSA and the Gaussian-uniform mixture",
  },
  "topofr-b": {
    ...topofr,
    alignment: { match: "bottleneck" },
    description: "the whole method, aligned by the bottleneck distance",
  },
  "topofr-w": {
    ...topofr,
    alignment: { match: "wasserstein" },
    description: "the whole method, aligned by the 1-Wasserstein distance",
  },

  sphereface: { ...baseline, margin: { kind: "sphereface" }, description: "SphereFace" },
  curricularface: { ...baseline, margin: { kind: "curricularface" }, description: "CurricularFace" },
  magface: { ...baseline, margin: { kind: "magface" }, description: "MagFace" },
  adaface: { ...baseline, margin: { kind: "adaface" }, description: "AdaFace" },
  elasticface: {
    ...baseline,
    margin: { kind: "elasticface-arc", plus: false },
    description: "ElasticFace-Arc",
  },
  "elasticface-plus": {
    ...baseline,
    margin: { kind: "elasticface-arc", plus: true, deviation: 0.0175 },
    description: "ElasticFace-Arc+",
  },
  "elasticface-cos": {
    ...baseline,
    margin: { kind: "elasticface-cos", plus: false },
    description: "ElasticFace-Cos",
  },
  "elasticface-cos-plus": {
    ...baseline,
    margin: { kind: "elasticface-cos", plus: true, deviation: 0.025 },
    description: "ElasticFace-Cos+",
  },
  uniface: { ...baseline, margin: { kind: "uniface" }, description: "UniFace" },

  "mv-softmax": {
    ...arcface,
    mining: { kind: "mv-softmax", adaptive: true },
    description: "MV-Arc-Softmax, adaptive",
  },
  "mv-softmax-fixed": {
    ...arcface,
    mining: { kind: "mv-softmax", adaptive: false },
    description: "MV-Arc-Softmax, fixed",
  },
  "mv-am": {
    ...cosface,
    mining: { kind: "mv-softmax", adaptive: true },
    description: "MV-AM-Softmax, adaptive",
  },
  "mv-am-fixed": {
    ...cosface,
    mining: { kind: "mv-softmax", adaptive: false },
    description: "MV-AM-Softmax, fixed",
  },
  atk: { ...baseline, mining: { kind: "atk" }, description: "average of the k largest losses" },
  focal: { ...baseline, mining: { kind: "focal" }, description: "focal loss" },
  ehsm: { ...baseline, mining: { kind: "ehsm" }, description: "entropy-guided hard sample mining" },

  "arcface-no-intra": {
    ...arcface,
    ...withoutIntra,
    description: "ArcFace without its intra-class constraint",
  },
  "arcface-no-inter": {
    ...arcface,
    ...withoutInter,
    description: "ArcFace without its inter-class constraint",
  },
  "topofr-p-no-intra": { ...ptsa, ...withoutIntra, description: "PTSA without the intra-class constraint" },
  "topofr-p-no-inter": { ...ptsa, ...withoutInter, description: "PTSA without the inter-class constraint" },
};
