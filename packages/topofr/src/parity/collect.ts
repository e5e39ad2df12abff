// Finds recorded parity cases in folders and the check that understands each, by file-name prefix.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { check as backbone } from "./cases/backbone.js";
import { check as gum } from "./cases/gum.js";
import { check as ijb } from "./cases/ijb.js";
import { check as isa } from "./cases/isa.js";
import { check as margins } from "./cases/margins.js";
import { check as polyLr } from "./cases/polyLr.js";
import { check as rspOps } from "./cases/rspOps.js";
import { check as step } from "./cases/step.js";
import { check as verification } from "./cases/verification.js";

/** Throws when what we compute differs from `value`, the parsed content of the case file `name`. */
export type CaseCheck = (value: unknown, name: string) => void | Promise<void>;

/** By prefix of the file name. */
const CHECKS: Record<string, CaseCheck> = {
  backbone_: backbone,
  gum_: gum,
  ijb_: ijb,
  isa_: isa,
  margins: margins,
  poly_lr: polyLr,
  rsp_ops: rspOps,
  step_: step,
  verification_: verification,
};

export const CASE_PREFIXES = Object.keys(CHECKS);

export interface CaseFile {
  /** File name, `gum_64.json`. */
  name: string;
  folder: string;
  text: string;
}

/**
 * The `*.json` files of `folders`, in order of name within each. A file that an earlier folder has with the
 * same name and content is left out. Null for a folder that does not exist.
 */
export function collectCases(folders: string[]): { folder: string; cases: CaseFile[] | null }[] {
  const seen = new Map<string, string>();
  return folders.map((folder) => {
    if (!existsSync(folder)) return { folder, cases: null };
    const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
    const cases = names
      .sort()
      .map((name) => ({ name, folder, text: readFileSync(join(folder, name), "utf8") }));
    const fresh = cases.filter(({ name, text }) => seen.get(name) !== text);
    for (const { name, text } of fresh) seen.set(name, text);
    return { folder, cases: fresh };
  });
}

/** Runs the check of a case file. A file that no check understands is an error. */
export async function checkCase({ name, folder, text }: CaseFile): Promise<void> {
  const prefix = CASE_PREFIXES.find((candidate) => name.startsWith(candidate));
  if (prefix === undefined) {
    throw new Error(
      `${join(folder, name)}: no check understands this file; known prefixes: ${CASE_PREFIXES.join(", ")}`,
    );
  }
  await CHECKS[prefix]!(JSON.parse(text), name);
}
