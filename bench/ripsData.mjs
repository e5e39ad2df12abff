// Distances for bench/rips.mjs: float32, lower triangle by rows, little-endian, which is Ripser's binary format.
import { writeFileSync } from "node:fs";
import { RandomStream } from "../packages/topofr/dist/random/stream.js";
import { rowDistance } from "../packages/topology/dist/index.js";

const CLUSTERS = 20;
const DIMENSION = 512;
const SPREAD = 0.6; // of a cluster, beside centres of unit spread

export function writeDistances(file, { data, points: count, seed }) {
  const { points, dimension } = makePoints(data, count, new RandomStream(seed, data));
  const distance = rowDistance(points, count, dimension);
  const triangle = new Float32Array((count * (count - 1)) / 2);
  for (let i = 1, next = 0; i < count; i++) for (let j = 0; j < i; j++) triangle[next++] = distance(j, i);
  writeFileSync(file, triangle);
}

function makePoints(data, count, random) {
  if (data === "torus") {
    const points = new Float64Array(3 * count);
    for (let k = 0; k < count; k++) {
      const [u, v] = [random.range(0, 2 * Math.PI), random.range(0, 2 * Math.PI)];
      points.set([(2 + Math.cos(v)) * Math.cos(u), (2 + Math.cos(v)) * Math.sin(u), Math.sin(v)], 3 * k);
    }
    return { points, dimension: 3 };
  }
  if (data === "clusters") {
    const centres = Float64Array.from({ length: CLUSTERS * DIMENSION }, () => random.normal());
    const points = new Float64Array(count * DIMENSION);
    for (let k = 0; k < count; k++) {
      const row = points.subarray(k * DIMENSION, (k + 1) * DIMENSION);
      const centre = (k % CLUSTERS) * DIMENSION;
      for (let i = 0; i < DIMENSION; i++) row[i] = centres[centre + i] + SPREAD * random.normal();
      const norm = Math.hypot(...row);
      for (let i = 0; i < DIMENSION; i++) row[i] /= norm;
    }
    return { points, dimension: DIMENSION };
  }
  throw new Error(`--data ${data}: torus or clusters expected`);
}
