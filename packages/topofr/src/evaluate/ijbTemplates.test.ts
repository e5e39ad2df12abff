import fc from "fast-check";
import { expect, test } from "vitest";
import { type IjbImages, TemplatePool, templateFeatures } from "./ijbTemplates.js";

// Dimension 1 would normalise everything to ±1; two dimensions show the weights.
const images: IjbImages = {
  // image: [feature | mirrored feature]
  features: Float32Array.of(
    ...[1, 0, 1, 0], // template 7, media 1
    ...[0, 4, 0, 2], // template 7, media 2, first frame
    ...[0, 2, 0, 0], // template 7, media 2, second frame
    ...[0, -1, 0, 0], // template 3, media 1 (media ids are counted within a template)
  ),
  layout: "concatenated",
  dimension: 2,
  detectorScores: Float32Array.of(1, 0.5, 1, 1),
  templateIds: [7, 7, 7, 3],
  mediaIds: [1, 2, 2, 1],
};

const direction = (x: number, y: number) => [x / Math.hypot(x, y), y / Math.hypot(x, y)].map(Math.fround);

test("templates: flips added, weighted by the detector, averaged per media, summed, normalised", () => {
  const templates = templateFeatures(images);
  expect([...templates.ids]).toEqual([3, 7]);
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

/** Images of a few templates and media, with features of small whole numbers. */
const imageSets = fc
  .array(
    fc.record({
      template: fc.integer({ min: 0, max: 4 }),
      media: fc.integer({ min: 100, max: 102 }),
      score: fc.integer({ min: 1, max: 9 }),
      feature: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 6, maxLength: 6 }),
    }),
    { minLength: 1, maxLength: 20 },
  )
  .map((rows) => ({
    rows,
    lists: {
      templateIds: rows.map(({ template }) => template),
      mediaIds: rows.map(({ media }) => media),
      detectorScores: Float32Array.from(rows, ({ score }) => score / 8),
    },
    features: Float32Array.from(rows.flatMap(({ feature }) => feature)),
  }));

test("templates are what the definition says, image by image", () => {
  fc.assert(
    fc.property(imageSets, ({ rows, lists, features }) => {
      const { ids, features: result } = templateFeatures({
        ...lists,
        features,
        layout: "concatenated",
        dimension: 3,
      });
      expect([...ids]).toEqual([...new Set(lists.templateIds)].sort((a, b) => a - b));
      ids.forEach((id, t) => {
        const own = rows.filter(({ template }) => template === id);
        const sum = [0, 0, 0];
        for (const media of new Set(own.map((row) => row.media))) {
          const frames = own.filter((row) => row.media === media);
          for (const { feature, score } of frames) {
            for (let d = 0; d < 3; d++)
              sum[d]! += ((feature[d]! + feature[d + 3]!) * (score / 8)) / frames.length;
          }
        }
        const length = Math.hypot(...sum);
        for (let d = 0; d < 3; d++) {
          // Where the images cancel, what rounding leaves has no direction.
          if (length > 1e-6) expect(result[t * 3 + d]).toBeCloseTo(sum[d]! / length, 5);
        }
      });
    }),
    { seed: 11, numRuns: 100 },
  );
});

test("the pieces in which images arrive, and who adds the flips, make no difference", () => {
  fc.assert(
    fc.property(imageSets, fc.integer({ min: 1, max: 5 }), ({ rows, lists, features }, piece) => {
      const whole = templateFeatures({ ...lists, features, layout: "concatenated", dimension: 3 });
      const pool = new TemplatePool(lists, 3, "summed");
      const summed = rows.map(({ feature }) =>
        feature.slice(0, 3).map((value, d) => value + feature[d + 3]!),
      );
      for (let k = 0; k < rows.length; k += piece)
        pool.add(Float32Array.from(summed.slice(k, k + piece).flat()));
      expect(pool.finish()).toEqual(whole);
    }),
    { seed: 12, numRuns: 50 },
  );
});

test("bad input: lists of different lengths, NaN, too few or too many features", () => {
  expect(() => templateFeatures({ ...images, mediaIds: [1] })).toThrow("1 media ids for 4 template ids");
  expect(() => templateFeatures({ ...images, detectorScores: new Float32Array(5) })).toThrow(
    "5 detector scores for 4",
  );
  const broken = images.features.slice();
  broken[9] = Number.NaN;
  expect(() => templateFeatures({ ...images, features: broken })).toThrow("IJB image 2 of 4");
  expect(() => templateFeatures({ ...images, features: broken.subarray(0, 8) })).toThrow(
    "2 rows of features for 4 images",
  );
  expect(() => templateFeatures({ ...images, features: new Float32Array(20) })).toThrow(
    "5 rows of features for 4 images",
  );
  expect(() => templateFeatures({ ...images, features: new Float32Array(7) })).toThrow("not a whole number");
  const scores = Float32Array.of(1, 1, Number.POSITIVE_INFINITY, 1);
  expect(() => templateFeatures({ ...images, detectorScores: scores })).toThrow("image 2: detector score");
});
