// IJB-B and IJB-C 1:1 verification, as insightface's eval_ijbc computes it, on given features: image features to template features,
// template pairs to scores, scores to TAR at FAR. Reading the meta files and the images is not done here.

import { TopofrError } from "@topofr/formats";
import { normalizeRows, rowCount, sumFlips } from "./embeddings.js";
import { areaUnderCurve, type RatePoint, rocCurve, tarAtNearestFar } from "./roc.js";

/** FAR targets of the published tables. */
export const IJB_FAR_TARGETS = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1] as const;

export interface IjbImages {
  /** [images, 2·dimension]: the feature of each image, then of its mirror image. */
  flipConcatFeatures: Float32Array;
  dimension: number;
  /** Face detector's score per image. */
  detectorScores: Float32Array;
  templateIds: ArrayLike<number>;
  mediaIds: ArrayLike<number>;
}

/** The three switches of the reference script; all on by default (its N1 D1 F1). */
export interface IjbOptions {
  /** Add the mirror image's feature; else use the image's alone. */
  flip?: boolean;
  /** Keep the feature's norm as its weight in the template; else L2-normalise each image first. */
  keepNorm?: boolean;
  /** Multiply by the detector's score. */
  detectorScore?: boolean;
}

export interface Templates {
  /** Distinct template ids in ascending order; row t of `features` belongs to `ids[t]`. */
  ids: number[];
  /** [templates, dimension], L2-normalised. */
  features: Float32Array;
  dimension: number;
}

export interface TemplatePairs {
  first: ArrayLike<number>;
  second: ArrayLike<number>;
  /** 1 for one subject, 0 for two. */
  same: Uint8Array;
}

export interface IjbReport {
  auc: number;
  /** TAR at the nearest FAR of the ROC, for `IJB_FAR_TARGETS`. */
  tarAtFar: RatePoint[];
  genuines: number;
  impostors: number;
}

/**
 * Template features: per template, images of one media are averaged, the media are summed, and the sum is
 * L2-normalised, so that a video counts as one photograph.
 */
export function templateFeatures(images: IjbImages, options: IjbOptions = {}): Templates {
  const weighted = imageFeatures(images, options);
  const { dimension } = images;
  // template id -> media id -> its images
  const groups = new Map<number, Map<number, number[]>>();
  for (let i = 0; i < images.templateIds.length; i++) {
    const media = groups.get(images.templateIds[i]!) ?? new Map<number, number[]>();
    groups.set(images.templateIds[i]!, media);
    const members = media.get(images.mediaIds[i]!) ?? [];
    media.set(images.mediaIds[i]!, members);
    members.push(i);
  }
  const ids = [...groups.keys()].sort((a, b) => a - b);
  const features = new Float32Array(ids.length * dimension);
  const sum = new Float64Array(dimension);
  ids.forEach((id, t) => {
    sum.fill(0);
    for (const members of groups.get(id)!.values()) {
      for (const image of members) {
        for (let d = 0; d < dimension; d++) sum[d]! += weighted[image * dimension + d]! / members.length;
      }
    }
    features.set(sum, t * dimension);
  });
  return { ids, features: normalizeRows(features, dimension), dimension };
}

function imageFeatures(images: IjbImages, options: IjbOptions): Float32Array {
  const { dimension, detectorScores } = images;
  const count = rowCount(images.flipConcatFeatures, 2 * dimension);
  for (const [name, length] of [
    ["detector scores", detectorScores.length],
    ["template ids", images.templateIds.length],
    ["media ids", images.mediaIds.length],
  ] as const) {
    if (length !== count) {
      throw new TopofrError("E_DATA", `IJB: ${length} ${name} for ${count} image features`);
    }
  }
  const halves = [0, 1].map((half) => {
    const rows = new Float32Array(count * dimension);
    for (let i = 0; i < count; i++) {
      const start = (2 * i + half) * dimension;
      rows.set(images.flipConcatFeatures.subarray(start, start + dimension), i * dimension);
    }
    return rows;
  });
  const flipped = (options.flip ?? true) ? sumFlips(halves[0]!, halves[1]!) : halves[0]!;
  const scaled = (options.keepNorm ?? true) ? flipped : normalizeRows(flipped, dimension);
  if (!(options.detectorScore ?? true)) return scaled;
  return scaled.map((value, i) => value * detectorScores[Math.floor(i / dimension)]!);
}

/** Score of each template pair: the dot product of their features, the cosine. Unknown ids are E_DATA. */
export function templatePairScores(templates: Templates, pairs: TemplatePairs): Float64Array {
  const { features, dimension } = templates;
  const rows = new Map(templates.ids.map((id, row) => [id, row]));
  const row = (id: number, pair: number): number => {
    const found = rows.get(id);
    if (found === undefined)
      throw new TopofrError("E_DATA", `IJB pair ${pair}: no image has template id ${id}`);
    return found;
  };
  return Float64Array.from({ length: pairs.same.length }, (_, k) => {
    const a = row(pairs.first[k]!, k) * dimension;
    const b = row(pairs.second[k]!, k) * dimension;
    let sum = 0;
    for (let d = 0; d < dimension; d++) sum += features[a + d]! * features[b + d]!;
    return sum;
  });
}

/** The 1:1 protocol from scores: AUC, and TAR at the nearest FAR of the ROC. */
export function verifyTemplates(scores: Float64Array, same: Uint8Array): IjbReport {
  const curve = rocCurve(scores, same);
  return {
    auc: areaUnderCurve(curve),
    tarAtFar: IJB_FAR_TARGETS.map((far) => tarAtNearestFar(curve, far)),
    genuines: curve.genuines,
    impostors: curve.impostors,
  };
}
