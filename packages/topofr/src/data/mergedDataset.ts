// Several data sets as one, listed in a small YAML file that stands wherever a data set is named:
//
//   - pins                          # paths are relative to this file
//   - path: lfw
//     only: lists/train_ids.txt     # people to use; `without`: people to leave out (identityFilter.ts)
import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { fileError, TopofrError } from "@topofr/formats";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import type { FaceDataset } from "./dataset.js";
import type { DatasetOptions } from "./datasetOptions.js";
import { identityFilter } from "./identityFilter.js";

const NAMES_SHOWN = 5;

const text = z.string().min(1);
const partSchema = z.union([
  text.transform((path) => ({ path, only: null, without: null })),
  z.strictObject({
    path: text,
    only: text.nullable().default(null),
    without: text.nullable().default(null),
  }),
]);
const listSchema = z.array(partSchema).min(1);

const EXPECTED = "expected a list of data sets, each a path or { path, only, without }";

export interface MergedDataset extends FaceDataset {
  readonly kind: "merged";
  readonly parts: readonly { path: string; identities: number; images: number }[];
}

export const isSetList = (path: string): boolean => /\.ya?ml$/i.test(path);

/**
 * Opens the data sets of a list, one after the other: samples and labels are those of the first, then of the second …. People are
 * different people in different sets. Names that are only numbers (labels of RecordIO) get their set's in front, `glint/17`.
 *
 * @param open opens one of them
 * @throws E_FILE, E_FORMAT for the list; E_DATA when two sets have people of one name, and as `open`
 */
export async function openMergedDataset(
  list: string,
  options: DatasetOptions,
  open: (path: string, options: DatasetOptions) => Promise<FaceDataset>,
): Promise<MergedDataset> {
  const parts: { path: string; dataset: FaceDataset }[] = [];
  const warnings: string[] = [];
  for (const { path, ...lists } of await readSetList(list)) {
    const filter = await identityFilter(lists);
    const isWanted = (name: string) => (filter?.isWanted(name) ?? true) && (options.isWanted?.(name) ?? true);
    const dataset = await open(path, { ...options, ...((filter || options.isWanted) && { isWanted }) });
    warnings.push(...dataset.warnings, ...(filter?.check(path) ?? []));
    parts.push({ path, dataset });
  }
  const starts = startsOf(parts.map(({ dataset }) => dataset.labels.length));
  const labels = new Uint32Array(starts.at(-1)!);
  let people = 0;
  parts.forEach(({ dataset }, k) => {
    labels.set(
      dataset.labels.map((label) => label + people),
      starts[k]!,
    );
    people += dataset.identities.length;
  });
  return {
    kind: "merged",
    name: basename(list).replace(/\.ya?ml$/i, ""),
    identities: namesOf(list, parts),
    labels,
    warnings,
    parts: parts.map(({ path, dataset }) => ({
      path,
      identities: dataset.identities.length,
      images: dataset.labels.length,
    })),
    source(index) {
      const part = starts.findLastIndex((start) => start <= index);
      return parts[part]!.dataset.source(index - starts[part]!);
    },
  };
}

/** Where each of some parts begins when they stand in a row, and where they end. */
function startsOf(counts: readonly number[]): number[] {
  const starts = [0];
  for (const count of counts) starts.push(starts.at(-1)! + count);
  return starts;
}

function namesOf(list: string, parts: readonly { path: string; dataset: FaceDataset }[]): string[] {
  const owners = new Map<string, string>();
  const shared: string[] = [];
  const names = parts.flatMap(({ path, dataset }) =>
    dataset.identities.map((identity) => {
      const name = /^\d+$/.test(identity) ? `${dataset.name}/${identity}` : identity;
      const owner = owners.get(name);
      if (owner === undefined) owners.set(name, path);
      else shared.push(name);
      return name;
    }),
  );
  if (shared.length === 0) return names;
  const shown = shared.slice(0, NAMES_SHOWN).join(", ") + (shared.length > NAMES_SHOWN ? ", …" : "");
  throw new TopofrError(
    "E_DATA",
    `${list}: ${shared.length} people are in two of its sets (${shown}; the first is in ${owners.get(shared[0]!)} too); as two ` +
      "classes they would be pulled apart. Leave them out of one with `without:`, or rename the folders of different people",
  );
}

/** @throws E_FILE; E_FORMAT with the line */
async function readSetList(path: string): Promise<z.output<typeof listSchema>> {
  const yaml = await readFile(path, "utf8").catch((error) => {
    throw fileError(path, "read the list of data sets", error);
  });
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false });
  const [problem] = document.errors;
  if (problem)
    throw new TopofrError(
      "E_FORMAT",
      `${path}:${lines.linePos(problem.pos[0]).line}: not YAML: ${problem.message.split("\n")[0]}`,
    );
  const parsed = listSchema.safeParse(document.toJS());
  if (!parsed.success) {
    const [index] = parsed.error.issues[0]!.path;
    const node =
      index === undefined
        ? null
        : (document.getIn([index], true) as { range?: [number, number, number] } | null);
    const line = node?.range ? `:${lines.linePos(node.range[0]).line}` : "";
    throw new TopofrError("E_FORMAT", `${path}${line}: ${EXPECTED}`);
  }
  const near = (file: string | null) => (file === null ? null : resolve(dirname(path), file));
  return parsed.data.map((part) => ({
    path: near(part.path)!,
    only: near(part.only),
    without: near(part.without),
  }));
}
