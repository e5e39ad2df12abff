// topofr gallery remove: a person, or one template, out of the gallery and out of its file.
import { TopofrError } from "@topofr/formats";
import type { Command } from "commander";
import { addCommand, print, printJson } from "./command.js";
import { addProtectionFlags, openGalleryForCommand, type ProtectionFlags } from "./galleryFlags.js";
import { noSuchIdentity } from "./galleryList.js";
import { counted } from "./words.js";

interface RemoveFlags extends ProtectionFlags {
  identity?: string;
  id?: string;
  json?: boolean;
}

export function addGalleryRemove(parent: Command): void {
  const command = addCommand(
    parent,
    "remove",
    "Remove a person or a template; the file keeps nothing of it.",
    ["gallery remove people.gallery --identity Ann", "gallery remove people.gallery --id 3f0c9b1e55aa1207"],
  ).argument("<gallery>", "the gallery");
  addProtectionFlags(command)
    .option("--identity <name>", "all templates of this one")
    .option("--id <id>", "one template, as topofr gallery list --identity shows it")
    .option("--json", "print what was removed as JSON")
    .action(remove);
}

async function remove(path: string, flags: RemoveFlags): Promise<void> {
  const { identity, id } = flags;
  if ((identity === undefined) === (id === undefined))
    throw new TopofrError("E_USAGE", "who is to be removed? Give --identity or --id");
  const gallery = await openGalleryForCommand(path, flags, {});
  let removed: number;
  try {
    removed = await gallery.remove(identity !== undefined ? { identity } : { id: id! });
  } finally {
    await gallery.close(); // rewrites the file
  }
  if (removed === 0)
    throw identity !== undefined
      ? noSuchIdentity(path, identity)
      : new TopofrError("E_DATA", `${path}: no template has the id ${id}`);
  if (flags.json) return printJson({ removed, templates: gallery.size });
  print(`${path}: ${counted(removed, "template")} removed, ${gallery.size} left`);
}
