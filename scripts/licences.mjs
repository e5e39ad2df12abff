// The licences of what the packages need at run time. `node scripts/licences.mjs --write` writes docs/THIRD_PARTY.md;
// without it the file is compared. Reads package-lock.json only, so the list is the same on every platform.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Licences that ask for no more than a notice. */
const PERMISSIVE = new Set([
  ...["MIT", "Apache-2.0", "ISC", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Unlicense", "CC0-1.0", "Zlib"],
  ...["BlueOak-1.0.0", "Python-2.0"],
]);

/** What is used under other terms, and why that is in order. Nothing here is copied into this repository. */
const EXCEPTIONS = [
  {
    name: /^@img\/sharp-/,
    licence: "LGPL-3.0-or-later",
    reason: "libvips, a shared library that npm installs as its own package and sharp loads at run time",
  },
  {
    name: /^@resvg\/resvg-js/,
    licence: "MPL-2.0",
    reason: "used unchanged as its own package; the terms cover that package's files only",
  },
  {
    name: /^dejavu-fonts-ttf$/,
    licence: "Bitstream-Vera",
    reason: "fonts, used unchanged; the terms allow use, embedding and redistribution",
  },
];

/** Where a package's metadata names no licence by its SPDX name. */
const STATED_ELSEWHERE = { "dejavu-fonts-ttf": "Bitstream-Vera" };

/** Development packages whose headers are compiled into the addon. */
const COMPILED_IN = new Set(["node-addon-api", "node-api-headers"]);

/**
 * @typedef {{ name: string, version: string, licence: string }} Dependency
 * @param {string} lockText package-lock.json
 * @returns {Dependency[]} by name, then version; each once
 */
export function productionDependencies(lockText) {
  const found = new Map();
  for (const [path, entry] of Object.entries(JSON.parse(lockText).packages)) {
    const name = path.split("node_modules/").at(-1);
    if (!path.includes("node_modules/") || entry.link === true) continue;
    if ((entry.dev === true || entry.devOptional === true) && !COMPILED_IN.has(name)) continue;
    const licence = STATED_ELSEWHERE[name] ?? entry.license ?? "not stated";
    found.set(`${name}@${entry.version}`, { name, version: entry.version, licence });
  }
  return [...found.values()].sort((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
}

const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0); // Not localeCompare: the file must not depend on a locale.

/** Sentences about dependencies whose licence is neither permissive nor an exception. @param {Dependency[]} dependencies */
export function licenceProblems(dependencies) {
  return dependencies
    .filter(({ name, licence }) => !isAllowed(name, licence))
    .map(
      ({ name, version, licence }) =>
        `${name} ${version}: licence "${licence}" is not on the list of permissive ones; choose another package, ` +
        "or add an exception with its reason to scripts/licences.mjs",
    );
}

/** SPDX: one side of OR is enough, every side of AND is needed; AND binds closer. */
function isAllowed(name, expression) {
  const allowed = (licence) =>
    PERMISSIVE.has(licence) || EXCEPTIONS.some((known) => known.licence === licence && known.name.test(name));
  const sides = expression.replace(/[()]/g, "").split(" OR ");
  return sides.some((side) => side.split(" AND ").every((licence) => allowed(licence.trim())));
}

/** docs/THIRD_PARTY.md. @param {Dependency[]} dependencies */
export function thirdPartyDocument(dependencies) {
  const rows = dependencies.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`);
  const exceptions = EXCEPTIONS.map(({ name, licence, reason }) => {
    const pattern = name.source.replaceAll("\\", "").replace(/^\^/, "").replace(/\$$/, "");
    return `- \`${pattern}${name.source.endsWith("$") ? "" : "…"}\` (${licence}): ${reason}.`;
  });
  return `# Third-party software

Written by \`node scripts/licences.mjs --write\`; a test compares it with package-lock.json.

The npm packages that TopoFR needs at run time, with those of other platforms, and the two whose headers are compiled
into the addon (node-addon-api, node-api-headers). All have permissive licences except:

${exceptions.join("\n")}

The addon is built on the user's machine against libtorch (BSD-3-Clause) and uses OpenBLAS (BSD-3-Clause) and oneDNN
(Apache-2.0) through it. They come from the system or the user and are not part of any package of this repository.

| package | version | licence |
| --- | --- | --- |
${rows.join("\n")}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
  const dependencies = productionDependencies(readFileSync(path("package-lock.json"), "utf8"));
  const document = thirdPartyDocument(dependencies);
  const problems = licenceProblems(dependencies);
  const file = path("docs/THIRD_PARTY.md");
  if (process.argv.includes("--write")) writeFileSync(file, document);
  else if (!existsSync(file) || readFileSync(file, "utf8") !== document)
    problems.push("docs/THIRD_PARTY.md is out of date; run: node scripts/licences.mjs --write");
  for (const problem of problems) console.error(problem);
  console.log(`${dependencies.length} packages, ${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
