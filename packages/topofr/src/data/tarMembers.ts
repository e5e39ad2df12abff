// The images in one tar file, each with the small file beside it that says who is on it (`x.jpg` with `x.cls` or `x.json`, as
// WebDataset has them). Kept from one time to the next. What the labels mean for the set: tarDataset.ts.
import { stat } from "node:fs/promises";
import { basename, posix } from "node:path";
import {
  fileError,
  type InputFile,
  indexTar,
  printable,
  type TarMember,
  TopofrError,
  withInputFile,
} from "@topofr/formats";
import type { DatasetOptions } from "./datasetOptions.js";
import { IMAGE_EXTENSIONS } from "./imageFolder.js";
import { fingerprintOf, isSettled, readListing, sectionOf, writeListing } from "./listingCache.js";
import { StringTable, StringTableBuilder } from "./stringTable.js";

const MOST_SIDECAR_BYTES = 64 * 1024;
const MOST_LABEL = 2 ** 24; // what a RecordIO file can hold as well

/** A label that is not given. */
export const NO_LABEL = 0xffffffff;

export interface TarImages {
  path: string;
  /** [images] names in the archive, in its order. */
  names: StringTable;
  /** [images] first byte and number of bytes. */
  offsets: Float64Array;
  lengths: Uint32Array;
  /** [images] from `.cls` or the JSON's "label"; NO_LABEL: neither is there. */
  labels: Uint32Array;
  /** [images] the JSON's "identity"; empty: it is not there. */
  identities: StringTable;
  warnings: string[];
}

/** @throws E_FILE, E_FORMAT (a broken archive), E_DATA (a label that cannot be read), each naming the archive and the member */
export async function readTarImages(path: string, options: DatasetOptions): Promise<TarImages> {
  const { cache = true, onProgress } = options;
  const { size, mtimeMs } = await stat(path).catch((error: unknown) => {
    throw fileError(path, "open the file", error);
  });
  const key = { kind: "tar", path, fingerprint: fingerprintOf([size, mtimeMs]) };
  const kept = cache ? await readListing(key) : null;
  if (kept?.sections.length === 7) return { path, warnings: [], ...unpack(kept.sections) };
  const members = await indexTar(path, {
    onProgress: (done, total) => onProgress?.(`listing ${basename(path)}`, done, total),
  });
  const images = await withInputFile(path, (file) => labelMembers(file, members));
  const sections = [
    images.names.ends,
    images.names.bytes,
    images.offsets,
    images.lengths,
    images.labels,
    images.identities.ends,
    images.identities.bytes,
  ].map(sectionOf);
  const warning = cache && isSettled(mtimeMs) ? await writeListing(key, { note: null, sections }) : null;
  return { path, ...images, warnings: warning === null ? [] : [warning] };
}

type Found = Omit<TarImages, "path" | "warnings">;

function unpack(sections: Uint8Array[]): Found {
  const words = (section: number) => new Uint32Array(sections[section]!.buffer);
  return {
    names: new StringTable(sections[1]!, words(0)),
    offsets: new Float64Array(sections[2]!.buffer),
    lengths: words(3),
    labels: words(4),
    identities: new StringTable(sections[6]!, words(5)),
  };
}

async function labelMembers(file: InputFile, members: TarMember[]): Promise<Found> {
  const images = members.filter(({ name }) => isImage(name));
  const sidecars = new Map(members.filter(({ name }) => /\.(cls|json)$/i.test(name)).map((m) => [m.name, m]));
  const names = new StringTableBuilder();
  const identities = new StringTableBuilder();
  const offsets = new Float64Array(images.length);
  const lengths = new Uint32Array(images.length);
  const labels = new Uint32Array(images.length).fill(NO_LABEL);
  for (const [i, { name, offset, length }] of images.entries()) {
    if (length > 2 ** 31)
      throw new TopofrError("E_DATA", `${file.path}: ${name}: ${length} bytes are no image`);
    names.push(name);
    offsets[i] = offset;
    lengths[i] = length;
    let identity = "";
    for (const key of keysOf(name)) {
      const cls = sidecars.get(`${key}.cls`);
      const json = sidecars.get(`${key}.json`);
      if (cls) labels[i] = labelOf(file, cls, Number(await readText(file, cls)));
      if (json) {
        const said = parseJson(file, json, await readText(file, json));
        if (said.identity !== undefined) identity = said.identity;
        if (said.label !== undefined && !cls) labels[i] = labelOf(file, json, said.label);
      }
      if (cls || json) break;
    }
    identities.push(identity);
  }
  return { names: names.finish(), offsets, lengths, labels, identities: identities.finish() };
}

function isImage(name: string): boolean {
  const ending = posix.extname(name).toLowerCase();
  return (IMAGE_EXTENSIONS as readonly string[]).includes(ending) && !posix.basename(name).startsWith(".");
}

/** What files of one sample have in common: the name up to its last dot; WebDataset takes the first. */
function keysOf(name: string): string[] {
  const last = name.slice(0, -posix.extname(name).length);
  const base = posix.basename(name);
  const first = name.slice(0, name.length - base.length) + base.slice(0, base.indexOf("."));
  return first === last ? [last] : [last, first];
}

async function readText(file: InputFile, { name, offset, length }: TarMember): Promise<string> {
  if (length > MOST_SIDECAR_BYTES) {
    throw new TopofrError(
      "E_DATA",
      `${file.path}: ${printable(name)} has ${length} bytes; expected a label, at most ${MOST_SIDECAR_BYTES} bytes`,
    );
  }
  const text = Buffer.from(await file.read(offset, length))
    .toString("utf8")
    .trim();
  return text === "" ? "nothing" : text;
}

function labelOf(file: InputFile, { name, offset }: TarMember, label: unknown): number {
  if (Number.isInteger(label) && (label as number) >= 0 && (label as number) < MOST_LABEL)
    return label as number;
  throw new TopofrError(
    "E_DATA",
    `${file.path}: ${printable(name)} at byte ${offset} has label ${printable(String(label))}; ` +
      `expected a whole number from 0 to ${MOST_LABEL - 1}`,
  );
}

function parseJson(
  file: InputFile,
  { name, offset }: TarMember,
  text: string,
): { label?: unknown; identity?: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  const fields = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const identity = fields.identity;
  const said = {
    ...("label" in fields && { label: fields.label }),
    ...(typeof identity === "string" && identity !== "" && { identity }),
  };
  if (Object.keys(said).length > 0) return said;
  throw new TopofrError(
    "E_DATA",
    `${file.path}: ${printable(name)} at byte ${offset}: expected a JSON object with "label" (a number) or "identity" (a name), ` +
      `found ${printable(text)}`,
  );
}
