// The IJB 1:1 protocol at the size of IJB-C on made features, beside the same steps in numpy: from the meta files and a file of image
// features to TAR at FAR. Nothing of images or networks is timed.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeIjbData } from "./ijbData.mjs";
import { parseOptions, positive } from "./options.mjs";
import { comparison, takeTurns } from "./sideBySide.mjs";

const HELP = `Usage: node bench/ijb.mjs [options]

  --images N      images (469375)       --templates N  templates (23124), a seventh of them gallery
  --pairs N       pairs (15658489), 1 in 800 genuine
  --dimension N   of a feature (512)    --seed N       (2048)
  --rounds N      turns of each side (1)
  --only SIDE     reference or topofr alone
  --json          print JSON alone

Needs 1.3 GB in the temporary folder; the reference needs Python with numpy.
`;
const values = parseOptions(
  {
    images: { type: "string", default: "469375" },
    templates: { type: "string", default: "23124" },
    pairs: { type: "string", default: "15658489" },
    dimension: { type: "string", default: "512" },
    seed: { type: "string", default: "2048" },
    rounds: { type: "string", default: "1" },
    only: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
  HELP,
);

const folder = mkdtempSync(join(tmpdir(), "topofr-bench-ijb-"));
try {
  const sizes = Object.fromEntries(
    ["images", "templates", "pairs", "dimension", "seed"].map((name) => [name, positive(values, name)]),
  );
  process.stderr.write("writing the data …");
  await writeIjbData(folder, sizes);
  const report = takeTurns({
    reference: "reference/ijb.py",
    ours: "ijbOurs.mjs",
    args: [folder, String(sizes.dimension)],
    rounds: positive(values, "rounds"),
    only: values.only,
  });
  process.stdout.write(values.json ? `${JSON.stringify({ ...sizes, ...report })}\n` : comparison(report));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
