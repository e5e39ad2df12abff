// A share of the images of a data set: the same share of everyone's, so that the people stay the same.
import { TopofrError } from "@topofr/formats";
import { randomUnit } from "../random/stream.js";
import type { FaceDataset } from "./dataset.js";
import { countLabels } from "./selectIdentities.js";

const SHARE_SEED = 0; // not the run's: all runs of a share see the same images
const SHARE_KEY = 0x73686172; // "shar": keeps these draws apart from others that hash (seed, index)

/**
 * Keeps a share of each person's images, rounded, at least one. Which ones is decided by a draw for each image, so a share is
 * always the same images, and a smaller share is within a larger one. Order and labels stay.
 *
 * @param share above 0, at most 1
 * @throws E_USAGE for another share
 */
export function shareOfImages<Set extends FaceDataset>(dataset: Set, share: number): Set {
  if (!(share > 0 && share <= 1))
    throw new TopofrError(
      "E_USAGE",
      `${dataset.name}: a share of the images is above 0 and at most 1, found ${share}`,
    );
  if (share === 1) return dataset;
  const { labels, identities } = dataset;
  const counts = countLabels(labels, identities.length);
  const draws = Float64Array.from(labels, (_, index) => randomUnit(SHARE_SEED, SHARE_KEY, index));
  const order = Uint32Array.from(labels.keys()).sort((a, b) => draws[a]! - draws[b]! || a - b);
  const left = counts.map((n) => (n === 0 ? 0 : Math.max(1, Math.round(share * n))));
  const kept = order
    .filter((index) => {
      const label = labels[index]!;
      if (left[label] === 0) return false;
      left[label]!--;
      return true;
    })
    .sort();
  return {
    ...dataset,
    labels: kept.map((index) => labels[index]!),
    source: (index: number) => dataset.source(kept[index]!),
  };
}
