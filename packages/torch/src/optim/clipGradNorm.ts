import { noGrad } from "../gradMode.js";
import { ops } from "../operators.js";
import { scope } from "../scope.js";
import type { Tensor } from "../tensor.js";

/**
 * Scales all gradients in place so that their joint L2 norm is at most `maxNorm`, by PyTorch's rule
 * (factor min(1, maxNorm / (norm + 1e-6))).
 * @returns the norm before clipping; NaN or infinite when a gradient is, and then nothing is scaled.
 */
export function clipGradNorm_(parameters: Iterable<Tensor>, maxNorm: number): number {
  return noGrad(() =>
    scope(() => {
      const gradients = [...parameters]
        .map((parameter) => parameter.grad)
        .filter((gradient) => gradient !== null);
      if (gradients.length === 0) return 0;
      const norm = ops.stack(ops._foreachNorm(gradients)).norm().item();
      const factor = maxNorm / (norm + 1e-6);
      if (factor < 1 && Number.isFinite(norm)) ops._foreachMul_(gradients, factor);
      return norm;
    }),
  );
}
