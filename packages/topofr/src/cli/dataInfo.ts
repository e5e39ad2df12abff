// topofr data info: what a data set holds.

import { TopofrError } from "@topofr/formats";
import type { Command } from "commander";
import type { DatasetInfo } from "../data/datasetInfo.js";
import type { OpenedDataset } from "../data/openDataset.js";
import { writeRecordIndex } from "../data/recordIndex.js";
import { addCommand, note, print, printJson } from "./command.js";
import { datasetInfo } from "./engine.js";
import { interruptible } from "./interrupt.js";
import { formatBytes, noteSome, openDataForCommand } from "./openedData.js";
import { countView } from "./progressView.js";

const BAR_COLUMNS = 40;
const KINDS_SHOWN = 5;

interface InfoFlags {
  all?: boolean;
  check?: boolean;
  writeIndex?: boolean;
  cache: boolean;
  json?: boolean;
}

export function addInfo(data: Command): void {
  addCommand(data, "info", "Show what a data set holds: people, images of each, sizes, broken images.", [
    "data info faces",
    "data info faces_emore --check --json",
  ])
    .argument("<dataset>", "image folder, .rec or its folder, .tar, folder or pattern of .tar files")
    .option("--all", "read every image, not 1000 of them")
    .option("--check", "decode every image, and name those that cannot be (exit status 1 if any)")
    .option("--write-index", "RecordIO: write the .idx when it is missing or wrong")
    .option("--no-cache", "neither use nor keep listings")
    .option("--json", "print as JSON")
    .action(info);
}

async function info(path: string, flags: InfoFlags): Promise<void> {
  const dataset = await openDataForCommand(path, { cache: flags.cache });
  if (flags.writeIndex) await writeIndex(path, dataset);
  const interrupt = interruptible("stopping");
  const view = countView(flags.check ? "checking" : "reading", "images");
  const found = await datasetInfo(dataset, {
    all: flags.all ?? false,
    check: flags.check ?? false,
    signal: interrupt.signal,
    onProgress: view.onProgress,
  }).finally(() => {
    view.close();
    interrupt.release();
  });
  if (found.broken.length > 0) process.exitCode = 1;
  const { name, kind, warnings } = dataset;
  if (flags.json) return printJson({ path, name, kind, ...found, warnings });
  noteSome(
    found.broken.map(({ image, reason }) => `${image}: ${reason}`),
    "broken images",
  );
  print(infoText(describe(dataset), found));
}

async function writeIndex(path: string, dataset: OpenedDataset): Promise<void> {
  if (dataset.kind !== "recordio")
    throw new TopofrError("E_USAGE", `${path}: --write-index is for RecordIO, this is a ${dataset.kind}`);
  if (dataset.file.scanned) note(`index written to ${await writeRecordIndex(dataset.file)}`);
  else note("the index is right, nothing written");
}

function describe(dataset: OpenedDataset): string {
  switch (dataset.kind) {
    case "folder":
      return "image folder";
    case "merged":
      return dataset.parts
        .map(({ path, identities, images }) => `${path} (${identities} people, ${images} images)`)
        .join(" + ");
    case "tar":
      return `tar, ${dataset.shards.length} ${dataset.shards.length === 1 ? "file" : "files"}`;
    case "recordio":
      return `RecordIO, ${dataset.identityRecords === null ? "no" : dataset.identityRecords} identity records`;
  }
}

function infoText(
  form: string,
  { identities, images, imagesPerIdentity, histogram, looks, broken, checked }: DatasetInfo,
) {
  const { least, median, mean, most } = imagesPerIdentity;
  const isAll = looks.images === images;
  const rows = [
    ["form", form],
    ["identities", String(identities)],
    ["images", String(images)],
    ["per identity", `least ${least}, median ${median}, mean ${mean.toFixed(1)}, most ${most}`],
    [
      "bytes",
      `${isAll ? "" : "about "}${formatBytes(looks.totalBytes)}, ${formatBytes(looks.meanBytes)} an image`,
    ],
    ["sizes", kinds(looks.sizes, looks.images)],
    ["formats", kinds(looks.formats, looks.images)],
    [
      "broken",
      `${broken.length} of ${checked ? `${images} decoded` : `${looks.images} read (--check decodes all)`}`,
    ],
  ];
  const largest = Math.max(...histogram.map((bin) => bin.identities));
  const bars = histogram.map(({ from, to, identities: n }) => {
    const range = to === null ? `${from}+` : from === to ? `${from}` : `${from}-${to}`;
    const bar = "█".repeat(Math.max(n > 0 ? 1 : 0, Math.round((BAR_COLUMNS * n) / largest)));
    return `${range.padStart(9)}  ${String(n).padStart(7)}  ${bar}`.trimEnd();
  });
  return [
    ...rows.map(([name, value]) => `${name!.padEnd(13)}${value}`),
    "",
    "   images   people",
    ...bars,
  ].join("\n");
}

/** "112x112 (998), 250x250 (2) of 1000 read" */
function kinds(counts: Record<string, number>, looked: number): string {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
  const shown = sorted.slice(0, KINDS_SHOWN).map(([kind, n]) => `${kind} (${n})`);
  const more = sorted.length - shown.length;
  return `${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""} of ${looked} read`;
}
