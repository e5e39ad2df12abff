// The classification head: one centre a class, compared by angle.
import { nn, noGrad, ops, randn, scope, type Tensor } from "@topofr/torch";

/** Lengths of the rows, [rows, columns] -> [rows, 1]. */
export const rowNorms = (matrix: Tensor): Tensor => matrix.norm(2, [1], { keepdim: true });

/** Rows scaled to length 1. A zero row stays zero. */
export const normalizeRows = (matrix: Tensor): Tensor => matrix.div(rowNorms(matrix).clampMin(1e-12));

/** cos(theta_j) between embeddings and class centres: [batch, size], [classes, size] -> [batch, classes] in [-1, 1]. */
export const cosineLogits = (embedding: Tensor, centres: Tensor): Tensor =>
  ops.linear(normalizeRows(embedding), normalizeRows(centres)).clamp({ min: -1, max: 1 });

/** Parameter `weight` [classes, embeddingSize], N(0, 0.01) at first as in the reference code; always float32. */
export class CosineClassifier extends nn.Module {
  readonly weight: Tensor;

  constructor(
    readonly classes: number,
    readonly embeddingSize: number,
  ) {
    super();
    this.weight = this.parameter(
      "weight",
      scope(() => noGrad(() => randn([classes, embeddingSize]).mul(0.01))),
    );
  }

  override forward(embedding: Tensor): Tensor {
    return cosineLogits(embedding, this.weight);
  }
}
