// Structure alignment: the persistence of the clean images and of the perturbed images' embeddings in degree 0, where it is
// the minimum spanning tree, compared edge by edge (ISA, paper equation 2) or by a distance of the two diagrams (TopoFR-B,
// TopoFR-W). Gradients flow through the chosen edges' lengths.

import {
  bottleneckDistance,
  diagramDistanceGradient,
  type Edges,
  type FloatArray,
  minimumSpanningTree,
  type PersistenceDiagram,
  wassersteinDistance,
} from "@topofr/topology";
import { gramMatrix, noGrad, ops, scope, type Tensor, tensor } from "@topofr/torch";
import { normalizeRows } from "./classifier.js";
import { inputDiameter } from "./objectiveComposition.js";
import type { AlignmentOptions } from "./objectiveOptions.js";

const DIRECT = 2; // aten::cdist: differences, never the matrix product
// Below this share of the largest distance, one from the Gram matrix may have lost digits to cancellation.
const NEAR_DUPLICATE = 0.05;

export interface Alignment {
  /** L_sa, a scalar. */
  loss: Tensor;
  /** gamma_X and gamma_Z, in filtration order. Their weights are lengths in the units that the loss compares. */
  inputEdges: Edges;
  latentEdges: Edges;
}

/**
 * Pairwise Euclidean distances, [n, d] -> [n, n]. "gram" needs O(n²) memory and one matrix product; near-duplicates lose
 * digits to cancellation, which can only reorder near-ties in the tree: their lengths are computed anew from differences.
 */
export function pairwiseDistances(points: Tensor, method: AlignmentOptions["distance"]): Tensor {
  if (method === "direct") return ops.cdist(points, points, { computeMode: DIRECT });
  const gram = isKernelFit(points) ? gramMatrix(points) : points.matmul(points.t());
  const squares = gram.diagonal();
  return squares.unsqueeze(0).add(squares.unsqueeze(1)).sub(gram.mul(2)).clampMin(0).sqrt();
}

/** The symmetric kernel is for what training compares: float32 points in memory, whose distances need no gradient. */
const isKernelFit = ({ dtype, device, requiresGrad }: Tensor) =>
  dtype === "float32" && device === "cpu" && !requiresGrad;

/** Lengths of chosen edges, [edges]; the gradient of a zero-length edge is 0. */
export function edgeLengths(points: Tensor, { u, v }: Pick<Edges, "u" | "v">): Tensor {
  const ends = [u, v].map((vertices) => points.indexSelect(0, tensor(BigInt64Array.from(vertices, BigInt))));
  return ends[0]!.sub(ends[1]!).norm(2, [1]);
}

/** The images as points: flat, in the order of their memory, since distances do not depend on the order of the pixels. */
function inputPoints(images: Tensor, { inputNorm }: AlignmentOptions): Tensor {
  const isChannelsLast = images.strides[1] === 1;
  const flat = (isChannelsLast ? images.permute([0, 2, 3, 1]) : images).flatten({ startDim: 1 });
  if (inputNorm !== "unit-sphere") return flat;
  return normalizeRows(flat.sub(flat.mean([0], { keepdim: true })));
}

/** What the input space's distances are multiplied by, so that both spaces are on one scale. */
function inputScale(options: AlignmentOptions, dimension: number, largest: number): number {
  switch (options.inputNorm) {
    case "none":
    case "unit-sphere":
      return 1;
    case "theory-maximum": // of images in [-1, 1]: sqrt(4 C H W)
      return inputDiameter(options) / Math.sqrt(4 * dimension);
    case "batch-maximum":
      return inputDiameter(options) / Math.max(largest, 1e-12);
  }
}

/** Distances of the clean images, which need no gradient: their tree, and the lengths of any edges in it. */
class InputSpace {
  readonly edges: Edges;
  readonly #points: Tensor;
  readonly #matrix: FloatArray;
  readonly #largest: number;
  readonly #scale: number;

  constructor(images: Tensor, options: AlignmentOptions) {
    this.#points = inputPoints(images, options);
    const [count, dimension] = this.#points.shape as [number, number];
    this.#matrix = pairwiseDistances(this.#points, options.distance).toTypedArray() as FloatArray;
    this.#largest = largestOf(this.#matrix);
    this.#scale = inputScale(options, dimension, this.#largest);
    this.edges = minimumSpanningTree(this.#matrix, count);
  }

  /** Scaled lengths, one an edge. */
  lengths({ u, v }: Edges): Float64Array {
    const count = this.#points.shape[0]!;
    const lengths = Float64Array.from(u, (vertex, edge) => this.#matrix[vertex * count + v[edge]!]!);
    const near = [...lengths.keys()].filter((edge) => lengths[edge]! < NEAR_DUPLICATE * this.#largest);
    if (near.length > 0) {
      const chosen = {
        u: Uint32Array.from(near, (edge) => u[edge]!),
        v: Uint32Array.from(near, (edge) => v[edge]!),
      };
      const exact = edgeLengths(this.#points, chosen).toTypedArray() as FloatArray;
      for (const [index, edge] of near.entries()) lengths[edge] = exact[index]!;
    }
    return lengths.map((length) => length * this.#scale);
  }
}

/** The finite points of degree 0: all born at 0, each dying at the length of a tree's edge. */
const degree0 = (deaths: Float64Array): PersistenceDiagram => ({
  dimension: 0,
  births: new Float64Array(deaths.length),
  deaths,
});

/**
 * Distance of the two diagrams in degree 0, differentiable through its optimal matching (paper, table 8):
 *
 *   bottleneck     min over kappa of max  |w - kappa(w)|      TopoFR-B
 *   wasserstein    min over kappa of sum  |w - kappa(w)|      TopoFR-W, order 1
 *
 * kappa matches points of one diagram with points of the other or with the diagonal; in degree 0 a point w is its death d,
 * |w - w'| = |d - d'|, and the diagonal is d / 2 away.
 *
 * @param input deaths of the images' diagram
 * @param latent deaths of the embeddings' diagram, [edges]
 */
export function diagramDistance(
  input: Float64Array,
  latent: Tensor,
  match: "bottleneck" | "wasserstein",
): Tensor {
  const [given, found] = [degree0(input), degree0(Float64Array.from(latent.detach().toTypedArray(), Number))];
  const [distance, p] =
    match === "bottleneck"
      ? [bottleneckDistance(given, found), Infinity]
      : [wassersteinDistance(given, found), 1];
  const { a, b } = diagramDistanceGradient(given, found, distance, { p });
  // Both distances are sums of deaths times these slopes, which stay the same as long as the matching does.
  const constant = input.reduce((sum, death, i) => sum + death * a.deaths[i]!, 0);
  return latent
    .mul(tensor(b.deaths, { dtype: latent.dtype }))
    .sum()
    .add(constant);
}

/**
 * L_sa: equation 2 under `match` "symmetric", what the published code has under "sorted", else {@link diagramDistance}.
 *
 * @param images the clean images, [batch, 3, h, w] float32 in [-1, 1]; no gradient
 * @param embedding of the perturbed images, [batch, size] float32
 */
export function structureAlignment(images: Tensor, embedding: Tensor, options: AlignmentOptions): Alignment {
  const latent = options.latent === "l2" ? normalizeRows(embedding) : embedding;
  const { inputEdges, latentEdges, inputAtInput, inputAtLatent } = noGrad(() =>
    scope(() => {
      const input = new InputSpace(images, options);
      const distances = pairwiseDistances(latent.detach(), options.distance).toTypedArray() as FloatArray;
      const latentEdges = minimumSpanningTree(distances, latent.shape[0]!);
      const [inputAtInput, inputAtLatent] = [input.edges, latentEdges].map((edges) => input.lengths(edges));
      return {
        inputEdges: { ...input.edges, weight: inputAtInput! },
        latentEdges,
        inputAtInput: tensor(inputAtInput!, { dtype: latent.dtype }), // M_X[gamma_X]
        inputAtLatent: tensor(inputAtLatent!, { dtype: latent.dtype }), // M_X[gamma_Z]
      };
    }),
  );
  const latentAtLatent = edgeLengths(latent, latentEdges); // M_Z[gamma_Z]
  const meanOver = options.reduce === "batch-mean" ? embedding.shape[0]! : 1;

  let loss: Tensor;
  if (options.match === "bottleneck" || options.match === "wasserstein") {
    loss = diagramDistance(inputEdges.weight, latentAtLatent, options.match);
    if (options.match === "wasserstein") loss = loss.div(meanOver); // the bottleneck distance is no sum
    return { loss, inputEdges, latentEdges };
  }
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
  return { loss: loss.div(meanOver), inputEdges, latentEdges };
}

const largestOf = (values: FloatArray): number => {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, value);
  return largest;
};
