import { expect, test } from "vitest";
import { type IjbImages, templateFeatures, templatePairScores, verifyTemplates } from "./ijb.js";

// Dimension 1 would normalise everything to ±1; two dimensions show the weights.
const images: IjbImages = {
  // image: [feature | mirrored feature]
  flipConcatFeatures: Float32Array.of(
    ...[1, 0, 1, 0], // template 7, media 1
    ...[0, 4, 0, 2], // template 7, media 2, first frame
    ...[0, 2, 0, 0], // template 7, media 2, second frame
    ...[0, -1, 0, 0], // template 3, media 1 (media ids are counted within a template)
  ),
  dimension: 2,
  detectorScores: Float32Array.of(1, 0.5, 1, 1),
  templateIds: [7, 7, 7, 3],
  mediaIds: [1, 2, 2, 1],
};

const direction = (x: number, y: number) => [x / Math.hypot(x, y), y / Math.hypot(x, y)].map(Math.fround);

test("templates: flips added, weighted by the detector, averaged per media, summed, normalised", () => {
  const templates = templateFeatures(images);
  expect(templates.ids).toEqual([3, 7]);
  // Media 1: (2, 0). Media 2: mean of (0, 6)·0.5 and (0, 2) = (0, 2.5).
  expect([...templates.features]).toEqual([...direction(0, -1), ...direction(2, 2.5)]);
});

test("each switch of the protocol changes what it names", () => {
  const row = (options: Parameters<typeof templateFeatures>[1]) => [
    ...templateFeatures(images, options).features.subarray(2),
  ];
  expect(row({ flip: false })).toEqual(direction(1, 2));
  expect(row({ keepNorm: false })).toEqual(direction(1, 0.75));
  expect(row({ detectorScore: false })).toEqual(direction(2, 4));
});

test("template pairs are scored by the cosine, and an unknown template is an error", () => {
  const templates = templateFeatures(images);
  const pairs = { first: [3, 7], second: [7, 7], same: Uint8Array.of(0, 1) };
  const scores = templatePairScores(templates, pairs);
  expect(scores[0]).toBeCloseTo(-2.5 / Math.hypot(2, 2.5), 6);
  expect(scores[1]).toBeCloseTo(1, 6);
  expect(verifyTemplates(scores, pairs.same)).toMatchObject({ auc: 1, genuines: 1, impostors: 1 });
  expect(() => templatePairScores(templates, { ...pairs, second: [7, 9] })).toThrow(
    "pair 1: no image has template id 9",
  );
});

test("lists of different lengths are refused by name", () => {
  expect(() => templateFeatures({ ...images, mediaIds: [1] })).toThrow("1 media ids for 4 image features");
  expect(() => templateFeatures({ ...images, detectorScores: new Float32Array(5) })).toThrow(
    "5 detector scores for 4",
  );
});
