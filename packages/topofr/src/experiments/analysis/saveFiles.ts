// What the analyses leave in a folder: pictures as SVG and PNG, diagrams, summaries. All writes are atomic.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileError, writeFileAtomic, writeNpz } from "@topofr/formats";
import {
  diagramsToArrays,
  encodeDiphaDiagrams,
  formatCsvDiagrams,
  type PersistenceDiagram,
} from "@topofr/topology";
import { rasterize } from "../../plots/rasterize.js";

export const PICTURE_FORMATS = ["svg", "png"] as const;
export type PictureFormat = (typeof PICTURE_FORMATS)[number];

export const DIAGRAM_FORMATS = ["npz", "csv", "dipha"] as const;
export type DiagramFormat = (typeof DIAGRAM_FORMATS)[number];

/** @throws E_FILE when the folder cannot be made */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw fileError(folder, "make the folder of --out", error);
  });
}

/** The file's path; characters that a file name should not have become "_". */
export const fileIn = (folder: string, name: string, extension: string): string =>
  join(folder, `${name.replace(/[^\w.-]+/g, "_")}.${extension}`);

/** @returns the files' paths */
export async function savePicture(
  folder: string,
  { name, svg }: { name: string; svg: string },
  formats: readonly PictureFormat[],
): Promise<string[]> {
  const files: string[] = [];
  for (const format of formats) {
    const path = fileIn(folder, name, format);
    await writeFileAtomic(path, [format === "svg" ? Buffer.from(svg) : rasterize(svg)]);
    files.push(path);
  }
  return files;
}

/** Diagrams of degrees 0, 1, … in each of the formats. @returns the files' paths */
export async function saveDiagrams(
  folder: string,
  name: string,
  diagrams: readonly PersistenceDiagram[],
  formats: readonly DiagramFormat[],
): Promise<string[]> {
  const files: string[] = [];
  for (const format of formats) {
    const path = fileIn(folder, name, format);
    if (format === "npz") await writeNpz(path, diagramsToArrays(diagrams));
    if (format === "csv") await writeFileAtomic(path, [Buffer.from(formatCsvDiagrams(diagrams))]);
    if (format === "dipha") await writeFileAtomic(path, [encodeDiphaDiagrams(diagrams)]);
    files.push(path);
  }
  return files;
}

/** @returns the file's path */
export async function saveJson(folder: string, name: string, value: unknown): Promise<string> {
  const path = fileIn(folder, name, "json");
  await writeFileAtomic(path, [Buffer.from(`${JSON.stringify(value, null, 2)}\n`)]);
  return path;
}
