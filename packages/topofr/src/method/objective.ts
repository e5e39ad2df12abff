// The training objective, equation 10: L = L_cls + alpha · L_sa, with its parts for the log. The pieces: perturbation.ts
// (before the network), constraints.ts, margins/, mining/, damage.ts and alignment.ts.
import type { nn, Tensor } from "@topofr/torch";
import { RandomStream } from "../random/stream.js";
import { type Alignment, structureAlignment } from "./alignment.js";
import { rowNorms } from "./classifier.js";
import { constrainedCosine } from "./constraints.js";
import { type Damage, structureDamage } from "./damage.js";
import { createMargin, type Margin } from "./margins/margin.js";
import { createMining, type Mining } from "./mining/mining.js";
import type { DamageOptions, ObjectiveOptions } from "./objectiveOptions.js";
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

export type LogitsInput = Pick<ObjectiveInput, "embedding" | "cosine" | "labels">;

export interface ObjectiveLoss {
  /** Equation 10, a scalar. */
  loss: Tensor;
  /** Equation 9: mean of omega · margin cross-entropy; of a rival, what takes its place. */
  classificationLoss: Tensor;
  /** Null when that part of the method is off. */
  alignment: Alignment | null;
  damage: Damage | null;
}

export class Objective {
  readonly margin: Margin;
  /** Parameters of the objective's own; null: none. */
  readonly learned: nn.Module | null;
  readonly #mining: Mining | null;
  readonly #perturbationStream: RandomStream;
  readonly #signStream: RandomStream;

  /** Outside of scope(), since it may have parameters. */
  constructor(
    readonly options: ObjectiveOptions,
    { seed, classes }: { seed: number; classes: number },
  ) {
    this.margin = createMargin(options.margin, { classes, seed });
    this.learned = this.margin.learned ?? null;
    this.#mining = options.mining && createMining(options.mining, options.margin.scale);
    this.#perturbationStream = new RandomStream(seed, "perturbation");
    this.#signStream = new RandomStream(seed, "mixture signs");
  }

  /** RSP: what the network sees. */
  perturb(images: Tensor): Tensor {
    return this.options.perturbation === null
      ? images
      : perturb(images, this.options.perturbation, this.#perturbationStream);
  }

  /**
   * Logits, [batch, classes]: "margin", as the loss sees them, or "plain", the scaled cosines. Running means stay as they are.
   */
  logits(kind: DamageOptions["probability"], { embedding, cosine, labels }: LogitsInput): Tensor {
    if (kind === "plain") return cosine.mul(this.options.margin.scale);
    const logits = this.margin.logits(cosine, labels, rowNorms(embedding));
    return this.#mining?.logits?.(logits, labels) ?? logits;
  }

  /** Of one training batch; takes it into the margin's running means. */
  loss({ images, embedding, cosine: unconstrained, labels }: ObjectiveInput): ObjectiveLoss {
    const { alignment: alignmentOptions, damage: damageOptions, mixture, constraints } = this.options;
    const { margin } = this;

    const cosine = constrainedCosine(unconstrained, labels, constraints);
    const norms = rowNorms(embedding);
    margin.observe?.(cosine, labels, norms);
    const logits = this.logits("margin", { embedding, cosine, labels });
    const plainLogits = () => this.logits("plain", { embedding, cosine, labels });
    // L_arc, eq. 1
    let losses =
      margin.losses?.(logits, labels) ?? logits.crossEntropyLoss(labels, { reduction: NO_REDUCTION });

    let damage: Damage | null = null;
    if (damageOptions !== null) {
      const predicted = damageOptions.probability === "margin" ? logits : plainLogits();
      damage = structureDamage(predicted, labels, damageOptions, mixture, this.#signStream); // omega, eq. 8
      losses = losses.mul(damage.omega);
    }
    // L_cls, eq. 9
    let classificationLoss = this.#mining?.reduce?.(losses, { logits, plainLogits, labels }) ?? losses.mean();
    if (margin.regularizer) classificationLoss = classificationLoss.add(margin.regularizer(norms).mean());

    if (alignmentOptions === null)
      return { loss: classificationLoss, classificationLoss, alignment: null, damage };
    const alignment = structureAlignment(images, embedding, alignmentOptions); // L_sa, eq. 2
    const loss = classificationLoss.add(alignment.loss.mul(alignmentOptions.weight)); // eq. 10
    return { loss, classificationLoss, alignment, damage };
  }

  /** Random streams and the margin's running means, for checkpoints. */
  state(): Record<string, number[]> {
    return {
      perturbation: this.#perturbationStream.state(),
      signs: this.#signStream.state(),
      ...(this.margin.state && { margin: this.margin.state() }),
    };
  }

  restore(state: Record<string, number[]>): void {
    for (const [name, stream] of [
      ["perturbation", this.#perturbationStream],
      ["signs", this.#signStream],
    ] as const) {
      const saved = state[name];
      if (saved !== undefined) stream.restore(saved);
    }
    if (state.margin !== undefined) this.margin.restore?.(state.margin);
  }
}
