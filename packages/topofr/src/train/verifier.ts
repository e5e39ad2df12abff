// Verification during training, on the pairs that the recipe names: a folder with a pair list, or a .bin file.
import { TopofrError } from "@topofr/formats";
import type { ImageSource } from "../data/imageSource.js";
import { openBenchmark } from "../evaluate/benchmarks/open.js";
import { embedImages } from "../evaluate/embedImages.js";
import type { VerificationReport } from "../evaluate/verification.js";
import type { Recipe } from "./recipe.js";
import type { Learner } from "./step.js";

const BATCH_SIZE = 64;

export interface Verifier {
  name: string;
  /** The images of the pairs. */
  images: readonly ImageSource[];
  verify(learner: Learner, signal: AbortSignal): Promise<VerificationReport>;
}

/**
 * Reads the pairs before training starts, so that a missing image stops the run at once. Null: the recipe names none.
 *
 * @throws E_RECIPE for a benchmark without folds of pairs; else as `openBenchmark`
 */
export async function openVerifier({ evaluate, data }: Recipe): Promise<Verifier | null> {
  if (evaluate.data === null) return null;
  const benchmark = await openBenchmark(evaluate.data, { pairs: evaluate.pairs });
  if (benchmark.kind !== "pairs") {
    throw new TopofrError(
      "E_RECIPE",
      `evaluate.data: ${evaluate.data} is no benchmark of pairs; training verifies on a folder with a pair list or a .bin ` +
        "file; use topofr evaluate for the others",
    );
  }
  return {
    name: benchmark.name,
    images: benchmark.images,
    async verify({ backbone, precision }, signal) {
      const options = { flip: true, batchSize: BATCH_SIZE, precision, resize: data.resize, signal };
      const embeddings = await embedImages(backbone, benchmark.images, options);
      return benchmark.report(embeddings, backbone.embeddingSize);
    },
  };
}

/** The numbers of a report that the log keeps. */
export function verificationMetrics(report: VerificationReport): Record<string, number> {
  const { accuracy, accuracyStd, auc, eer, tarAtFar } = report;
  const tars = tarAtFar.map(({ far, tar }) => [`tarAtFar ${far.toExponential(0)}`, tar] as const);
  return { accuracy, accuracyStd, auc, eer, ...Object.fromEntries(tars) };
}
