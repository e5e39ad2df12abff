// Licences of the run-time dependencies: scripts/licences.mjs.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { licenceProblems, productionDependencies, thirdPartyDocument } from "../scripts/licences.mjs";

const read = (name) => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
const dependencies = productionDependencies(read("package-lock.json"));

test("every run-time dependency has a permissive licence or a stated exception", () => {
  expect(dependencies.length).toBeGreaterThan(20);
  expect(licenceProblems(dependencies)).toEqual([]);
});

test("docs/THIRD_PARTY.md lists what package-lock.json holds", () => {
  const hint = "run: node scripts/licences.mjs --write";
  expect(read("docs/THIRD_PARTY.md"), hint).toBe(thirdPartyDocument(dependencies));
});

test("a copyleft licence is refused, an alternative beside it is enough", () => {
  const problems = (licence) => licenceProblems([{ name: "thing", version: "1.0.0", licence }]);
  expect(problems("GPL-3.0-only")).toHaveLength(1);
  expect(problems("(MIT OR GPL-3.0-only)")).toEqual([]);
  expect(problems("MIT AND GPL-3.0-only")).toHaveLength(1);
  expect(problems("not stated")).toHaveLength(1);
});

test("an exception holds for the package it names only", () => {
  const problems = (name) => licenceProblems([{ name, version: "1.0.0", licence: "MPL-2.0" }]);
  expect(problems("@resvg/resvg-js")).toEqual([]);
  expect(problems("other")).toHaveLength(1);
});

test("development packages are left out, except those compiled into the addon", () => {
  const lock = {
    packages: {
      "": {},
      "node_modules/vitest": { version: "4.1.0", license: "MIT", dev: true },
      "node_modules/node-addon-api": { version: "8.0.0", license: "MIT", dev: true },
      "node_modules/a/node_modules/zod": { version: "4.0.0", license: "MIT" },
      "packages/formats": { version: "0.1.0" },
    },
  };
  const names = productionDependencies(JSON.stringify(lock)).map(({ name }) => name);
  expect(names).toEqual(["node-addon-api", "zod"]);
});
