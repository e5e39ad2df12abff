// IJB templates: image features to one feature per template, as insightface's eval_ijbc computes it. Images arrive in any number
// of pieces, so that the [images, dimension] matrix never has to exist. Scores of templates: ijbScores.ts, identification.ts.

import { TopofrError } from "@topofr/formats";
import { normalizeRows, rowCount } from "./embeddings.js";

/** What is known of the images before their features are; one entry per image. */
export interface IjbImageList {
  templateIds: ArrayLike<number>;
  mediaIds: ArrayLike<number>;
  /** Face detector's score per image. */
  detectorScores: Float32Array;
}

/** How the mirror image enters a row of features. */
export type FlipLayout =
  /** [dimension]: the feature of the image, or already the sum of it and its mirror image's. */
  | "summed"
  /** [2·dimension]: the feature of the image, then that of its mirror image. */
  | "concatenated";

/** The three switches of the reference script; all on by default (its N1 D1 F1). */
export interface IjbOptions {
  /** Add the mirror image's feature; else use the image's alone. For concatenated rows; summed ones stay as they are. */
  flip?: boolean;
  /** Keep the feature's norm as its weight in the template; else L2-normalise each image first. */
  keepNorm?: boolean;
  /** Multiply by the detector's score. */
  detectorScore?: boolean;
}

export interface Templates {
  /** Distinct template ids in ascending order; row t of `features` belongs to `ids[t]`. */
  ids: Int32Array;
  /** [templates, dimension], L2-normalised; zeros for a template whose images cancel. */
  features: Float32Array;
  dimension: number;
}

/** All images at once: `layout` says what a row of `features` is. */
export interface IjbImages extends IjbImageList {
  features: Float32Array;
  layout: FlipLayout;
  dimension: number;
}

/** Template features of images in memory; nothing of their size is copied. Errors as `TemplatePool`. */
export function templateFeatures(images: IjbImages, options: IjbOptions = {}): Templates {
  const pool = new TemplatePool(images, images.dimension, images.layout, options);
  pool.add(images.features);
  return pool.finish();
}

/**
 * Collects image features into templates: per template, images of one media are averaged, the media are summed, and the sum is
 * L2-normalised, so that a video counts as one photograph. Holds one float64 row per template.
 */
export class TemplatePool {
  readonly dimension: number;
  private readonly ids: Int32Array;
  /** Row of each image's template, and the weight of its feature in that row. */
  private readonly rows: Int32Array;
  private readonly weights: Float64Array;
  private readonly sums: Float64Array;
  private readonly width: number;
  private readonly addsMirror: boolean;
  private readonly keepsNorm: boolean;
  private added = 0;

  /** @throws E_DATA when the lists of `images` differ in length or a detector score is not finite */
  constructor(images: IjbImageList, dimension: number, layout: FlipLayout, options: IjbOptions = {}) {
    checkLengths(images);
    this.dimension = dimension;
    this.width = layout === "concatenated" ? 2 * dimension : dimension;
    this.addsMirror = layout === "concatenated" && (options.flip ?? true);
    this.keepsNorm = options.keepNorm ?? true;
    this.ids = Int32Array.from(new Set(Array.from(images.templateIds))).sort();
    const rowOfId = new Map(Array.from(this.ids, (id, row) => [id, row]));
    this.rows = Int32Array.from(images.templateIds, (id) => rowOfId.get(id)!);
    this.weights = imageWeights(this.rows, images, options.detectorScore ?? true);
    this.sums = new Float64Array(this.ids.length * dimension);
  }

  /**
   * The features of the next images, in their order: [some, dimension] or [some, 2·dimension] by the layout.
   *
   * @throws E_DATA for NaN or infinity (with the image's number), part of a row, or more rows than images
   */
  add(features: Float32Array): void {
    const { width, dimension, addsMirror, sums } = this;
    const count = rowCount(features, width);
    if (this.added + count > this.rows.length) {
      throw new TopofrError(
        "E_DATA",
        `IJB: ${this.added + count} rows of features for ${this.rows.length} images`,
      );
    }
    for (let k = 0; k < count; k++) {
      const image = this.added + k;
      const place = { start: k * width, dimension, addMirror: addsMirror };
      const scale = this.keepsNorm ? 1 : inverseNorm(features, place);
      const total = addRow(
        features,
        place,
        sums,
        this.rows[image]! * dimension,
        this.weights[image]! * scale,
      );
      if (!Number.isFinite(total)) {
        throw new TopofrError(
          "E_DATA",
          `IJB image ${image} of ${this.rows.length}: its feature holds NaN or infinity; the network or its input is broken`,
        );
      }
    }
    this.added += count;
  }

  /** @throws E_DATA when features of some images are missing */
  finish(): Templates {
    if (this.added !== this.rows.length) {
      throw new TopofrError("E_DATA", `IJB: ${this.added} rows of features for ${this.rows.length} images`);
    }
    const { ids, dimension } = this;
    return { ids, features: normalizeRows(Float32Array.from(this.sums), dimension), dimension };
  }
}

function checkLengths({ templateIds, mediaIds, detectorScores }: IjbImageList): void {
  for (const [name, length] of [
    ["media ids", mediaIds.length],
    ["detector scores", detectorScores.length],
  ] as const) {
    if (length !== templateIds.length) {
      throw new TopofrError("E_DATA", `IJB: ${length} ${name} for ${templateIds.length} template ids`);
    }
  }
  const broken = detectorScores.findIndex((score) => !Number.isFinite(score));
  if (broken >= 0)
    throw new TopofrError("E_DATA", `IJB image ${broken}: detector score ${detectorScores[broken]}`);
}

/** The detector's score divided by the number of images that share the image's template and media. */
function imageWeights(rows: Int32Array, images: IjbImageList, useDetector: boolean): Float64Array {
  const mediaNumbers = new Map<number, number>();
  const counts = new Map<number, number>(); // template row and media in one whole number
  const keys = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const media = images.mediaIds[i]!;
    if (!mediaNumbers.has(media)) mediaNumbers.set(media, mediaNumbers.size);
    keys[i] = rows[i]! * rows.length + mediaNumbers.get(media)!; // there are no more media than images
    counts.set(keys[i]!, (counts.get(keys[i]!) ?? 0) + 1);
  }
  return keys.map((key, i) => (useDetector ? images.detectorScores[i]! : 1) / counts.get(key)!);
}

/** Where an image's feature is, and whether the mirror image's, which follows it, is added: in float32, as in the reference. */
interface FeaturePlace {
  start: number;
  dimension: number;
  addMirror: boolean;
}

/** 1 / the Euclidean length of the feature; 1 for zeros. */
function inverseNorm(features: Float32Array, { start, dimension, addMirror }: FeaturePlace): number {
  let squared = 0;
  for (let i = start; i < start + dimension; i++) {
    const value = addMirror ? Math.fround(features[i]! + features[i + dimension]!) : features[i]!;
    squared += value * value;
  }
  return squared === 0 ? 1 : 1 / Math.sqrt(squared);
}

/** Adds the weighted feature to the sums from `to` on. Returns the sum of its numbers, which is finite when they are. */
function addRow(
  features: Float32Array,
  { start, dimension, addMirror }: FeaturePlace,
  sums: Float64Array,
  to: number,
  weight: number,
): number {
  let total = 0;
  if (addMirror) {
    for (let d = 0; d < dimension; d++) {
      const value = Math.fround(features[start + d]! + features[start + dimension + d]!);
      sums[to + d]! += value * weight;
      total += value;
    }
  } else {
    for (let d = 0; d < dimension; d++) {
      const value = features[start + d]!;
      sums[to + d]! += value * weight;
      total += value;
    }
  }
  return total;
}
