// libtorch from TypeScript. Tensors and their operators, autograd, nn, optim.
export { type CheckpointOptions, checkpoint } from "./checkpoint.js";
export { Generator, manualSeed } from "./generator.js";
export { enableGrad, noGrad } from "./gradMode.js";
export * as nn from "./nn/index.js";
export { operator, operatorNames, ops } from "./operators.js";
export * as optim from "./optim/index.js";
export { type OperatorTime, profile } from "./profile.js";
export { liveTensors, scope } from "./scope.js";
export { loadTensors, saveTensors } from "./stateFiles.js";
export {
  allocatorStats,
  type BuildInfo,
  buildInfo,
  releaseCachedMemory,
  setCacheLimit,
  setNumThreads,
} from "./system.js";
export {
  arange,
  type Device,
  type DType,
  full,
  isTensor,
  type MemoryFormat,
  ones,
  rand,
  randn,
  type Scalar,
  type Tensor,
  type TensorOptions,
  type TypedArray,
  tensor,
  tensorFromBytes,
  zeros,
} from "./tensor.js";
export type { TopologyOptions } from "./topologyComputation.js";
export { gramMatrix } from "./topologyGram.js";
export {
  type NativeCocycle,
  type NativeRipsPairs,
  type NativeRipsProblem,
  type NativeSparseRipsProblem,
  nativeRips,
  nativeRipsAsync,
  type RipsProgress,
} from "./topologyRips.js";
export {
  minimumSpanningTreeOfPoints,
  type PointTreeOptions,
  type TreeEdges,
} from "./topologyTree.js";
