// topofr data synthesize: draws a set of faces from a seed, with pairs to verify, so that nothing has to be downloaded.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileError, TopofrError } from "@topofr/formats";
import type { Command } from "commander";
import { openImageFolder } from "../data/imageFolder.js";
import { DEFAULT_HARD_SHARE } from "../data/synthetic/world.js";
import { addCommand, print, printJson, realNumber, wholeNumber } from "./command.js";
import { type WriteWorldOptions, writeWorld } from "./engine.js";
import { countView } from "./progressView.js";

const SHEET_IDENTITIES = 12;
const SHEET_IMAGES = 10;
const IMAGE_BYTES = 112 * 112 * 3;

interface SynthesizeFlags {
  identities: number;
  images: number;
  seed: number;
  hardShare: number;
  format: string;
  quality: number;
  folds: number;
  pairsPerFold: number;
  workers?: number;
  overwrite?: boolean;
  contactSheet?: string;
  json?: boolean;
}

export function addSynthesize(data: Command): void {
  addCommand(data, "synthesize", "Draw aligned 112x112 faces of people who do not exist.", [
    "data synthesize faces --identities 100 --images 40 --contact-sheet faces.png",
    "data synthesize faces-test --identities 40 --seed 2 --pairs-per-fold 100",
  ])
    .argument("<folder>", "where to write identity/image files and pairs.txt")
    .option("--identities <n>", "people", wholeNumber("--identities", { min: 2 }), 100)
    .option("--images <n>", "images of each", wholeNumber("--images", { min: 1 }), 40)
    .option("--seed <n>", "another seed, other people", wholeNumber("--seed", { max: 2 ** 32 - 1 }), 1)
    .option(
      "--hard-share <share>",
      "share of images made hard: blurred, dark, covered, turned far",
      realNumber("--hard-share", { max: 1 }),
      DEFAULT_HARD_SHARE,
    )
    .option("--format <name>", "jpg or png", "jpg")
    .option("--quality <n>", "of jpg", wholeNumber("--quality", { min: 1, max: 100 }), 95)
    .option("--folds <n>", "folds of pairs.txt", wholeNumber("--folds", { min: 2 }), 10)
    .option(
      "--pairs-per-fold <n>",
      "same pairs, and as many different pairs, in a fold; 0: no pairs.txt",
      wholeNumber("--pairs-per-fold"),
      0,
    )
    .option("--workers <n>", "threads", wholeNumber("--workers", { min: 1 }))
    .option("--overwrite", "replace other faces that this command drew there")
    .option("--contact-sheet <file>", "also write a PNG with some of the faces")
    .option("--json", "print what was written as JSON")
    .action(synthesize);
}

async function synthesize(folder: string, flags: SynthesizeFlags): Promise<void> {
  const { identities, images, seed, hardShare, quality, folds, pairsPerFold, workers } = flags;
  const { format, overwrite = false } = flags;
  if (format !== "jpg" && format !== "png")
    throw new TopofrError("E_USAGE", `--format: expected jpg or png, found "${format}"`);
  const options: WriteWorldOptions = {
    seed,
    identities,
    imagesPerIdentity: images,
    hardShare,
    format,
    quality,
    overwrite,
    ...(workers !== undefined && { workers }),
  };
  if (pairsPerFold > 0) options.pairs = { folds, perFold: pairsPerFold };
  const view = countView("drawing", "faces");
  await writeWorld(folder, options, view.onProgress).finally(view.close);
  if (flags.contactSheet) await writeContactSheet(folder, flags.contactSheet);
  if (flags.json) return printJson({ folder, ...options, contactSheet: flags.contactSheet ?? null });
  print(`${identities * images} images of ${identities} people in ${folder}`);
  if (options.pairs) print(`pairs in ${join(folder, "pairs.txt")}`);
  if (flags.contactSheet) print(`contact sheet ${flags.contactSheet}`);
}

/** One row a person. */
async function writeContactSheet(folder: string, file: string): Promise<void> {
  const { identities, labels, source } = await openImageFolder(folder);
  const rows = identities
    .slice(0, SHEET_IDENTITIES)
    .map((_, person) => [...labels.keys()].filter((i) => labels[i] === person).slice(0, SHEET_IMAGES));
  // The image library takes a while to load.
  const [{ contactSheet }, { loadImages }] = await Promise.all([
    import("../data/synthetic/contactSheet.js"),
    import("../data/loader.js"),
  ]);
  const sources = rows.flat().map(source);
  const images: { pixels: Uint8Array }[] = [];
  for await (const batch of loadImages(sources, { batchSize: SHEET_IMAGES })) {
    for (let i = 0; i < batch.count; i++)
      images.push({ pixels: batch.images.slice(i * IMAGE_BYTES, (i + 1) * IMAGE_BYTES) });
    batch.release();
  }
  const png = await contactSheet(images, { columns: Math.max(...rows.map((row) => row.length)), size: 112 });
  try {
    await writeFile(file, png);
  } catch (error) {
    throw fileError(file, "write the contact sheet", error);
  }
}
