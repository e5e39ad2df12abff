// The public face of @topofr/recognizer in Node. In browsers: web/index.ts, with the same names.

export {
  type CardFields,
  completeCard,
  type InputFields,
  type ModelCard,
  type PerChannel,
} from "./card/modelCard.js";
export { cardPath, readModelCard } from "./card/readModelCard.js";
export type { GalleryMatch, GallerySearch } from "./gallerySearch.js";
// One embedding network alone, as `topofr evaluate` and `topofr export` run it.
export { loadRuntime, openOnnxModel } from "./onnx/nodeRuntime.js";
export type { OnnxModel } from "./onnx/onnxModel.js";
export { openRecognizer } from "./openRecognizer.js";
export type { ImageSource, Recognizer, RecognizerOptions } from "./options.js";
export type * from "./types.js";
export { farNote, MINIMUM_FALSE_ACCEPTS } from "./verify/farNote.js";
export { type ReportChoice, thresholdOfReport } from "./verify/reportThreshold.js";
export { similarity } from "./verify/similarity.js";
export { type Calibration, calibrateThreshold, type PairSimilarities } from "./verify/threshold.js";
