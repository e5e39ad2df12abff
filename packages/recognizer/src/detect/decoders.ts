// The two families of five-landmark detectors: what their numbers mean, for one stride. A row is a cell of the picture's grid, row by
// row (two rows a cell where there are two anchors). Which family a file is of: detectorOutputs.ts.
import type { PixelRule } from "../onnx/imageInput.js";
import type { Face } from "../types.js";
import type { Level } from "./detectorOutputs.js";

export interface Decoder {
  readonly name: "YuNet" | "SCRFD";
  /** What the network gets. */
  readonly pixels: PixelRule;
  /** Boxes that overlap more are one face; as in the family's own code. */
  readonly overlap: number;
  /** Adds the faces of at least `minScore`, in pixels of the network's input. */
  decode(level: Level, minScore: number, faces: Face[]): void;
}

const LANDMARKS = 10;

/** Source: OpenCV's FaceDetectorYN, 2023 models: score = sqrt(cls · obj); centre and points relative to the cell, size as a logarithm. */
export const YUNET: Decoder = {
  name: "YuNet",
  pixels: { color: "bgr", scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
  overlap: 0.3,
  decode({ stride, columns, rows, scores, boxes, points }, minScore, faces) {
    const [classes, objects] = scores;
    for (let row = 0; row < rows; row++) {
      const score = Math.sqrt(share(classes![row]!) * share(objects![row]!));
      if (!(score >= minScore)) continue;
      const left = row % columns;
      const top = Math.floor(row / columns);
      const width = Math.exp(boxes[4 * row + 2]!) * stride;
      const height = Math.exp(boxes[4 * row + 3]!) * stride;
      const box = {
        x: (left + boxes[4 * row]!) * stride - width / 2,
        y: (top + boxes[4 * row + 1]!) * stride - height / 2,
        width,
        height,
      };
      const landmarks = Float32Array.from(
        { length: LANDMARKS },
        (_, i) => ((i % 2 === 0 ? left : top) + points[LANDMARKS * row + i]!) * stride,
      );
      faces.push({ box, landmarks, score });
    }
  },
};

/** Source: insightface's SCRFD: distances to the box's four sides, and points, from the anchor at the cell's upper left corner. */
export const SCRFD: Decoder = {
  name: "SCRFD",
  pixels: { color: "rgb", scale: 1, mean: [127.5, 127.5, 127.5], std: [128, 128, 128] },
  overlap: 0.4,
  decode({ stride, columns, rows, anchors, scores, boxes, points }, minScore, faces) {
    const [confidence] = scores;
    for (let row = 0; row < rows; row++) {
      const score = share(confidence![row]!);
      if (!(score >= minScore)) continue;
      const cell = Math.floor(row / anchors);
      const x = (cell % columns) * stride;
      const y = Math.floor(cell / columns) * stride;
      const [left, top, right, bottom] = [0, 1, 2, 3].map((side) => boxes[4 * row + side]! * stride);
      const box = { x: x - left!, y: y - top!, width: left! + right!, height: top! + bottom! };
      const landmarks = Float32Array.from(
        { length: LANDMARKS },
        (_, i) => (i % 2 === 0 ? x : y) + points[LANDMARKS * row + i]! * stride,
      );
      faces.push({ box, landmarks, score });
    }
  },
};

const share = (value: number): number => Math.min(1, Math.max(0, value));
