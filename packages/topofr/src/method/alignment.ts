// Invariant structure alignment (ISA, paper equation 2): the persistence of the clean images and of the perturbed images'
// embeddings, matched in degree 0, where it is the minimum spanning tree. Gradients flow through the chosen edges' lengths.

import { type Edges, minimumSpanningTree } from "@topofr/topology";
import { noGrad, ops, scope, type Tensor, tensor } from "@topofr/torch";
import { normalizeRows } from "./classifier.js";
import { inputDiameter } from "./objectiveComposition.js";
import type { AlignmentOptions } from "./objectiveOptions.js";

const DIRECT = 2; // aten::cdist: differences, never the matrix product

export interface Alignment {
  /** L_sa, a scalar. */
  loss: Tensor;
  /** gamma_X and gamma_Z, in filtration order. Their weights are lengths in the units that the loss compares. */
  inputEdges: Edges;
  latentEdges: Edges;
}

/**
 * Pairwise Euclidean distances, [n, d] -> [n, n]. "gram" needs O(n²) memory and one matrix product; near-duplicates lose
 * digits to cancellation, which can only reorder near-ties: lengths in the loss are always computed from differences.
 */
export function pairwiseDistances(points: Tensor, method: AlignmentOptions["distance"]): Tensor {
  if (method === "direct") return ops.cdist(points, points, { computeMode: DIRECT });
  const gram = points.matmul(points.t());
  const squares = gram.diagonal();
  return squares.unsqueeze(0).add(squares.unsqueeze(1)).sub(gram.mul(2)).clampMin(0).sqrt();
}

/** The edges that give birth to nothing and kill a component: the minimum spanning tree, as the reference orders it. */
export function degree0Edges(distances: Tensor): Edges {
  const n = distances.shape[0]!;
  return minimumSpanningTree(distances.toTypedArray() as Float32Array, n);
}

/** Lengths of chosen edges, [edges]; the gradient of a zero-length edge is 0. */
export function edgeLengths(points: Tensor, { u, v }: Edges): Tensor {
  const ends = [u, v].map((vertices) => points.indexSelect(0, tensor(BigInt64Array.from(vertices, BigInt))));
  return ends[0]!.sub(ends[1]!).norm(2, [1]);
}

/** The images as points, and what divides their distances so that both spaces are on one scale. */
function inputSpace(
  images: Tensor,
  options: AlignmentOptions,
): { points: Tensor; scale: (distances: Tensor) => number } {
  const flat = images.flatten({ startDim: 1 });
  const dimension = flat.shape[1]!;
  const diameter = inputDiameter(options);
  switch (options.inputNorm) {
    case "none":
      return { points: flat, scale: () => 1 };
    case "theory-maximum": // of images in [-1, 1]: sqrt(4 C H W)
      return { points: flat, scale: () => diameter / Math.sqrt(4 * dimension) };
    case "batch-maximum":
      return { points: flat, scale: (distances) => diameter / Math.max(distances.max().item(), 1e-12) };
    case "unit-sphere":
      return { points: normalizeRows(flat.sub(flat.mean([0], { keepdim: true }))), scale: () => 1 };
  }
}

/**
 * @param images the clean images, [batch, 3, h, w] float32 in [-1, 1]; no gradient
 * @param embedding of the perturbed images, [batch, size] float32
 */
export function structureAlignment(images: Tensor, embedding: Tensor, options: AlignmentOptions): Alignment {
  const latent = options.latent === "l2" ? normalizeRows(embedding) : embedding;
  const { inputEdges, latentEdges, inputLengths } = noGrad(() =>
    scope(() => {
      const { points, scale } = inputSpace(images, options);
      const distances = pairwiseDistances(points, options.distance);
      const factor = scale(distances);
      const inputEdges = degree0Edges(distances);
      const latentEdges = degree0Edges(pairwiseDistances(latent.detach(), options.distance));
      const inputLengths = [inputEdges, latentEdges].map((edges) => edgeLengths(points, edges).mul(factor));
      return { inputEdges: scaled(inputEdges, factor), latentEdges, inputLengths };
    }),
  );
  const [inputAtInput, inputAtLatent] = inputLengths as [Tensor, Tensor]; // M_X[gamma_X], M_X[gamma_Z]
  const latentAtLatent = edgeLengths(latent, latentEdges); // M_Z[gamma_Z]

  let loss: Tensor;
  if (options.match === "sorted") {
    loss = inputAtInput.sub(latentAtLatent).square().sum();
  } else {
    const latentAtInput = edgeLengths(latent, inputEdges); // M_Z[gamma_X]
    loss = inputAtInput
      .sub(latentAtInput)
      .square()
      .sum()
      .add(latentAtLatent.sub(inputAtLatent).square().sum());
  }
  if (options.half) loss = loss.mul(0.5);
  if (options.reduce === "batch-mean") loss = loss.div(embedding.shape[0]!);
  return { loss, inputEdges, latentEdges };
}

const scaled = ({ u, v, weight }: Edges, factor: number): Edges => ({
  u,
  v,
  weight: weight.map((length) => length * factor),
});
