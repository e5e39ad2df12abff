// The public face of @topofr/recognizer in browsers, `@topofr/recognizer/web`: ES modules, of which a page without a bundler maps
// "@topofr/formats/error" and "onnxruntime-web/wasm" (or "onnxruntime-web/webgpu").

export {
  type CardFields,
  completeCard,
  type InputFields,
  type ModelCard,
  type PerChannel,
} from "../card/modelCard.js";
export type { GalleryMatch, GallerySearch } from "../gallerySearch.js";
export type * from "../types.js";
export { type ReportChoice, thresholdOfReport } from "../verify/reportThreshold.js";
export { similarity } from "../verify/similarity.js";
export { type Calibration, calibrateThreshold, type PairSimilarities } from "../verify/threshold.js";
export {
  type ModelSource,
  openRecognizer,
  type Recognizer,
  type RecognizerOptions,
} from "./openRecognizer.js";
export type { ImageSource } from "./readImage.js";
