// The architecture's rules on the real sources, and the checker itself on small made-up ones.
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { fileLengths, findProblems, LAYERS, MOST_LINES, readModules } from "../scripts/checkImports.mjs";

const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

test("imports go down only, without cycles; no Math.random, no console outside cli", () => {
  const modules = readModules(root);
  expect(modules.length).toBeGreaterThan(20);
  expect(findProblems(modules)).toEqual([]);
});

test(`no file has more than ${MOST_LINES} lines`, () => {
  const lengths = fileLengths(root);
  expect(lengths.length).toBeGreaterThan(20);
  expect(lengths.filter(({ lines }) => lines > MOST_LINES)).toEqual([]);
});

const module = (path, part, imports = [], uses = []) => ({ path, part, imports, uses });
const imported = (target, part, typeOnly = false) => ({ target, part, typeOnly });

test("an upward import is named", () => {
  const modules = [module("a.ts", "formats", [imported("@topofr/torch", "torch")])];
  expect(findProblems(modules)).toEqual(["a.ts: formats must not import torch (@topofr/torch)"]);
});

test("an import of types must go down too, and packages from npm are free", () => {
  const up = [module("a.ts", "topofr/method", [imported("b.ts", "topofr/train", true)])];
  expect(findProblems(up)).toHaveLength(1);
  expect(findProblems([module("a.ts", "topofr/method", [imported("zod", null)])])).toEqual([]);
});

test("a cycle is named once with its path; types alone make none", () => {
  const cycle = (typeOnly) => [
    module("a.ts", "torch", [imported("b.ts", "torch")]),
    module("b.ts", "torch", [imported("c.ts", "torch")]),
    module("c.ts", "torch", [imported("a.ts", "torch", typeOnly)]),
  ];
  expect(findProblems(cycle(false))).toEqual(["import cycle: a.ts -> b.ts -> c.ts -> a.ts"]);
  expect(findProblems(cycle(true))).toEqual([]);
});

test("console is for cli, Math.random for nobody", () => {
  const uses = ["console.log", "Math.random"];
  expect(findProblems([module("a.ts", "topofr/cli", [], uses)])).toHaveLength(1);
  expect(findProblems([module("a.ts", "topofr/data", [], uses)])).toHaveLength(2);
});

test("a part without a place in the layers is a problem", () => {
  expect(findProblems([module("a.ts", "topofr/new")])[0]).toContain("LAYERS");
});

test("the layers themselves have no cycle", () => {
  const below = (part) => (Array.isArray(LAYERS[part]) ? LAYERS[part] : []);
  const reaches = (from, to, seen = new Set()) =>
    below(from).some((part) => part === to || (!seen.has(part) && seen.add(part) && reaches(part, to, seen)));
  expect(Object.keys(LAYERS).filter((part) => reaches(part, part))).toEqual([]);
});
