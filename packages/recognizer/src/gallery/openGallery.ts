// Opens a gallery: finds or makes its file, checks what it is of, decrypts it, reads it into memory. What is done with it: gallery.ts.
import { lstat, mkdir, readdir, realpath, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileError, isSystemError, TopofrError } from "@topofr/formats";
import { newKey, openKey, PLAIN, sealer } from "./cipher.js";
import { type FileLock, lockFile } from "./fileLock.js";
import { createGallery, type Protection } from "./gallery.js";
import { checkModel, decodeHeader, encodeHeader, type GalleryHeader, newHeader } from "./header.js";
import { LogWriter, writeLog } from "./logWriter.js";
import { type LogRecord, readLog } from "./readLog.js";
import { decodeRecord } from "./records.js";
import { NO_ROTATION, secretCheck, secretRotation } from "./rotation.js";
import { Templates } from "./templates.js";
import type { Gallery, GalleryOptions } from "./types.js";

const OWNER_ONLY = 0o600;

/**
 * Opens the gallery at `path`, a file, and reads all its templates into memory: 2 kB each at 512 numbers.
 *
 * @throws E_FILE when it is missing (without `create`), another process writes to it, or the disk fails; E_FORMAT when it is no gallery, or
 *   damaged; E_MODEL when it is of another model or embedding size; E_USAGE for a wrong, missing or needless passphrase or secret
 */
export async function openGallery(path: string, options: GalleryOptions = {}): Promise<Gallery> {
  const { readOnly = false, create = false } = options;
  if (readOnly && create) throw usage("create and readOnly contradict each other");
  const isThere = await isFile(path);
  if (!isThere && !create)
    throw new TopofrError(
      "E_FILE",
      `${path}: no such gallery; it is made when people are enrolled (\`create\`)`,
    );
  if (!isThere) await makeFolder(path);
  const file = isThere ? await behindLink(path) : path;
  const lock = readOnly ? null : await lockFile(file);
  try {
    if (lock !== null) await removeLeftovers(file);
    const key = (await isFile(file)) ? null : await makeFile(file, options);
    return await readGallery(file, options, { lock, key });
  } catch (error) {
    await lock?.release();
    throw error;
  }
}

/** @param at.key of the passphrase, where it is known already */
async function readGallery(
  path: string,
  options: GalleryOptions,
  { lock, key }: { lock: FileLock | null; key: Buffer | null },
): Promise<Gallery> {
  const { reader, length, records, dropped } = await readLog(path, async (bytes) => {
    const header = decodeHeader(bytes, path);
    checkModel(path, header, options);
    const protection = await openProtection(path, header, options, key);
    const { dimension } = header;
    const templates = new Templates(dimension);
    const { unseal } = protection.sealerOf(bytes);
    return {
      header,
      protection,
      templates,
      onRecord({ payload, index, place }: LogRecord): void {
        const record = decodeRecord(unseal(payload, index, place), dimension, place);
        if (record.kind === "removed") templates.remove(record.ids);
        else for (const template of record.templates) templates.add(template);
      },
    };
  });
  const { header, protection, templates } = reader;
  return createGallery({
    path,
    header,
    protection,
    templates,
    writing: lock === null ? null : { lock, writer: await LogWriter.open(path, { length }) },
    records,
    bytes: length,
    droppedBytes: dropped,
    threads: options.threads ?? null,
  });
}

async function openProtection(
  path: string,
  { encryption, revocable, dimension }: GalleryHeader,
  { passphrase, secret }: GalleryOptions,
  knownKey: Buffer | null,
): Promise<Protection> {
  if (encryption !== null && passphrase === undefined)
    throw usage(`${path}: is encrypted; give its passphrase`);
  if (encryption === null && passphrase !== undefined)
    throw usage(
      `${path}: is not encrypted; leave the passphrase out, or export it and import it into a new gallery`,
    );
  if (revocable !== null && secret === undefined)
    throw usage(`${path}: its templates are revocable; give the secret that they were made with`);
  if (revocable === null && secret !== undefined)
    throw usage(
      `${path}: its templates are not revocable; leave the secret out, or enroll into a new gallery`,
    );
  if (revocable !== null && secret !== undefined && secretCheck(secret) !== revocable.check)
    throw usage(`${path}: wrong secret: these templates were made with another one`);
  // Last, for it takes long.
  const key = encryption === null ? null : (knownKey ?? (await openKey(path, passphrase!, encryption)));
  return {
    sealerOf: (header) => (key === null ? PLAIN : sealer(key, header)),
    rotation: secret === undefined ? NO_ROTATION : secretRotation(secret, dimension),
  };
}

/** @returns the key of its passphrase, if it has one */
async function makeFile(path: string, options: GalleryOptions): Promise<Buffer | null> {
  const { dimension, model, passphrase, passphraseCost, secret } = options;
  if (dimension === undefined || model === undefined)
    throw usage(`${path}: a new gallery needs the dimension and the model of its embeddings`);
  const revocable = secret === undefined ? null : { kind: "rotation" as const, check: secretCheck(secret) };
  const cost = passphraseCost === undefined ? {} : { cost: passphraseCost };
  const encryption = passphrase === undefined ? null : await newKey(passphrase, cost);
  const header = newHeader({ model, dimension, encryption: encryption?.parameters ?? null, revocable });
  await writeLog(path, encodeHeader(header), () => [], { mode: OWNER_ONLY });
  return encryption?.key ?? null;
}

/** The file that a link leads to: a link stays one when the file is replaced. */
async function behindLink(path: string): Promise<string> {
  return (await lstat(path)).isSymbolicLink() ? realpath(path) : path;
}

async function isFile(path: string): Promise<boolean> {
  try {
    const found = await stat(path);
    if (found.isFile()) return true;
    throw new TopofrError("E_FILE", `${path}: is a folder or a device; a gallery is one file`);
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return false;
    throw error instanceof TopofrError ? error : fileError(path, "open the gallery", error);
  }
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true }).catch((error) => {
    throw fileError(path, "make the folder of the gallery", error);
  });
}

/** Files half-written by a process that was killed while it replaced the gallery; we hold the lock, so nobody writes them now. */
async function removeLeftovers(path: string): Promise<void> {
  const start = `${basename(path)}.tmp-`;
  const names = await readdir(dirname(path)).catch(() => []);
  for (const name of names.filter((one) => one.startsWith(start)))
    await rm(join(dirname(path), name), { force: true });
}

const usage = (message: string) => new TopofrError("E_USAGE", message);
