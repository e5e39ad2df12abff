// The meta files of IJB-B and IJB-C in insightface's layout: which image belongs to which template and media, its landmarks and
// detector score, the template pairs of 1:1 verification, and the lists of 1:N identification. Images are named, not opened.
//
//   <root>/loose_crop/<name>                  images
//   <root>/meta/ijbc_face_tid_mid.txt         name template media
//   <root>/meta/ijbc_name_5pts_score.txt      name x1 y1 .. x5 y5 score; row i is row i of the file above
//   <root>/meta/ijbc_template_pair_label.txt  template template 0|1
//   <root>/meta/ijbc_1N_{gallery_G1,gallery_G2,probe_mixed}.csv   template,subject[,…] after a header (IJB-B: S1, S2); optional

import { access, stat } from "node:fs/promises";
import { isAbsolute, join, sep } from "node:path";
import { fileError, printable, TopofrError } from "@topofr/formats";
import type { TemplatePairs } from "./ijbScores.js";
import { forEachLine, type LineFields } from "./textLines.js";

export type IjbName = "IJBB" | "IJBC";

/** Templates with the person that each shows; a template is listed once. */
export interface SubjectList {
  templateIds: Int32Array;
  subjectIds: Int32Array;
}

export interface IjbIdentification {
  galleries: ({ name: string } & SubjectList)[];
  probes: SubjectList;
}

export interface IjbMeta {
  name: IjbName;
  /** Paths of the images, `<root>/loose_crop/<name>`. Row i of everything below belongs to images[i]. */
  images: string[];
  /** [images, 10]: x1 y1 … x5 y5 in pixels of the loose crop. */
  landmarks: Float32Array;
  /** Face detector's score per image. */
  detectorScores: Float32Array;
  templateIds: Int32Array;
  mediaIds: Int32Array;
  pairs: TemplatePairs & { first: Int32Array; second: Int32Array };
  /** Absent when the 1:N lists are not there. */
  identification?: IjbIdentification;
}

const GALLERIES: Readonly<Record<IjbName, readonly string[]>> = { IJBB: ["S1", "S2"], IJBC: ["G1", "G2"] };
const LANDMARK_NUMBERS = 10;
/** "1 2 0" and a newline: no pair takes less, which bounds how many a file of some size can hold. */
const SHORTEST_PAIR_LINE = 6;

/**
 * Reads the meta files under `root`: the folder with `meta/` in it, or its parent. "auto" takes whichever of IJBB and IJBC is there.
 *
 * @throws E_FILE for a missing or unreadable file; E_FORMAT with file and line for a wrong line; E_DATA when the two image lists
 *   disagree or list an image twice in a template; E_USAGE when "auto" finds both
 */
export async function readIjbMeta(root: string, name: IjbName | "auto" = "auto"): Promise<IjbMeta> {
  const { folder, name: found } = await locate(root, name);
  const file = (rest: string) => join(folder, "meta", `${found.toLowerCase()}_${rest}`);
  const templates = await readTemplateFile(file("face_tid_mid.txt"));
  const faces = await readFaceFile(file("name_5pts_score.txt"), templates.names, file("face_tid_mid.txt"));
  const pairs = await readPairFile(file("template_pair_label.txt"));
  const identification = await readIdentification(file, GALLERIES[found]);
  const crops = join(folder, "loose_crop") + sep;
  return {
    name: found,
    images: templates.names.map((image) => crops + image),
    ...faces,
    templateIds: templates.templateIds,
    mediaIds: templates.mediaIds,
    pairs,
    ...(identification === null ? {} : { identification }),
  };
}

async function locate(root: string, name: IjbName | "auto"): Promise<{ folder: string; name: IjbName }> {
  await access(root).catch((error) => {
    throw fileError(root, "open the IJB folder", error);
  });
  const names: IjbName[] = name === "auto" ? ["IJBB", "IJBC"] : [name];
  const found: { folder: string; name: IjbName }[] = [];
  for (const candidate of names) {
    for (const folder of [root, join(root, candidate)]) {
      if (await exists(join(folder, "meta", `${candidate.toLowerCase()}_face_tid_mid.txt`))) {
        found.push({ folder, name: candidate });
        break;
      }
    }
  }
  if (found.length === 1) return found[0]!;
  if (found.length > 1) throw new TopofrError("E_USAGE", `${root}: holds both IJBB and IJBC; say which one`);
  const expected = names.map((each) => `meta/${each.toLowerCase()}_face_tid_mid.txt`).join(" or ");
  throw new TopofrError(
    "E_FILE",
    `${root}: no ${expected} in it or in its ${names.join(" or ")} folder; expected insightface's IJB layout`,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isFile(),
    () => false,
  );
}

async function readTemplateFile(path: string) {
  const names: string[] = [];
  const templateIds: number[] = [];
  const mediaIds: number[] = [];
  await forEachLine(path, (fields) => {
    names.push(imageName(fields));
    templateIds.push(fields.id("template id"));
    mediaIds.push(fields.id("media id"));
  });
  if (names.length === 0) throw new TopofrError("E_FORMAT", `${path}: the file lists no image`);
  refuseRepeats(path, names, templateIds);
  return { names, templateIds: Int32Array.from(templateIds), mediaIds: Int32Array.from(mediaIds) };
}

function refuseRepeats(path: string, names: readonly string[], templateIds: readonly number[]): void {
  const rowOfName = new Map<string, number>();
  const repeated = new Set<string>(); // names that are listed more than once, with their templates
  names.forEach((name, row) => {
    const before = rowOfName.get(name);
    rowOfName.set(name, row);
    if (before === undefined) return;
    repeated.add(`${templateIds[before]} ${name}`);
    if (repeated.size !== repeated.add(`${templateIds[row]} ${name}`).size) return;
    throw new TopofrError(
      "E_DATA",
      `${path}: "${printable(name)}" is listed twice in template ${templateIds[row]}; it would count double`,
    );
  });
}

function imageName(fields: LineFields): string {
  const name = fields.word("image name");
  if (isAbsolute(name) || (name.includes("..") && name.split(/[/\\]/).includes(".."))) {
    throw fields.error(`image name "${printable(name)}" leaves the loose_crop folder`);
  }
  return name;
}

async function readFaceFile(path: string, names: readonly string[], templatePath: string) {
  const landmarks = new Float32Array(names.length * LANDMARK_NUMBERS);
  const detectorScores = new Float32Array(names.length);
  let row = 0;
  await forEachLine(path, (fields) => {
    const name = fields.word("image name");
    if (name !== names[row]) {
      const wanted = row < names.length ? `lists "${printable(names[row]!)}" there` : "ends before it";
      throw new TopofrError(
        "E_DATA",
        `${path}:${fields.line}: image ${row + 1} is "${printable(name)}", but ${templatePath} ${wanted}; ` +
          "row i of both files must be one image",
      );
    }
    for (let k = 0; k < LANDMARK_NUMBERS; k++) {
      landmarks[row * LANDMARK_NUMBERS + k] = fields.number("landmark");
    }
    detectorScores[row] = fields.number("detector score");
    row += 1;
  });
  if (row !== names.length) {
    throw new TopofrError(
      "E_DATA",
      `${path}: ${row} images, but ${templatePath} lists ${names.length}; one of the files is truncated`,
    );
  }
  return { landmarks, detectorScores };
}

/** Pages of the arrays that the file does not fill are never touched. */
async function readPairFile(path: string): Promise<IjbMeta["pairs"]> {
  const { size } = await stat(path).catch((error) => {
    throw fileError(path, "open the file", error);
  });
  const capacity = Math.floor((size + 1) / SHORTEST_PAIR_LINE);
  const first = new Int32Array(capacity);
  const second = new Int32Array(capacity);
  const same = new Uint8Array(capacity);
  let count = 0;
  await forEachLine(path, (fields) => {
    first[count] = fields.id("first template id");
    second[count] = fields.id("second template id");
    const label = fields.id("label");
    if (label > 1)
      throw fields.error(`label ${label}; expected 1 (one person) or 0 (two), as the third column`);
    same[count] = label;
    count += 1;
  });
  if (count === 0) throw new TopofrError("E_FORMAT", `${path}: the file lists no pair`);
  return {
    first: first.subarray(0, count),
    second: second.subarray(0, count),
    same: same.subarray(0, count),
  };
}

/** Null when none of the lists is there; some of them is an error. */
async function readIdentification(
  file: (rest: string) => string,
  names: readonly string[],
): Promise<IjbIdentification | null> {
  const probePath = file("1N_probe_mixed.csv");
  const galleryPaths = names.map((name) => file(`1N_gallery_${name}.csv`));
  const paths = [...galleryPaths, probePath];
  const there = await Promise.all(paths.map(exists));
  if (!there.includes(true)) return null;
  const missing = paths.filter((_, k) => !there[k]);
  if (missing.length > 0) {
    throw new TopofrError(
      "E_FILE",
      `1:N identification needs ${paths.length} lists and ${missing.join(", ")} is missing; add it, or remove the others`,
    );
  }
  const galleries: IjbIdentification["galleries"] = [];
  for (const [k, name] of names.entries()) {
    galleries.push({ name, ...(await readSubjectFile(galleryPaths[k]!)) });
  }
  return { galleries, probes: await readSubjectFile(probePath) };
}

/** `template,subject[,…]` after a header line. A template may have a line per image; all must name one subject. */
async function readSubjectFile(path: string): Promise<SubjectList> {
  const subjects = new Map<number, number>();
  await forEachLine(path, (fields) => {
    const text = fields.rest();
    if (fields.line === 1) {
      if (/^[\s\d",]+$/.test(text)) throw fields.error("the header line is missing; expected column names");
      return;
    }
    const match = /^\s*"?(\d{1,10})"?\s*,\s*"?(\d{1,10})"?\s*(,|$)/.exec(text);
    const template = Number(match?.[1] ?? Number.NaN);
    const subject = Number(match?.[2] ?? Number.NaN);
    if (!(template < 2 ** 31 && subject < 2 ** 31)) {
      throw fields.error(`"${printable(text)}"; expected a template id and a subject id, like 17,4`);
    }
    const other = subjects.get(template);
    if (other !== undefined && other !== subject) {
      throw fields.error(`template ${template} is subject ${subject} here and subject ${other} before`);
    }
    subjects.set(template, subject);
  });
  if (subjects.size === 0) throw new TopofrError("E_FORMAT", `${path}: no template after the header line`);
  return { templateIds: Int32Array.from(subjects.keys()), subjectIds: Int32Array.from(subjects.values()) };
}
