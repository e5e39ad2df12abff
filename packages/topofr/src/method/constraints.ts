// The two pulls of a margin loss, one of which can be removed (table 6 of the TopoFR paper, which does not say how it did that;
// the definition here, the "gradient split", is ours).
import type { Tensor } from "@topofr/torch";
import { targetColumn, withTarget } from "./margins/target.js";
import type { ObjectiveOptions } from "./objectiveOptions.js";

/**
 * Gradient split: a margin loss depends on an embedding and on the class centres only through the cosines, and its gradient is
 * the sum of two parts. The one through cos(theta_y) pulls a sample and its own centre together, the intra-class constraint.
 * The one through the cosines of the other classes pushes it and their centres apart, the inter-class constraint. Removing one
 * makes its cosines constants: the loss keeps its value, and the part that remains is exactly what it was in the whole.
 *
 * @param cosine [batch, classes]
 * @returns the same values; gradients flow only through those of `constraints`
 */
export function constrainedCosine(
  cosine: Tensor,
  labels: Tensor,
  constraints: ObjectiveOptions["constraints"],
): Tensor {
  switch (constraints) {
    case "both":
      return cosine;
    case "intra-class":
      return withTarget(cosine.detach(), labels, targetColumn(cosine, labels));
    case "inter-class":
      return withTarget(cosine, labels, targetColumn(cosine, labels).detach());
  }
}
