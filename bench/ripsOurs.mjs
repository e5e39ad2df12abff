// One run of a core for bench/rips.mjs: reads distances, prints bars as Ripser does.
// Usage: node bench/ripsOurs.mjs FILE POINTS DEGREE portable|native
import { readFileSync } from "node:fs";
import { portableRips } from "../packages/topology/dist/index.js";

const [file, points, degree, name] = process.argv.slice(2);
const core = name === "native" ? (await import("@topofr/torch")).nativeRips : portableRips;
const n = Number(points);
const bytes = readFileSync(file);
const distances = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
const pairs = core({
  n,
  distances,
  maxDimension: Number(degree),
  threshold: enclosingRadius(),
  modulus: 2,
  representatives: false,
  cocycles: false,
});
const lines = pairs.flatMap(({ births, deaths }) =>
  Array.from(births, (birth, k) => ` [${birth},${deaths[k]})`),
);
process.stdout.write(`${lines.join("\n")}\n`);

// As Ripser does when it is given no threshold.
function enclosingRadius() {
  const farthest = new Float32Array(n);
  for (let i = 1, next = 0; i < n; i++) {
    for (let j = 0; j < i; j++, next++) {
      if (distances[next] > farthest[i]) farthest[i] = distances[next];
      if (distances[next] > farthest[j]) farthest[j] = distances[next];
    }
  }
  return farthest.reduce((least, radius) => Math.min(least, radius));
}
