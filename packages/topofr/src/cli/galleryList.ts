// topofr gallery info and list: what a gallery is of, and who is in it. Reading a gallery checks every byte of it.
import { TopofrError } from "@topofr/formats";
import type { Gallery } from "@topofr/recognizer/gallery";
import type { Command } from "commander";
import { addCommand, print, printJson } from "./command.js";
import { addProtectionFlags, openGalleryForCommand, type ProtectionFlags } from "./galleryFlags.js";
import { formatBytes } from "./openedData.js";
import { counted, people } from "./words.js";

interface ListFlags extends ProtectionFlags {
  identity?: string;
  json?: boolean;
}

export function addGalleryInfo(parent: Command): void {
  const command = addCommand(parent, "info", "Show what a gallery is of, and check its file.", [
    "gallery info people.gallery",
  ]).argument("<gallery>", "the gallery");
  addProtectionFlags(command)
    .option("--json", "print it as JSON")
    .action((path: string, flags: ListFlags) =>
      reading(path, flags, (gallery) => {
        const info = gallery.info();
        if (flags.json) return printJson(info);
        const { identities, templates, bytes, dimension, model, created, encrypted, revocable } = info;
        print(`${path}: ${people(identities)}, ${counted(templates, "template")}, ${formatBytes(bytes)}`);
        print(
          `of model ${model.name}${model.sha256 === "" ? "" : ` (sha256 ${model.sha256})`}, ${dimension} numbers`,
        );
        print(
          `made ${created}; ${encrypted ? "encrypted" : "not encrypted"}; templates ${revocable ? "" : "not "}revocable`,
        );
      }),
    );
}

export function addGalleryList(parent: Command): void {
  const command = addCommand(parent, "list", "List the people of a gallery, or the templates of one.", [
    "gallery list people.gallery",
    "gallery list people.gallery --identity Ann",
  ]).argument("<gallery>", "the gallery");
  addProtectionFlags(command)
    .option("--identity <name>", "list this one's templates, with ids, dates and pictures")
    .option("--json", "print the list as JSON")
    .action((path: string, flags: ListFlags) =>
      reading(path, flags, (gallery) => {
        if (flags.identity !== undefined) return listTemplates(path, gallery, flags.identity, flags);
        const identities = gallery.identities();
        if (flags.json) return printJson(identities);
        for (const { identity, templates } of identities)
          print(`${String(templates).padStart(6)}  ${identity}`);
      }),
    );
}

function listTemplates(path: string, gallery: Gallery, identity: string, { json }: ListFlags): void {
  const found = [...gallery.templates()]
    .filter((template) => template.identity === identity.normalize("NFC"))
    .map(({ id, note, addedMs }) => ({ id, added: new Date(addedMs).toISOString(), note }));
  if (found.length === 0) throw noSuchIdentity(path, identity);
  if (json) printJson(found);
  else for (const { id, added, note } of found) print(`${id}  ${added}  ${note ?? ""}`.trimEnd());
}

export function noSuchIdentity(path: string, identity: string): TopofrError {
  return new TopofrError(
    "E_DATA",
    `${path}: nobody is called "${identity}"; topofr gallery list ${path} shows who is in it`,
  );
}

async function reading(path: string, flags: ProtectionFlags, use: (gallery: Gallery) => void): Promise<void> {
  const gallery = await openGalleryForCommand(path, flags, { readOnly: true });
  try {
    use(gallery);
  } finally {
    await gallery.close();
  }
}
