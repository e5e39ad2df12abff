// ElasticFace (Boutros et al., CVPR Workshops 2022): every sample draws its own margin.
import { type Tensor, tensor } from "@topofr/torch";
import { RandomStream } from "../../random/stream.js";
import type { Margin } from "./margin.js";
import type { MarginOf } from "./marginOptions.js";
import { filterOtherClasses, monotoneCosineOfSum, targetColumn, withTarget } from "./target.js";

/**
 * m_i ~ N(m, deviation²) for each sample, anew in every step:
 *
 *   ElasticFace-Arc: cos(theta_y) -> cos(theta_y + m_i), with ArcFace's fallback
 *   ElasticFace-Cos: cos(theta_y) -> cos(theta_y) - m_i
 *
 * then times s. "Plus" (+): the drawn margins are sorted and the larger ones go to the samples with the smaller cosine.
 */
export function elasticface(
  options: MarginOf<"elasticface-arc"> | MarginOf<"elasticface-cos">,
  seed: number,
): Margin {
  const { kind, scale, margin, deviation, plus, interClassFilter } = options;
  const stream = new RandomStream(seed, "elastic margins");

  const draw = (cosTheta: Tensor): Tensor => {
    const count = cosTheta.shape[0]!;
    const drawn = Float64Array.from({ length: count }, () => margin + deviation * stream.normal());
    return tensor(plus ? largestToSmallest(drawn, cosTheta.detach().toTypedArray() as Float32Array) : drawn, {
      shape: [count, 1],
      dtype: cosTheta.dtype,
    });
  };
  return {
    logits(cosine, labels) {
      const cosTheta = targetColumn(cosine, labels);
      const margins = draw(cosTheta);
      const target =
        kind === "elasticface-arc" ? monotoneCosineOfSum(cosTheta, margins) : cosTheta.sub(margins);
      return withTarget(filterOtherClasses(cosine, labels, interClassFilter), labels, target).mul(scale);
    },
    state: () => stream.state(),
    restore: (state) => stream.restore(state),
  };
}

/** `margins` in an order in which the k-th largest stands where the k-th smallest cosine does. */
function largestToSmallest(margins: Float64Array, cosines: Float32Array | Float64Array): Float64Array {
  const descending = margins.toSorted((a, b) => b - a);
  const hardestFirst = [...cosines.keys()].sort((a, b) => cosines[a]! - cosines[b]! || a - b);
  const ordered = new Float64Array(margins.length);
  for (const [rank, sample] of hardestFirst.entries()) ordered[sample] = descending[rank]!;
  return ordered;
}
