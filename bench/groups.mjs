// All pairs within groups and across them (MFR-Ongoing style) on made embeddings, beside numpy: from a file of embeddings to TAR at FAR per
// group and over all.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RandomStream } from "../packages/topofr/dist/random/stream.js";
import { manualSeed, randn, scope, tensor } from "../packages/torch/dist/index.js";
import { parseOptions, positive } from "./options.mjs";
import { comparison, takeTurns } from "./sideBySide.mjs";

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
    dimension: { type: "string", default: "512" },
    seed: { type: "string", default: "2048" },
    rounds: { type: "string", default: "1" },
    only: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
  HELP,
);
const IMAGES_PER_IDENTITY = 7; // as in MFR's multi-racial set
/** Standard deviation of an image's embedding around its identity's, which has deviation 1. */
const IMAGE_NOISE = 2;

const sizes = Object.fromEntries(
  ["images", "groups", "dimension", "seed"].map((name) => [name, positive(values, name)]),
);
const folder = mkdtempSync(join(tmpdir(), "topofr-bench-groups-"));
try {
  writeData(sizes);
  const report = takeTurns({
    reference: "reference/groups.py",
    ours: "groupsOurs.mjs",
    args: [folder, String(sizes.dimension)],
    rounds: positive(values, "rounds"),
    only: values.only,
  });
  process.stdout.write(values.json ? `${JSON.stringify({ ...sizes, ...report })}\n` : comparison(report));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** embeddings.f32 [images, dimension], identities.i32 and groups.i32 [images]. */
function writeData({ images, groups, dimension, seed }) {
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
