// Persistent homology without an engine: distances, degree-0 diagrams, their distances and summaries.
// Plain typed arrays in and out; runs in Node and in a browser.

export { bettiCurve } from "./bettiCurve.js";
export { finiteDeaths, type PersistenceDiagram, ripsDegree0 } from "./diagram.js";
export {
  bottleneckDistance,
  type DiagramDistance,
  type MatchedPair,
  wassersteinDistance,
} from "./distance.js";
export {
  distanceBetween,
  distancesFromGram,
  type FloatArray,
  pairwiseDistances,
} from "./distances.js";
export { TopologyError, type TopologyErrorCode } from "./error.js";
export { type Edges, minimumSpanningTree } from "./minimumSpanningTree.js";
