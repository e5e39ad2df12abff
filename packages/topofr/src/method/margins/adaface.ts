// AdaFace (Kim et al., CVPR 2022): the embedding's length stands for image quality and decides the kind of margin.
import { noGrad, type Tensor } from "@topofr/torch";
import type { Margin } from "./margin.js";
import type { MarginOf } from "./marginOptions.js";
import { RunningMeans } from "./runningMeans.js";
import { filterOtherClasses, targetColumn, withTarget } from "./target.js";

const EPSILON = 1e-3; // of the angle from 0 and pi, of the cosine from 1, of the deviation from 0
const LENGTHS = { min: 0.001, max: 100 };
const INITIAL = [20, 100] as const; // mean and standard deviation before the first batch

/**
 * z = clip(h (|f| - mu) / sigma, -1, 1), a constant to the gradient; mu and sigma are running means of the lengths' batch mean
 * and standard deviation (0.01 of a new batch).
 *
 *   cos(theta_y) -> cos(theta_y - m z) - (m + m z), then times s
 *
 * so that a sample of good quality (z = 1) is emphasised when it is hard and one of poor quality (z = -1) when it is easy.
 */
export function adaface(options: MarginOf<"adaface">): Margin {
  const { scale, margin, concentration, averaging, interClassFilter } = options;
  const means = new RunningMeans("adaface", INITIAL, averaging);
  const lengths = (norms: Tensor) => norms.detach().clamp(LENGTHS);
  return {
    logits(cosine, labels, norms) {
      const [mean, deviation] = means.values as [number, number];
      const shift = noGrad(() =>
        lengths(norms) // m z
          .sub(mean)
          .mul(concentration / (deviation + EPSILON))
          .clamp({ min: -1, max: 1 })
          .mul(margin),
      );
      const angle = targetColumn(cosine, labels)
        .clamp({ min: -1 + EPSILON, max: 1 - EPSILON })
        .acos()
        .sub(shift)
        .clamp({ min: EPSILON, max: Math.PI - EPSILON });
      const target = angle.cos().sub(shift.add(margin));
      return withTarget(filterOtherClasses(cosine, labels, interClassFilter), labels, target).mul(scale);
    },
    observe(_cosine, _labels, norms) {
      noGrad(() => {
        const given = lengths(norms);
        means.observe([given.mean().item(), given.std().item()]);
      });
    },
    state: () => means.state(),
    restore: (state) => means.restore(state),
  };
}
