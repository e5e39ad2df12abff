// `@topofr/recognizer/align`: onto the ArcFace template, for training and recognition alike. No engine, no Node.
export { alignFace } from "./alignFace.js";
export { type Affine, ARCFACE_TEMPLATE, type Point, similarityTransform, TEMPLATE_SIZE } from "./template.js";
