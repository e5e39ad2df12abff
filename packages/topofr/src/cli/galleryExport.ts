// topofr gallery export and import: templates in files that other programs read, and back.
import { existsSync } from "node:fs";
import { TopofrError } from "@topofr/formats";
import { readEntries, tableEnding } from "@topofr/recognizer/gallery";
import type { Command } from "commander";
import { addCommand, note, print, printJson } from "./command.js";
import { addProtectionFlags, openGalleryForCommand, type ProtectionFlags } from "./galleryFlags.js";
import { checkWritable } from "./outputFiles.js";
import { openForCommand } from "./recognizerFlags.js";
import { counted, people } from "./words.js";

interface ExportFlags extends ProtectionFlags {
  json?: boolean;
}

export function addGalleryExport(parent: Command): void {
  const command = addCommand(
    parent,
    "export",
    "Write all templates with their names as .npz, .csv or .jsonl.",
    ["gallery export people.gallery people.npz"],
  )
    .argument("<gallery>", "the gallery")
    .argument("<file>", ".npz, .csv or .jsonl; not encrypted");
  addProtectionFlags(command).option("--json", "print what was written as JSON").action(exportGallery);
}

async function exportGallery(path: string, file: string, flags: ExportFlags): Promise<void> {
  tableEnding(file);
  await checkWritable(file);
  const gallery = await openGalleryForCommand(path, flags, { readOnly: true });
  try {
    await gallery.export(file);
    const info = gallery.info();
    if (info.encrypted || info.revocable)
      note(`${file} is neither encrypted nor revocable; keep it as safe as the pictures`);
    if (flags.json) return printJson({ file, identities: info.identities, templates: info.templates });
    print(`${file}: ${counted(info.templates, "template")} of ${people(info.identities)}`);
  } finally {
    await gallery.close();
  }
}

interface ImportFlags extends ProtectionFlags {
  model?: string;
  card?: string;
  json?: boolean;
}

export function addGalleryImport(parent: Command): void {
  const command = addCommand(parent, "import", "Add the templates of an exported file.", [
    "gallery import people.gallery people.npz",
    "gallery import new.gallery people.npz --model model.onnx",
  ])
    .argument("<gallery>", "the gallery; a new one needs --model")
    .argument("<file>", '.npz, .csv or .jsonl with a column "identity"');
  addProtectionFlags(command)
    .option("--model <path>", "the network that the embeddings are of, as for topofr embed")
    .option("--card <file>", "its model card (default: <model>.card.yaml)")
    .option("--json", "print what was added as JSON")
    .action(importGallery);
}

async function importGallery(path: string, file: string, flags: ImportFlags): Promise<void> {
  const { dimension, entries } = await readEntries(file);
  const known = flags.model === undefined ? null : await modelOf(flags);
  if (known === null && !existsSync(path))
    throw new TopofrError(
      "E_USAGE",
      `${path}: no such gallery; to make one, say with --model what the embeddings are of`,
    );
  if (known !== null && known.dimension !== dimension)
    throw new TopofrError(
      "E_MODEL",
      `${file}: embeddings of ${dimension} numbers; ${flags.model} gives ${known.dimension}`,
    );
  const options = known === null ? { dimension } : { ...known, create: true };
  const gallery = await openGalleryForCommand(path, flags, options);
  try {
    const ids = await gallery.add(entries);
    const { identities, templates } = gallery.info();
    if (flags.json) return printJson({ added: ids.length, identities, templates });
    print(
      `${path}: ${counted(ids.length, "template")} added; now ${people(identities)}, ${counted(templates, "template")}`,
    );
  } finally {
    await gallery.close();
  }
}

async function modelOf(flags: ImportFlags) {
  const recognizer = await openForCommand(flags);
  const { model, dimension } = recognizer;
  await recognizer.close();
  return { model, dimension };
}
