// The method's variants by the paper's names (table 3): which parts of the objective each one has.
// A variant says what is on; the values of its switches come from the preset and the recipe.

import type { MarginKind, VariantName } from "./objectiveOptions.js";

export interface Variant {
  /** One line for `--help` and tables. */
  description: string;
  /** The margin that the name implies; null: the recipe's. */
  margin: MarginKind | null;
  perturbation: boolean;
  alignment: boolean;
  damage: { focal: boolean; mixture: boolean } | false;
}

const baseline = { perturbation: false, alignment: false, damage: false } as const;
const ptsa = { margin: null, perturbation: true, alignment: true } as const;

export const VARIANTS: Readonly<Record<VariantName, Variant>> = {
  arcface: { ...baseline, margin: "arcface", description: "ArcFace, the baseline" },
  cosface: { ...baseline, margin: "cosface", description: "CosFace, the other baseline" },
  topofr: { ...ptsa, damage: { focal: true, mixture: true }, description: "the whole method (PTSA + SDE)" },
  "topofr-r": {
    ...baseline,
    margin: null,
    perturbation: true,
    description: "random structure perturbation only",
  },
  "topofr-a": {
    ...baseline,
    margin: null,
    alignment: true,
    description: "structure alignment without perturbation",
  },
  "topofr-p": { ...ptsa, damage: false, description: "perturbation and alignment (PTSA)" },
  "topofr-f": { ...ptsa, damage: { focal: true, mixture: false }, description: "PTSA and the focal factor" },
  "topofr-g": {
    ...ptsa,
    damage: { focal: false, mixture: true },
    description: "PTSA and the Gaussian-uniform mixture",
  },
};
