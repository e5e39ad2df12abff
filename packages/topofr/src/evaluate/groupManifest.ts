// The list of a grouped benchmark: a CSV or TSV file with a header and the columns image, identity, group and, if pairs of probe and
// gallery images alone count, role. Fields may be quoted as in RFC 4180, without line breaks in them. Images are named, not opened.

import { dirname, resolve } from "node:path";
import { printable, TopofrError } from "@topofr/formats";
import { ROLES } from "./groups.js";
import { forEachLine } from "./textLines.js";

export interface GroupManifest {
  /** Absolute paths, one per line; relative ones are under the manifest's folder. */
  images: string[];
  /** Per image a place in `identityNames`, and in `groupNames`; both in the order of their first line. */
  identityIds: Int32Array;
  identityNames: string[];
  groupIds: Int32Array;
  groupNames: string[];
  /** `ROLES` per image; absent without a role column. */
  roles?: Uint8Array;
  /** Columns that were not used. */
  ignoredColumns: string[];
}

const COLUMNS = ["image", "identity", "group", "role"] as const;
type Column = (typeof COLUMNS)[number];
const REQUIRED: readonly Column[] = ["image", "identity", "group"];
const ROLE_OF_TEXT: ReadonlyMap<string, number> = new Map([
  ["", ROLES.all],
  ["gallery", ROLES.gallery],
  ["probe", ROLES.probe],
]);

/**
 * Reads a manifest. The separator is a tab if the header has one, else a comma; names of columns may be in any order and case.
 *
 * @throws E_FILE for the file; E_FORMAT with file and line for a wrong header, line or role; E_DATA for an image on two lines
 */
export async function readGroupManifest(path: string): Promise<GroupManifest> {
  const folder = dirname(resolve(path));
  let header: Header | null = null;
  const images: string[] = [];
  const lines = new Map<string, number>();
  const identities = new Names();
  const groups = new Names();
  const roles: number[] = [];
  await forEachLine(path, (fields) => {
    const text = fields.rest();
    if (header === null) {
      header = parseHeader(text, fields.error.bind(fields));
      return;
    }
    const cells = splitCells(text, header.separator);
    if (typeof cells === "string") throw fields.error(cells);
    if (cells.length !== header.width) {
      throw fields.error(`${cells.length} columns; the header has ${header.width}`);
    }
    const cell = (column: Column) => cells[header!.places.get(column) ?? -1] ?? "";
    const empty = REQUIRED.find((column) => cell(column) === "");
    if (empty !== undefined) throw fields.error(`the ${empty} is empty`);
    const image = resolve(folder, cell("image"));
    const before = lines.get(image);
    if (before !== undefined) {
      throw new TopofrError(
        "E_DATA",
        `${path}:${fields.line}: image "${printable(cell("image"))}" is on line ${before} already; an image belongs to one group once`,
      );
    }
    const role = ROLE_OF_TEXT.get(cell("role").toLowerCase());
    if (role === undefined) {
      throw fields.error(`role "${printable(cell("role"))}"; expected gallery, probe, or nothing`);
    }
    lines.set(image, fields.line);
    images.push(image);
    identities.add(cell("identity"));
    groups.add(cell("group"));
    roles.push(role);
  });
  const { places, ignored } = (header as Header | null) ?? emptyFile(path);
  if (images.length === 0) throw new TopofrError("E_FORMAT", `${path}: no image after the header line`);
  return {
    images,
    identityIds: Int32Array.from(identities.ids),
    identityNames: identities.names,
    groupIds: Int32Array.from(groups.ids),
    groupNames: groups.names,
    ...(places.has("role") ? { roles: Uint8Array.from(roles) } : {}),
    ignoredColumns: ignored,
  };
}

interface Header {
  separator: string;
  width: number;
  places: Map<Column, number>;
  ignored: string[];
}

function emptyFile(path: string): never {
  throw new TopofrError("E_FORMAT", `${path}: empty; expected a header line "image,identity,group"`);
}

function parseHeader(text: string, error: (message: string) => TopofrError): Header {
  const line = text.replace(/^\uFEFF/, "");
  const separator = line.includes("\t") ? "\t" : ",";
  const cells = splitCells(line, separator);
  if (typeof cells === "string") throw error(cells);
  const places = new Map<Column, number>();
  const ignored: string[] = [];
  cells.forEach((cell, place) => {
    const column = COLUMNS.find((name) => name === cell.toLowerCase());
    if (column === undefined) ignored.push(cell);
    else if (places.has(column)) throw error(`the column ${column} is there twice`);
    else places.set(column, place);
  });
  const missing = REQUIRED.filter((column) => !places.has(column));
  if (missing.length > 0) {
    throw error(
      `the header "${printable(line)}" has no column ${missing.join(", ")}; ` +
        "expected image, identity, group and, if needed, role, separated by commas or tabs",
    );
  }
  return { separator, width: cells.length, places, ignored };
}

/** The cells of a line, or what is wrong with it. Blanks around a cell do not count unless quoted. */
function splitCells(line: string, separator: string): string[] | string {
  const cells: string[] = [];
  for (let at = 0; ; at++) {
    const end = line.indexOf(separator, at);
    const plain = (end < 0 ? line.slice(at) : line.slice(at, end)).trim();
    if (!plain.startsWith('"')) {
      cells.push(plain);
      at = end < 0 ? line.length : end;
    } else {
      let text = "";
      let from = line.indexOf('"', at) + 1;
      for (;;) {
        const quote = line.indexOf('"', from);
        if (quote < 0) return "a quote is not closed on this line";
        text += line.slice(from, quote);
        from = quote + 1;
        if (line[from] !== '"') break;
        text += '"';
        from += 1;
      }
      cells.push(text);
      at = line.indexOf(separator, from);
      if (at < 0) at = line.length;
      if (line.slice(from, at).trim() !== "")
        return `unexpected text after a closing quote: "${printable(line.slice(from, at))}"`;
    }
    if (at >= line.length) return cells;
  }
}

/** Numbers texts in the order of their first appearance. */
class Names {
  readonly names: string[] = [];
  readonly ids: number[] = [];
  private readonly known = new Map<string, number>();

  add(name: string): void {
    if (!this.known.has(name)) this.known.set(name, this.names.push(name) - 1);
    this.ids.push(this.known.get(name)!);
  }
}
