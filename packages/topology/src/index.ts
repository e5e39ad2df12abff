// Persistent homology without an engine: distances, Vietoris-Rips diagrams, their distances, summaries and plots.
// Plain typed arrays in and out; runs in Node and in a browser.

export { finiteDeaths, type PairSimplices, type PersistenceDiagram, ripsDegree0 } from "./diagram.js";
export {
  bottleneckDistance,
  type DiagramDistance,
  type DistanceOptions,
  distancesByDegree,
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
export { formatCsvDiagrams, parseCsvDiagrams } from "./io/csvDiagrams.js";
export { diagramsFromArrays, diagramsFromNpz, diagramsToArrays, type RawArray } from "./io/diagramArrays.js";
export {
  decodeDiphaDiagrams,
  decodeDiphaDistances,
  encodeDiphaDiagrams,
  encodeDiphaDistances,
} from "./io/dipha.js";
export {
  type DistanceMatrix,
  formatDistanceMatrix,
  formatLowerDistances,
  formatPointCloud,
  formatSparseDistances,
  formatUpperDistances,
  type PointCloud,
  parseDistanceMatrix,
  parseLowerDistances,
  parsePointCloud,
  parseSparseDistances,
  parseUpperDistances,
} from "./io/ripserText.js";
export { collapseEdges } from "./largeSets/edgeCollapse.js";
export { type LandmarkClaim, type Landmarks, landmarkClaim, maxminLandmarks } from "./largeSets/landmarks.js";
export { type PointSpace, spaceOfMatrix, spaceOfPoints } from "./largeSets/space.js";
export { type SparseDistances, sparseDistancesOf } from "./largeSets/sparseDistances.js";
export { sparseRips } from "./largeSets/sparseRips.js";
export {
  type BettiBand,
  drawSample,
  type RandomIntegers,
  type SubsampleOptions,
  subsampleBands,
} from "./largeSets/subsampleBands.js";
export { type DiagramGradient, diagramDistanceGradient } from "./matching/gradient.js";
export { type Edges, minimumSpanningTree } from "./minimumSpanningTree.js";
export { type PersistenceOptions, persistence } from "./persistence.js";
export { type BarcodeSvgOptions, barcodeSvg } from "./plot/barcodeSvg.js";
export { type BettiSvgOptions, bettiSvg } from "./plot/bettiSvg.js";
export { type DiagramSvgOptions, diagramSvg } from "./plot/diagramSvg.js";
export { type Metric, manhattanBetween, type RowDistance, rowDistance } from "./points.js";
export {
  type Cocycle,
  NO_VERTEX,
  type RipsCore,
  type RipsPairs,
  type RipsProblem,
  type SparseRipsProblem,
} from "./rips/core.js";
export type { RipsInput } from "./rips/input.js";
export { portableRips } from "./rips/portable.js";
export type { EssentialOptions } from "./summaries/bars.js";
export { bettiCurve } from "./summaries/bettiCurve.js";
export { persistenceEntropy } from "./summaries/entropy.js";
export { type PersistenceImageOptions, persistenceImage } from "./summaries/image.js";
export { persistenceLandscape } from "./summaries/landscape.js";
export {
  type Distribution,
  type PersistenceStatistics,
  persistenceStatistics,
} from "./summaries/statistics.js";
