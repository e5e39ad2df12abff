// The architecture's rules, checked on the sources: imports go down only, no cycles, no Math.random, console only in
// cli/, no file over 400 lines. `node scripts/checkImports.mjs` lists the problems and the longest files.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import ts from "typescript";

export const MOST_LINES = 400;

/**
 * What each part may import, besides itself. A part is a package, or in packages/topofr a folder of src; "index" is the
 * package's public file. Parts of a line stand above those they name.
 */
export const LAYERS = {
  formats: [],
  topology: ["formats"],
  torch: ["formats"],
  recognizer: ["formats"],
  serve: ["formats", "recognizer"],
  "topofr/random": ["formats"],
  "topofr/runs": ["formats", "topology"],
  "topofr/plots": ["formats", "topology"],
  "topofr/data": ["formats", "topology", "torch", "recognizer", "topofr/random"],
  "topofr/models": ["formats", "topology", "torch", "recognizer", "topofr/random"],
  "topofr/method": ["formats", "topology", "torch", "topofr/random"],
  "topofr/evaluate": [
    "topofr/models",
    "topofr/method",
    "topofr/data",
    "formats",
    "topology",
    "torch",
    "recognizer",
    "topofr/random",
  ],
  "topofr/export": [
    "topofr/models",
    "topofr/data",
    "recognizer",
    "formats",
    "topology",
    "torch",
    "topofr/random",
  ],
  "topofr/train": [
    ...["topofr/evaluate", "topofr/models", "topofr/method", "topofr/data", "topofr/runs", "topofr/random"],
    ...["formats", "topology", "torch"],
  ],
  "topofr/experiments": "everything below cli",
  "topofr/parity": "everything below cli", // tests of recorded numbers, not part of the product
  "topofr/cli": "everything",
  "topofr/index": "everything below cli",
};

/**
 * @typedef {object} Module
 * @property {string} path relative to the repository
 * @property {string} part a key of LAYERS
 * @property {string[]} uses forbidden names that it uses, such as "Math.random"
 * @property {{ target: string, part: string | null, typeOnly: boolean }[]} imports `part` is null for packages from npm
 */

/** Every TypeScript source of the packages. @returns {Module[]} */
export function readModules(root) {
  const packages = readdirSync(join(root, "packages"));
  return packages.flatMap((name) =>
    listFiles(join(root, "packages", name, "src"))
      .filter((path) => path.endsWith(".ts"))
      .map((path) => readModule(root, path)),
  );
}

function readModule(root, path) {
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest);
  const imports = [];
  const uses = [];
  const addImport = (specifier, typeOnly) => {
    const local = specifier.startsWith(".");
    const target = local
      ? relative(root, resolve(dirname(path), specifier)).replace(/\.js$/, ".ts")
      : specifier;
    imports.push({ target, part: local ? partOf(target) : partOfPackage(specifier), typeOnly });
  };
  const visit = (node) => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined)
      addImport(node.moduleSpecifier.text, isTypeOnly(node));
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments;
      if (specifier !== undefined && ts.isStringLiteral(specifier)) addImport(specifier.text, false);
    }
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      const object = node.expression.text;
      if (object === "console" || (object === "Math" && node.name.text === "random"))
        uses.push(`${object}.${node.name.text}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  const name = relative(root, path);
  return { path: name, part: partOf(name), uses, imports };
}

/** Nothing of the imported file is there at run time. */
function isTypeOnly(node) {
  const clause = ts.isImportDeclaration(node) ? node.importClause : node;
  if (clause === undefined) return false; // import "x.js"
  if (clause.isTypeOnly) return true;
  const names = ts.isImportDeclaration(node) ? clause.namedBindings : clause.exportClause;
  if (names === undefined || !("elements" in names) || clause.name !== undefined) return false;
  return names.elements.length > 0 && names.elements.every((element) => element.isTypeOnly);
}

/** "packages/topofr/src/data/align.ts" is of "topofr/data", "packages/torch/src/nn/layers.ts" of "torch". */
function partOf(path) {
  const [, name, , folder, rest] = path.split("/");
  if (name !== "topofr") return name;
  return rest === undefined ? "topofr/index" : `topofr/${folder}`;
}

function partOfPackage(specifier) {
  const name = /^@topofr\/([^/]+)/.exec(specifier)?.[1] ?? (specifier === "topofr" ? "topofr/index" : null);
  return name;
}

/** Sentences, one a problem; empty when the sources keep the rules. @param {Module[]} modules */
export function findProblems(modules, layers = LAYERS) {
  return [...upwardImports(modules, layers), ...importCycles(modules), ...forbiddenUses(modules)];
}

function upwardImports(modules, layers) {
  return modules.flatMap(({ path, part, imports }) => {
    if (layers[part] === undefined)
      return [`${path}: "${part}" has no place in LAYERS of scripts/checkImports.mjs`];
    return imports
      .filter(
        (imported) =>
          imported.part !== null && imported.part !== part && !mayImport(layers, part, imported.part),
      )
      .map(({ target, part: other }) => `${path}: ${part} must not import ${other} (${target})`);
  });
}

function mayImport(layers, part, other) {
  const allowed = layers[part];
  if (allowed === "everything") return true;
  if (allowed === "everything below cli") return other !== "topofr/cli";
  return allowed.includes(other);
}

/** Cycles of files through imports that exist at run time; each is named once. */
function importCycles(modules) {
  const edges = new Map(
    modules.map(({ path, imports }) => [
      path,
      imports.filter(({ typeOnly }) => !typeOnly).map(({ target }) => target),
    ]),
  );
  const state = new Map();
  const trail = [];
  const problems = [];
  const visit = (path) => {
    state.set(path, "open");
    trail.push(path);
    for (const target of edges.get(path)) {
      if (!edges.has(target)) continue;
      if (state.get(target) === "open")
        problems.push(`import cycle: ${[...trail.slice(trail.indexOf(target)), target].join(" -> ")}`);
      else if (!state.has(target)) visit(target);
    }
    trail.pop();
    state.set(path, "done");
  };
  for (const path of edges.keys()) if (!state.has(path)) visit(path);
  return problems;
}

function forbiddenUses(modules) {
  return modules.flatMap(({ path, part, uses }) =>
    uses
      .filter((name) => name === "Math.random" || part !== "topofr/cli")
      .map((name) =>
        name === "Math.random"
          ? `${path}: Math.random; take a RandomStream of the seed`
          : `${path}: ${name}; only cli/ prints, return values or emit events`,
      ),
  );
}

/** Lines of every file that people write, longest first. */
export function fileLengths(root) {
  const folders = ["packages", "native/src", "scripts", "bench", "test"];
  return folders
    .flatMap((folder) => listFiles(join(root, folder)))
    .filter(
      (path) =>
        /\.(ts|mjs|cpp|h|py|svelte)$/.test(path) && !/\.generated\.|\/(dist|build|node_modules)\//.test(path),
    )
    .map((path) => ({ path: relative(root, path), lines: readFileSync(path, "utf8").split("\n").length - 1 }))
    .sort((a, b) => b.lines - a.lines);
}

function listFiles(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory())
        return ["dist", "node_modules", "build"].includes(entry.name) ? [] : listFiles(path);
      return [path];
    });
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
  const modules = readModules(root);
  const lengths = fileLengths(root);
  const tooLong = lengths.filter(({ lines }) => lines > MOST_LINES);
  const problems = [
    ...findProblems(modules),
    ...tooLong.map(({ path, lines }) => `${path}: ${lines} lines; ${MOST_LINES} is the most`),
  ];
  for (const problem of problems) console.error(problem);
  console.log(`${modules.length} modules, ${problems.length} problems; longest files:`);
  for (const { path, lines } of lengths.slice(0, 10)) console.log(`  ${String(lines).padStart(4)}  ${path}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
