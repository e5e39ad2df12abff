// What a margin is: it makes the true class's cosine harder to reach, then scales all of them into logits.
import type { Tensor } from "@topofr/torch";
import type { MarginOptions } from "../objectiveOptions.js";
import { arcface } from "./arcface.js";
import { combined } from "./combined.js";
import { cosface } from "./cosface.js";

export interface Margin {
  /**
   * @param cosine [batch, classes] float32 in [-1, 1]
   * @param labels [batch] int64
   * @returns logits [batch, classes], multiplied by the scale s
   */
  logits(cosine: Tensor, labels: Tensor): Tensor;
}

export function createMargin(options: MarginOptions): Margin {
  switch (options.kind) {
    case "arcface":
      return arcface(options);
    case "cosface":
      return cosface(options);
    case "combined":
      return combined(options);
  }
}
