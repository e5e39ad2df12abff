// The classification head: one centre a class, compared by angle. Comparing with a random share of them: partialClassifier.ts.
import { nn, noGrad, ops, type optim, randn, scope, type Tensor } from "@topofr/torch";

/** Lengths of the rows, [rows, columns] -> [rows, 1]. */
export const rowNorms = (matrix: Tensor): Tensor => matrix.norm(2, [1], { keepdim: true });

/** Rows scaled to length 1. A zero row stays zero. */
export const normalizeRows = (matrix: Tensor): Tensor => matrix.div(rowNorms(matrix).clampMin(1e-12));

/** cos(theta_j) between embeddings and class centres: [batch, size], [classes, size] -> [batch, classes] in [-1, 1]. */
export const cosineLogits = (embedding: Tensor, centres: Tensor): Tensor =>
  ops.linear(normalizeRows(embedding), normalizeRows(centres)).clamp({ min: -1, max: 1 });

/**
 * The same with the products in bfloat16, forward and backward; lengths stay float32. A cosine is off by
 * up to 2^-8 of its size and 0.002.
 * Centres are divided by their lengths after the product, which saves reading and writing them twice.
 */
export const cosineLogitsBf16 = (embedding: Tensor, centres: Tensor): Tensor =>
  ops
    .linear(normalizeRows(embedding).to("bfloat16"), centres.to("bfloat16"))
    .to("float32")
    .div(rowNorms(centres).clampMin(1e-12).t())
    .clamp({ min: -1, max: 1 });

/** The class centres that a training batch is compared with. */
export interface Selection {
  /** [compared, embeddingSize] */
  centres: Tensor;
  /** [batch] of the batch's images: rows of `centres`. */
  labels: BigInt64Array;
}

/** Parameter `weight` [classes, embeddingSize], N(0, 0.01) at first as in the reference code; always float32. */
export class CosineClassifier extends nn.Module {
  readonly weight: Tensor;
  readonly #precision: "fp32" | "bf16";

  /** @param options.precision of the products in training. Default fp32. */
  constructor(
    readonly classes: number,
    readonly embeddingSize: number,
    { precision = "fp32" }: { precision?: "fp32" | "bf16" } = {},
  ) {
    super();
    this.#precision = precision;
    this.weight = this.parameter(
      "weight",
      scope(() => noGrad(() => randn([classes, embeddingSize]).mul(0.01))),
    );
  }

  /** How many classes a training batch is compared with. */
  get compared(): number {
    return this.classes;
  }

  /** Cosines with the centres of all classes, in float32. */
  override forward(embedding: Tensor): Tensor {
    return cosineLogits(embedding, this.weight);
  }

  /**
   * Chooses the centres for a training batch. Outside of the batch's scope(): they live until `endStep`.
   * @param labels [batch] classes
   */
  select(labels: BigInt64Array): Selection {
    return { centres: this.weight, labels };
  }

  /** cos(theta_j) of a training batch, [batch, compared]. */
  cosines(embedding: Tensor, { centres }: Selection): Tensor {
    return this.#precision === "bf16"
      ? cosineLogitsBf16(embedding, centres)
      : cosineLogits(embedding, centres);
  }

  /** What the optimiser must know of the batches since the last `endStep`: nothing, the whole weight is trained. Outside of a scope(). */
  sampled(): ReadonlyMap<Tensor, optim.SampledRows> {
    return new Map();
  }

  /** After the update: lets go of what `select` and `sampled` have made. */
  endStep(): void {}

  /** Random streams, for checkpoints. */
  state(): Record<string, number[]> {
    return {};
  }

  restore(_state: Record<string, number[]>): void {}
}
