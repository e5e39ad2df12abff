// The training objective, equation 10: L = L_cls + alpha · L_sa, with its parts for the log. The pieces: perturbation.ts
// (before the network), margins/, damage.ts and alignment.ts.
import type { Tensor } from "@topofr/torch";
import { RandomStream } from "../random/stream.js";
import { type Alignment, structureAlignment } from "./alignment.js";
import { type Damage, structureDamage } from "./damage.js";
import { createMargin, type Margin } from "./margins/margin.js";
import type { ObjectiveOptions } from "./objectiveOptions.js";
import { perturb } from "./perturbation.js";

const NO_REDUCTION = 0; // of aten::cross_entropy_loss

export interface ObjectiveInput {
  /** Clean images, [batch, 3, h, w] float32 in [-1, 1]. */
  images: Tensor;
  /** Of the perturbed images, [batch, size] float32, not normalised. */
  embedding: Tensor;
  /** cos(theta), [batch, classes] float32. */
  cosine: Tensor;
  /** [batch] int64 */
  labels: Tensor;
}

export interface ObjectiveLoss {
  /** Equation 10, a scalar. */
  loss: Tensor;
  /** Equation 9: mean of omega · margin cross-entropy. */
  classificationLoss: Tensor;
  /** Null when that part of the method is off. */
  alignment: Alignment | null;
  damage: Damage | null;
}

export class Objective {
  readonly margin: Margin;
  readonly #perturbationStream: RandomStream;
  readonly #signStream: RandomStream;

  constructor(
    readonly options: ObjectiveOptions,
    seed: number,
  ) {
    this.margin = createMargin(options.margin);
    this.#perturbationStream = new RandomStream(seed, "perturbation");
    this.#signStream = new RandomStream(seed, "mixture signs");
  }

  /** RSP: what the network sees. */
  perturb(images: Tensor): Tensor {
    return this.options.perturbation === null
      ? images
      : perturb(images, this.options.perturbation, this.#perturbationStream);
  }

  loss({ images, embedding, cosine, labels }: ObjectiveInput): ObjectiveLoss {
    const { alignment: alignmentOptions, damage: damageOptions, mixture, margin } = this.options;

    const logits = this.margin.logits(cosine, labels);
    const crossEntropy = logits.crossEntropyLoss(labels, { reduction: NO_REDUCTION }); // L_arc, eq. 1

    let damage: Damage | null = null;
    let weighted = crossEntropy;
    if (damageOptions !== null) {
      const predicted = damageOptions.probability === "margin" ? logits : cosine.mul(margin.scale);
      damage = structureDamage(predicted, labels, damageOptions, mixture, this.#signStream); // omega, eq. 8
      weighted = crossEntropy.mul(damage.omega);
    }
    const classificationLoss = weighted.mean(); // L_cls, eq. 9

    if (alignmentOptions === null)
      return { loss: classificationLoss, classificationLoss, alignment: null, damage };
    const alignment = structureAlignment(images, embedding, alignmentOptions); // L_sa, eq. 2
    const loss = classificationLoss.add(alignment.loss.mul(alignmentOptions.weight)); // eq. 10
    return { loss, classificationLoss, alignment, damage };
  }

  /** Random streams, for checkpoints. */
  state(): Record<string, number[]> {
    return { perturbation: this.#perturbationStream.state(), signs: this.#signStream.state() };
  }

  restore(state: Record<string, number[]>): void {
    for (const [name, stream] of [
      ["perturbation", this.#perturbationStream],
      ["signs", this.#signStream],
    ] as const) {
      const saved = state[name];
      if (saved !== undefined) stream.restore(saved);
    }
  }
}
