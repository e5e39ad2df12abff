// Every recorded case is a test: those copied into fixtures/parity, and those in PARITY_DIR or else in
// ../shared/parity beside the repository. `PARITY_DIR=folder npm run test:parity` runs any folder of this form.

import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { CASE_PREFIXES, checkCase, collectCases } from "./collect.js";

const fromHere = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const repository = fromHere("../../../..");
const copied = fromHere("../../fixtures/parity");
const given = process.env.PARITY_DIR;
const recorded = given ? resolve(given) : resolve(repository, "../shared/parity");
const title = (folder: string) => relative(repository, folder) || folder;

for (const { folder, cases } of collectCases([...new Set([recorded, copied])])) {
  if (cases === null && folder === recorded && !given) {
    test.skip(`${title(folder)} is not here: only the cases in ${title(copied)} run`, () => {});
    continue;
  }
  if (folder === recorded) {
    test(`${title(folder)} holds recorded cases`, () => {
      expect(cases ?? [], `no *.json files in ${folder}`).not.toEqual([]);
    });
  }
  for (const recordedCase of cases ?? []) {
    test(`${title(folder)}/${recordedCase.name}`, () => checkCase(recordedCase), 300_000);
  }
}

test("a file that no check understands is refused by its name", async () => {
  const unknown = { name: "mystery_3.json", folder: "somewhere", text: "{}" };
  await expect(checkCase(unknown)).rejects.toThrow(
    "somewhere/mystery_3.json: no check understands this file",
  );
});

test("a case with a missing or an unknown key is refused, whatever its kind", async () => {
  for (const prefix of CASE_PREFIXES) {
    const name = `${prefix}x.json`;
    await expect(checkCase({ name, folder: ".", text: '{"surprise": 1}' })).rejects.toThrow(
      `${name} does not have`,
    );
  }
});
