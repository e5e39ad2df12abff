// Inner products of the rows of a training batch, without gradient: what its distances are made of where only the tree's
// edges are differentiated. With gradient: points.matmul(points.t()).
import { native } from "./native.js";
import type { Tensor } from "./tensor.js";

/**
 * Twice as fast as a matrix product on few rows of many columns (128 x 37,632), because it is symmetric.
 *
 * @param points `[n, d]` float32 on the CPU; up to a few thousand rows.
 * @returns `[n, n]` float32, exactly symmetric, without gradient. The sums of every 2,048 columns are added in float64.
 * @throws `E_TENSOR` for another shape, dtype or device.
 */
export const gramMatrix = (points: Tensor): Tensor => native.gramMatrix(points);
