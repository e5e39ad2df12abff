// Images of [-1, 1], as the network takes them, changed by arithmetic that is for [0, 1].
import type { Tensor } from "@topofr/torch";

export const inUnitRange = (images: Tensor, change: (images: Tensor) => Tensor): Tensor =>
  change(images.mul(0.5).add(0.5)).sub(0.5).div(0.5);
