// Pictures on canvases: the picture with its faces, and the aligned face.

import type { AlignedFace, Face } from "@topofr/recognizer/web";

/** Longest side of the canvas, in its own pixels; the style sheet scales it down. */
const LONGEST = 900;
const COLOUR = "#ffd33d";
const OTHER = "#ffffff";
const SHADOW = "#000000";

/** Draws `bitmap` and the boxes and landmarks of `faces`; the one that is compared stands out. */
export function drawPicture(
  canvas: HTMLCanvasElement,
  bitmap: ImageBitmap,
  faces: readonly Face[],
  chosen: number,
): void {
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d")!;
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const line = Math.max(2, canvas.width / 200);
  faces.forEach(({ box, landmarks }, k) => {
    const colour = k === chosen ? COLOUR : OTHER;
    const rectangle = [box.x, box.y, box.width, box.height].map((value) => value * scale) as Rectangle;
    // Dark below light: seen on any picture.
    for (const [width, style] of [
      [2 * line, SHADOW],
      [line, colour],
    ] as const) {
      context.lineWidth = width;
      context.strokeStyle = style;
      context.strokeRect(...rectangle);
    }
    for (let point = 0; point < landmarks.length; point += 2)
      dot(context, landmarks[point]! * scale, landmarks[point + 1]! * scale, 1.2 * line, colour);
  });
  if (faces.length < 2) return;
  faces.forEach(({ box }, k) => {
    label(context, String(k + 1), box.x * scale, box.y * scale, k === chosen ? COLOUR : OTHER);
  });
}

type Rectangle = [x: number, y: number, width: number, height: number];

function dot(context: CanvasRenderingContext2D, x: number, y: number, radius: number, colour: string): void {
  for (const [size, style] of [
    [1.6 * radius, SHADOW],
    [radius, colour],
  ] as const) {
    context.fillStyle = style;
    context.beginPath();
    context.arc(x, y, size, 0, 2 * Math.PI);
    context.fill();
  }
}

function label(context: CanvasRenderingContext2D, text: string, x: number, y: number, colour: string): void {
  const size = Math.max(12, context.canvas.width / 30);
  context.font = `bold ${size}px system-ui, sans-serif`;
  const width = context.measureText(text).width + size / 2;
  context.fillStyle = SHADOW;
  context.fillRect(x, Math.max(0, y - 1.3 * size), width, 1.3 * size);
  context.fillStyle = colour;
  context.fillText(text, x + size / 4, Math.max(size, y - 0.3 * size));
}

export function drawAligned(canvas: HTMLCanvasElement, { pixels, size }: AlignedFace): void {
  canvas.width = size;
  canvas.height = size;
  const image = new ImageData(size, size);
  for (let from = 0, to = 0; from < pixels.length; from += 3, to += 4) {
    image.data.set(pixels.subarray(from, from + 3), to);
    image.data[to + 3] = 255;
  }
  canvas.getContext("2d")!.putImageData(image, 0, 0);
}
