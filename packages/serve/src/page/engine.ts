// Who computes: this browser, on its graphics processor or in WebAssembly, or the server.

import { alignFace } from "@topofr/recognizer/align";
import type { AlignedFace, Face } from "@topofr/recognizer/web";
import type { ModelAnswer } from "../schemas.js";
import { messageOf } from "./elements.js";
import type { Server } from "./server.js";

/** What the page needs of a face. */
export interface SeenFace extends Face {
  embedding: Float32Array;
  aligned: AlignedFace;
}

export interface Engine {
  place: "browser" | "server";
  /** A sentence: what computes, and what that means for the pictures. */
  says(): string;
  /** Every face, best score first. `file` and `bitmap` are the same picture. */
  faces(file: Blob, bitmap: ImageBitmap): Promise<SeenFace[]>;
}

/** Downloads the files and opens them; the graphics processor where there is one. Throws where neither way works. */
export async function openBrowserEngine(
  server: Server,
  model: ModelAnswer,
  onProgress: (share: number) => void,
): Promise<Engine> {
  const { browser, card } = model;
  if (browser === null) throw new Error("the server keeps its model");
  const detector = browser.detector === null ? null : await server.file(browser.detector); // small: no progress
  const bytes = await server.file(browser.model, onProgress);
  const { openRecognizer } = await import("@topofr/recognizer/web");
  const open = (provider: string) =>
    openRecognizer({
      model: bytes,
      card,
      flip: browser.flip,
      ...(browser.minScore !== null && { minScore: browser.minScore }),
      executionProviders: [provider],
      ...(detector && { detector }),
    });
  const problems: string[] = [];
  for (const [provider, name] of await providers()) {
    try {
      const recognizer = await open(provider);
      return {
        place: "browser",
        says: () =>
          `Computed in this browser (${name}). ` +
          (server.hasPictures ? "Pictures were sent to the server before." : "Nothing left this browser."),
        faces: (_, bitmap) => recognizer.recognize(bitmap, { all: true }),
      };
    } catch (error) {
      problems.push(`${name}: ${messageOf(error)}`);
    }
  }
  throw new Error(problems.join("; "));
}

/** WebGPU where there is a real graphics processor: one in software is slower than WebAssembly. */
async function providers(): Promise<[provider: string, name: string][]> {
  type Adapter = { info?: { isFallbackAdapter?: boolean } };
  const gpu = (navigator as { gpu?: { requestAdapter(): Promise<Adapter | null> } }).gpu;
  const adapter = await gpu?.requestAdapter().catch(() => null);
  const wasm: [string, string] = ["wasm", "WebAssembly"];
  return adapter && !adapter.info?.isFallbackAdapter ? [["webgpu", "WebGPU"], wasm] : [wasm];
}

export function serverEngine(server: Server, { imageSize, detector }: ModelAnswer): Engine {
  return {
    place: "server",
    says: () => "Computed by the server: the pictures are sent to it. It does not keep them.",
    async faces(file, bitmap) {
      const { faces } = await server.embed(file);
      const { width, height } = bitmap;
      const rgb = pixelsOf(bitmap);
      return faces.map(({ box, landmarks, score, embedding }) => {
        const points = Float32Array.from(landmarks.flat());
        const aligned = detector ? alignFace(rgb, width, height, points, imageSize) : rgb;
        return {
          ...{ box, landmarks: points, score, embedding: Float32Array.from(embedding) },
          aligned: { pixels: aligned, size: imageSize },
        };
      });
    },
  };
}

/** [height, width, 3], for the aligned face that is shown. */
function pixelsOf(bitmap: ImageBitmap): Uint8Array {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d")!;
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  return Uint8Array.from({ length: 3 * width * height }, (_, k) => data[k + Math.floor(k / 3)]!);
}
