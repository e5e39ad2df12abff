export { AdamW, type AdamWOptions } from "./adamw.js";
export { clipGradNorm_ } from "./clipGradNorm.js";
export { type NamedParameters, Optimizer, type SampledRows } from "./optimizer.js";
export { type PolynomialSchedule, polynomialLearningRate } from "./schedule.js";
export { SGD, type SgdOptions } from "./sgd.js";
