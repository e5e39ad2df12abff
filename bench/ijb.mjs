// The IJB 1:1 protocol at the size of IJB-C on made features, beside the same steps in numpy: from the meta files and a file of image
// features to TAR at FAR. Nothing of images or networks is timed.
import { writeIjbData } from "./ijbData.mjs";
import { parseOptions } from "./options.mjs";
import { COMPARISON_OPTIONS, compareOnData } from "./sideBySide.mjs";

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
    ...COMPARISON_OPTIONS,
  },
  HELP,
);

await compareOnData({
  name: "ijb",
  values,
  sizes: ["images", "templates", "pairs", "dimension", "seed"],
  writeData: writeIjbData,
  reference: "reference/ijb.py",
  ours: "ijbOurs.mjs",
});
