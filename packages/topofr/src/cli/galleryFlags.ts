// How commands open a gallery: its file, passphrase and secret. Neither of the latter is ever an argument, which other users of the
// machine could see.
import { randomBytes } from "node:crypto";
import { access, readFile } from "node:fs/promises";
import { fileError, TopofrError, writeFileAtomic } from "@topofr/formats";
import { type Gallery, type GalleryOptions, openGallery, SECRET_BYTES } from "@topofr/recognizer/gallery";
import type { Command } from "commander";
import { note } from "./command.js";

const PASSPHRASE_VARIABLE = "TOPOFR_GALLERY_PASSPHRASE";
const OWNER_ONLY = 0o600;

export interface ProtectionFlags {
  passphraseFile?: string;
  secretFile?: string;
}

export function addProtectionFlags(command: Command): Command {
  return command
    .option(
      "--passphrase-file <file>",
      `encrypted gallery: the file with its passphrase (or set ${PASSPHRASE_VARIABLE})`,
    )
    .option("--secret-file <file>", "revocable templates: the file with their secret");
}

/** `GalleryFlags` as a required option `--gallery`. */
export interface GalleryFlags extends ProtectionFlags {
  gallery: string;
}

export function addGalleryFlags(command: Command): Command {
  return addProtectionFlags(command.requiredOption("--gallery <file>", "the gallery"));
}

/**
 * Opens a gallery for a command and says what is odd about it. With `create`, a secret file that is not there is made with a new gallery.
 *
 * @throws as `openGallery`; E_FILE, E_FORMAT for the files of passphrase and secret
 */
export async function openGalleryForCommand(
  path: string,
  flags: ProtectionFlags,
  options: GalleryOptions,
): Promise<Gallery> {
  const isNew = options.create === true && !(await isThere(path));
  const passphrase = await readPassphrase(flags);
  const secret = await readSecret(flags, isNew);
  const gallery = await openGallery(path, {
    ...options,
    ...(passphrase !== undefined && { passphrase }),
    ...(secret !== undefined && { secret }),
  });
  if (gallery.droppedBytes > 0)
    note(
      `warning: ${path}: ${gallery.droppedBytes} bytes at the end are of an add that was interrupted; they are left out`,
    );
  if (isNew) note(`${path}: new gallery${passphrase === undefined ? ", not encrypted" : ", encrypted"}`);
  return gallery;
}

async function readPassphrase({ passphraseFile }: ProtectionFlags): Promise<string | undefined> {
  if (passphraseFile === undefined) return process.env[PASSPHRASE_VARIABLE];
  return (await readText(passphraseFile, "passphrase")).replace(/\r?\n$/, "");
}

async function readSecret({ secretFile }: ProtectionFlags, isNew: boolean): Promise<Uint8Array | undefined> {
  if (secretFile === undefined) return undefined;
  if (isNew && !(await isThere(secretFile))) {
    const secret = randomBytes(SECRET_BYTES);
    await writeFileAtomic(secretFile, [Buffer.from(`${secret.toString("hex")}\n`)], { mode: OWNER_ONLY });
    note(`${secretFile}: new secret; keep it apart from the gallery, which is of no use without it`);
    return secret;
  }
  const text = (await readText(secretFile, "secret")).trim();
  if (new RegExp(`^[0-9a-f]{${2 * SECRET_BYTES}}$`, "i").test(text)) return Buffer.from(text, "hex");
  throw new TopofrError("E_FORMAT", `${secretFile}: expected ${2 * SECRET_BYTES} hexadecimal digits`);
}

async function readText(path: string, what: string): Promise<string> {
  return readFile(path, "utf8").catch((error) => {
    throw fileError(path, `read the ${what}`, error);
  });
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
