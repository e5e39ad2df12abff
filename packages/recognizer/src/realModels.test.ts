// A real detector and a real recognition model on LFW as published: the aligned pictures beside it were made with this detector, so
// the recognizer must come to the same ones, and must tell people apart. A small sample by default; LFW_MODEL=1 takes all 120. Verification
// on the whole of LFW: packages/topofr, parity/lfwRecognizer.test.ts.
import { existsSync, readdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { landmarkDistance } from "./align/registration.test.support.js";
import { openRecognizer, type Recognizer, similarity } from "./index.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const data = resolve(root, "../shared/data");
const model = join(data, "models/foamliu_mobilefacenet_112x112.onnx");
const detector = join(data, "models/yunet_n_320_320.onnx");
const [original, aligned] = [join(data, "lfw_original"), join(data, "lfw")];
const missing = [model, detector, original, aligned].find((path) => !existsSync(path));
const reason = missing ? ` (skipped: ${relative(root, missing)} is not here)` : "";
const SAMPLE = 10;

/** "Ann/Ann_0001.jpg" of each picture. */
function listPictures(): string[] {
  if (missing) return [];
  const all = readdirSync(original).flatMap((person) =>
    readdirSync(join(original, person)).map((name) => join(person, name)),
  );
  const every = process.env.LFW_MODEL ? 1 : Math.floor(all.length / SAMPLE);
  return all.filter((_, k) => k % every === 0);
}

describe.skipIf(missing !== undefined)(`YuNet and MobileFaceNet on LFW${reason}`, () => {
  const names = listPictures();
  let recognizer: Recognizer;
  beforeAll(async () => {
    const input = { scale: "1/255", mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
    recognizer = await openRecognizer({ model, detector, card: { input }, flip: true });
  });
  afterAll(() => recognizer?.close());

  test("detection and alignment agree with the aligned pictures: 1.5 pixels on average", async () => {
    const distances: number[] = [];
    const differences: number[] = [];
    for (const name of names) {
      const picture = await recognizer.read(join(original, name));
      const { pixels } = await recognizer.read(join(aligned, name));
      // Of several people the aligned picture may show another than the largest.
      const candidates = (await recognizer.detect(picture)).map((face) => recognizer.align(picture, face));
      const own = candidates.sort(
        (a, b) => meanDifference(a.pixels, pixels) - meanDifference(b.pixels, pixels),
      )[0];
      expect(own, `${name}: no face`).toBeDefined();
      distances.push(landmarkDistance(pixels, own!.pixels));
      differences.push(meanDifference(own!.pixels, pixels));
    }
    expect(mean(distances)).toBeLessThan(1.5);
    // Most are the same to a tenth of a pixel; now and then another face of the picture is meant.
    expect(distances.sort((a, b) => a - b)[distances.length >> 1]).toBeLessThan(0.15);
    expect(mean(differences)).toBeLessThan(4); // levels of 256: JPEG, and another resampling
  });

  test("two pictures of one person are more alike than those of two", async () => {
    const faces = [];
    for (const name of names.slice(0, SAMPLE)) {
      const [face] = await recognizer.recognize(join(original, name), { choice: "center" });
      const [same] = await recognizer.embed([await alignedFace(name)]);
      faces.push({ person: name.split(/[/\\]/)[0], embedding: face!.embedding, aligned: same! });
    }
    for (const { person, embedding, aligned: own } of faces) {
      const others = faces.filter((other) => other.person !== person);
      const closest = Math.max(...others.map((other) => similarity(embedding, other.embedding)));
      expect(similarity(embedding, own), `${person}`).toBeGreaterThan(Math.max(0.8, closest));
    }
  });

  async function alignedFace(name: string) {
    const { pixels, width } = await recognizer.read(join(aligned, name));
    return { pixels, size: width };
  }
});

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length;
}
