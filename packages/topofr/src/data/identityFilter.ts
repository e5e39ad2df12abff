// Which people of a data set are used, by lists of names: those to use and those to leave out. Reading images' places: imageFolder.ts,
// recordDataset.ts, tarDataset.ts ask `isWanted`.
import { readFile } from "node:fs/promises";
import { fileError, TopofrError } from "@topofr/formats";

const NAMES_SHOWN = 5;

export interface IdentityLists {
  /** File with the people to use, a name a line. Null: all. */
  only?: string | null;
  /** File with the people to leave out. Null: none. */
  without?: string | null;
}

export interface IdentityFilter {
  isWanted(identity: string): boolean;
  /**
   * To be asked when everyone has been met.
   *
   * @returns warnings: names to leave out that nobody has
   * @throws E_DATA when somebody to use was not there
   */
  check(dataset: string): string[];
}

/** Null when neither list is given. @throws as `readIdentityList` */
export async function identityFilter({
  only = null,
  without = null,
}: IdentityLists): Promise<IdentityFilter | null> {
  if (only === null && without === null) return null;
  const used = only === null ? null : await readIdentityList(only);
  const left = without === null ? null : await readIdentityList(without);
  const met = new Set<string>();
  const unmet = (names: ReadonlySet<string> | null) => [...(names ?? [])].filter((name) => !met.has(name));
  return {
    isWanted(identity) {
      met.add(identity);
      return (used?.has(identity) ?? true) && !(left?.has(identity) ?? false);
    },
    check(dataset) {
      const missing = unmet(used);
      if (missing.length > 0)
        throw new TopofrError(
          "E_DATA",
          `${dataset}: ${missing.length} of the ${used!.size} people of ${only} are not in it (${shown(missing)}); names are those of ` +
            "the folders, or the label numbers of a RecordIO file",
        );
      const strangers = unmet(left);
      if (strangers.length === 0) return [];
      return [
        `${dataset}: ${strangers.length} of the ${left!.size} people to leave out (${without}) are not in it: ${shown(strangers)}`,
      ];
    },
  };
}

/**
 * A list of people: a name a line; blank lines and lines that start with # are skipped.
 *
 * @throws E_FILE; E_DATA when there are no names in it
 */
export async function readIdentityList(path: string): Promise<ReadonlySet<string>> {
  const text = await readFile(path, "utf8").catch((error) => {
    throw fileError(path, "read the list of people", error);
  });
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const names = new Set(lines.filter((line) => line !== "" && !line.startsWith("#")));
  if (names.size === 0) throw new TopofrError("E_DATA", `${path}: no names in it; expected one a line`);
  return names;
}

function shown(names: readonly string[]): string {
  return names.slice(0, NAMES_SHOWN).join(", ") + (names.length > NAMES_SHOWN ? ", …" : "");
}
