// IJB-B and IJB-C: 1:1 verification of templates, and 1:N identification when its lists are there. Reading: ijbMeta.ts; numbers:
// ijbTemplates.ts, ijbScores.ts, ijb.ts, identification.ts. Needs the engine, for its matrix products.
import type { ImageSource } from "../../data/imageSource.js";
import type { BenchmarkOf, IjbBenchmarkReport } from "../benchmark.js";
import { identify } from "../identification.js";
import { verifyTemplates } from "../ijb.js";
import { type IjbMeta, readIjbMeta } from "../ijbMeta.js";
import { templatePairScores } from "../ijbScores.js";
import { templateFeatures } from "../ijbTemplates.js";
import { checkImagesExist } from "./imagesExist.js";

const LANDMARK_NUMBERS = 10;
const NO_FOLDS = 0;

/** @throws as `readIjbMeta`; E_DATA when images are missing */
export async function openIjb(name: string, root: string): Promise<BenchmarkOf<IjbBenchmarkReport>> {
  const meta = await readIjbMeta(root);
  const images = imagesOf(meta);
  await checkImagesExist(images, root);
  const { same } = meta.pairs;
  return {
    name,
    kind: "ijb",
    path: root,
    root,
    images,
    pairs: { same, folds: NO_FOLDS },
    warnings: [],
    async report(embeddings, dimension, { onScores } = {}) {
      const templates = templateFeatures({ ...meta, features: embeddings, layout: "summed", dimension });
      const scores = templatePairScores(templates, meta.pairs);
      await onScores?.({ scores, same, folds: NO_FOLDS });
      return {
        kind: "ijb",
        ...verifyTemplates(scores, same),
        images: meta.images.length,
        templates: templates.ids.length,
        identification: meta.identification ? identify({ templates, ...meta.identification }) : null,
      };
    },
  };
}

/** Landmarks as small arrays of their own: a view of the meta's would take all of it along to a decode thread. */
function imagesOf({ images, landmarks }: IjbMeta): ImageSource[] {
  return images.map((path, i) => ({
    kind: "file",
    path,
    landmarks: Array.from(landmarks.subarray(i * LANDMARK_NUMBERS, (i + 1) * LANDMARK_NUMBERS)),
  }));
}
