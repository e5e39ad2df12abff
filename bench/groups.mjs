// All pairs within groups and across them (MFR-Ongoing style) on made embeddings, beside numpy: from a file of embeddings to TAR at FAR per
// group and over all.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { RandomStream } from "../packages/topofr/dist/random/stream.js";
import { manualSeed, randn, scope, tensor } from "../packages/torch/dist/index.js";
import { parseOptions } from "./options.mjs";
import { COMPARISON_OPTIONS, compareOnData } from "./sideBySide.mjs";

const HELP = `Usage: node bench/groups.mjs [options]

  --images N      images (20000)        --groups N     groups of them (4)
  --dimension N   of an embedding (512) --seed N       (2048)
  --rounds N      turns of each side (1)
  --only SIDE     reference or topofr alone
  --json          print JSON alone

The reference needs Python with numpy.
`;
const values = parseOptions(
  {
    images: { type: "string", default: "20000" },
    groups: { type: "string", default: "4" },
    ...COMPARISON_OPTIONS,
  },
  HELP,
);
const IMAGES_PER_IDENTITY = 7; // as in MFR's multi-racial set
/** Standard deviation of an image's embedding around its identity's, which has deviation 1. */
const IMAGE_NOISE = 2;

await compareOnData({
  name: "groups",
  values,
  sizes: ["images", "groups", "dimension", "seed"],
  writeData,
  reference: "reference/groups.py",
  ours: "groupsOurs.mjs",
});

/** embeddings.f32 [images, dimension], identities.i32 and groups.i32 [images]. */
function writeData(folder, { images, groups, dimension, seed }) {
  const stream = new RandomStream(seed, "groups bench");
  const identities = Math.ceil(images / IMAGES_PER_IDENTITY);
  const identityOf = Int32Array.from({ length: images }, () => stream.integer(identities));
  manualSeed(seed);
  const embeddings = scope(() =>
    randn([identities, dimension])
      .indexSelect(0, tensor(BigInt64Array.from(identityOf, BigInt)))
      .add(randn([images, dimension]).mul(IMAGE_NOISE))
      .toTypedArray(),
  );
  writeFileSync(join(folder, "embeddings.f32"), embeddings);
  writeFileSync(join(folder, "identities.i32"), identityOf);
  writeFileSync(
    join(folder, "groups.i32"),
    identityOf.map((identity) => identity % groups),
  );
}
