// Made IJB-C: the meta files, and features.f32, [images, dimension] float32, image plus mirror image. The same seed gives the same files.
// As in IJB-C every pair is of a gallery and a probe template, and videos give several images of one media.
import { closeSync, createWriteStream, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { RandomStream } from "../packages/topofr/dist/random/stream.js";
import { manualSeed, randn, scope, tensor } from "../packages/torch/dist/index.js";

const GALLERY_SHARE = 3531 / 23124;
const IMPOSTORS_PER_GENUINE = 800;
/** Standard deviation of an image's feature around its subject's, which has deviation 1. */
const IMAGE_NOISE = 5;
const ROWS = 8192; // of features that are made at a time

export async function writeIjbData(folder, { images, templates, pairs, dimension, seed }) {
  const meta = join(folder, "IJBC", "meta");
  mkdirSync(meta, { recursive: true });
  const stream = new RandomStream(seed, "ijb bench");
  const subjects = Math.round(templates * GALLERY_SHARE); // template s < subjects is the gallery's of subject s
  const subjectOf = Int32Array.from({ length: templates }, (_, t) =>
    t < subjects ? t : stream.integer(subjects),
  );
  // Every template has an image; the square gives some many and most few.
  const templateOf = Int32Array.from({ length: images }, (_, i) =>
    i < templates ? i : Math.floor(templates * stream.uniform() ** 2),
  ).sort();
  writeFeatures(join(folder, "features.f32"), templateOf, subjectOf, subjects, dimension, seed);

  const faces = createWriteStream(join(meta, "ijbc_face_tid_mid.txt"));
  const points = createWriteStream(join(meta, "ijbc_name_5pts_score.txt"));
  let media = 0;
  for (let i = 0; i < images; i++) {
    if (i === 0 || templateOf[i] !== templateOf[i - 1] || stream.uniform() < 0.4) media += 1; // else a frame of the same video
    faces.write(`${i + 1}.jpg ${templateOf[i] + 1} ${media}\n`);
    const landmarks = Array.from({ length: 10 }, (_, k) => (40 + 5 * k + 4 * stream.uniform()).toFixed(3));
    points.write(`${i + 1}.jpg ${landmarks.join(" ")} ${(0.5 + stream.uniform() / 2).toFixed(3)}\n`);
    if (i % 4096 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const list = createWriteStream(join(meta, "ijbc_template_pair_label.txt"));
  const probes = templates - subjects;
  const perProbe = Math.min(IMPOSTORS_PER_GENUINE, subjects - 1);
  let written = 0;
  for (let p = 0; written < pairs; p = (p + 1) % probes) {
    const probe = subjects + p;
    const own = subjectOf[probe];
    let lines = `${own + 1} ${probe + 1} 1\n`;
    const wanted = Math.min(perProbe, pairs - written - 1);
    const start = stream.integer(subjects);
    for (let k = 0, found = 0; found < wanted; k++) {
      const gallery = (start + k) % subjects;
      if (gallery === own) continue;
      lines += `${gallery + 1} ${probe + 1} 0\n`;
      found += 1;
    }
    written += 1 + wanted;
    if (!list.write(lines)) await new Promise((resolve) => list.once("drain", resolve));
  }
  await Promise.all([faces, points, list].map((file) => finished(file.end())));
}

function writeFeatures(path, templateOf, subjectOf, subjects, dimension, seed) {
  manualSeed(seed);
  const centres = randn([subjects, dimension]);
  const file = openSync(path, "w");
  for (let start = 0; start < templateOf.length; start += ROWS) {
    const rows = BigInt64Array.from(templateOf.subarray(start, start + ROWS), (t) => BigInt(subjectOf[t]));
    const features = scope(() =>
      centres
        .indexSelect(0, tensor(rows))
        .add(randn([rows.length, dimension]).mul(IMAGE_NOISE))
        .toTypedArray(),
    );
    for (let done = 0; done < features.byteLength; ) {
      done += writeSync(file, new Uint8Array(features.buffer, features.byteOffset + done));
    }
  }
  closeSync(file);
  centres.dispose();
}
