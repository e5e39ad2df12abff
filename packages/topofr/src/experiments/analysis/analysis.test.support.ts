// Points of a known shape for the tests of the analyses. The name keeps it out of the published package.
import { RandomStream } from "../../random/stream.js";

/** Points along a circle of radius 1 with a little noise, [count, 2]. */
export function circle(count: number, seed = 1): Float64Array {
  const stream = new RandomStream(seed, "circle");
  const points = new Float64Array(2 * count);
  for (let k = 0; k < count; k++) {
    const angle = (2 * Math.PI * k) / count;
    points[2 * k] = Math.cos(angle) + stream.range(-0.02, 0.02);
    points[2 * k + 1] = Math.sin(angle) + stream.range(-0.02, 0.02);
  }
  return points;
}
