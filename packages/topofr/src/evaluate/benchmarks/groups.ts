// Groups of images in a manifest, all pairs within each (MFR-Ongoing). Reading: groupManifest.ts; numbers: groups.ts. Needs the
// engine, for its matrix products.
import { dirname, resolve } from "node:path";
import { imageFile } from "../../data/imageSource.js";
import type { BenchmarkOf, GroupsBenchmarkReport } from "../benchmark.js";
import { readGroupManifest } from "../groupManifest.js";
import { groupVerification } from "../groups.js";
import { checkImagesExist } from "./imagesExist.js";

/** @throws as `readGroupManifest`; E_DATA when images are missing */
export async function openGroups(name: string, path: string): Promise<BenchmarkOf<GroupsBenchmarkReport>> {
  const manifest = await readGroupManifest(path);
  const images = manifest.images.map(imageFile);
  await checkImagesExist(images, path);
  const { ignoredColumns } = manifest;
  return {
    name,
    kind: "groups",
    path,
    root: resolve(dirname(path)),
    images,
    pairs: null,
    warnings: ignoredColumns.length === 0 ? [] : [`${path}: columns not used: ${ignoredColumns.join(", ")}`],
    async report(embeddings, dimension, { signal, onProgress } = {}) {
      const groups = await groupVerification(
        { ...manifest, embeddings, dimension },
        { ...(signal && { signal }), ...(onProgress && { onProgress }) },
      );
      return { kind: "groups", images: images.length, groups };
    },
  };
}
