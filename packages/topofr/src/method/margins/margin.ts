// What a margin is: it makes the true class's cosine harder to reach, then scales all of them into logits. Some also
// follow the embeddings' lengths, keep running means, or have a loss of their own.
import type { nn, Tensor } from "@topofr/torch";
import { adaface } from "./adaface.js";
import { arcface } from "./arcface.js";
import { combined } from "./combined.js";
import { cosface } from "./cosface.js";
import { curricularface } from "./curricularface.js";
import { elasticface } from "./elasticface.js";
import { magface } from "./magface.js";
import type { MarginOptions } from "./marginOptions.js";
import { sphereface } from "./sphereface.js";
import { uniface } from "./uniface.js";

export interface Margin {
  /**
   * @param cosine [batch, classes] float32 in [-1, 1]
   * @param labels [batch] int64
   * @param norms [batch, 1] float32, the lengths of the embeddings before they were normalised
   * @returns logits [batch, classes], multiplied by the scale s
   */
  logits(cosine: Tensor, labels: Tensor, norms: Tensor): Tensor;
  /** The loss of each sample, [batch], from the logits. Without it: cross-entropy. */
  losses?(logits: Tensor, labels: Tensor): Tensor;
  /** What is added to each sample's loss for its embedding's length, [batch]. */
  regularizer?(norms: Tensor): Tensor;
  /** Takes a training batch into the running means, before its logits are computed. */
  observe?(cosine: Tensor, labels: Tensor, norms: Tensor): void;
  /** Running means or the random stream, for checkpoints. */
  state?(): number[];
  /** @throws E_FORMAT when it is not what `state` gives */
  restore?(state: number[]): void;
  /** Parameters of the margin's own. */
  readonly learned?: nn.Module;
}

export interface MarginSetting {
  /** Number of classes that a batch is compared with, K. */
  classes: number;
  /** Of the random streams. */
  seed: number;
}

/** Outside of scope(), since a margin may have parameters. */
export function createMargin(options: MarginOptions, { classes, seed }: MarginSetting): Margin {
  switch (options.kind) {
    case "arcface":
      return arcface(options);
    case "cosface":
      return cosface(options);
    case "combined":
      return combined(options);
    case "sphereface":
      return sphereface(options);
    case "curricularface":
      return curricularface(options);
    case "magface":
      return magface(options);
    case "adaface":
      return adaface(options);
    case "elasticface-arc":
    case "elasticface-cos":
      return elasticface(options, seed);
    case "uniface":
      return uniface(options, classes);
  }
}
