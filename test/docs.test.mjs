// What the documents show exists: commands and their flags, recipe keys and presets, npm scripts, links and pictures.
// Nothing is trained: commands are only asked for their help, and recipes for what they come to.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path) => readFileSync(join(root, path), "utf8");
const docs = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
const documents = ["README.md", "CONTRIBUTING.md", ...docs.map((name) => `docs/${name}`)];

const npmScripts = Object.keys(JSON.parse(read("package.json")).scripts);
const shown = documents.flatMap((document) =>
  shellCommands(read(document)).map((words) => ({ document, words, line: words.join(" ") })),
);
const ofTopofr = shown
  .filter(({ words }) => words[0] === "topofr" || (words[0] === "npx" && words[1] === "topofr"))
  .map((command) => ({ ...command, args: command.words.slice(command.words.indexOf("topofr") + 1) }));

/** Words of each command in the ```sh blocks: comments, continued lines, `&&` and `NAME=value` before it resolved. */
function shellCommands(markdown) {
  const blocks = [...markdown.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text]) => text);
  return blocks
    .flatMap((text) => text.replace(/\\\n/g, " ").split(/\n|&&/))
    .map((line) =>
      line
        .replace(/(^|\s)#.*/, "")
        .split(/\s+/)
        .filter(Boolean),
    )
    .map((words) => words.slice(words.findIndex((word) => !/^[A-Z_]+=/.test(word))))
    .filter((words) => words.length > 0);
}

const answers = new Map(); // by arguments: many examples share a command

function topofr(...args) {
  const key = args.join(" ");
  if (!answers.has(key)) {
    const command = [join(root, "packages/topofr/dist/cli/main.js"), ...args];
    answers.set(key, spawnSync(process.execPath, command, { cwd: root, encoding: "utf8" }));
  }
  return answers.get(key);
}

/** Follows the leading words that are commands; `flags` are those of the last one. */
function findCommand(args) {
  const words = [];
  for (;;) {
    const { status, stdout: help } = topofr(...words, "--help");
    expect({ command: words.join(" "), status }).toEqual({ command: words.join(" "), status: 0 });
    const [options, commands = ""] = help.split(/^Commands:$/m);
    const names = [...commands.matchAll(/^ {2}([a-z]\S*)/gm)].map(([, name]) => name);
    if (names.length === 0) {
      const flags = [...options.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, flag]) => flag);
      return { words, flags };
    }
    const next = args[words.length];
    expect(names, `commands of "topofr ${words.join(" ")}"`).toContain(next);
    words.push(next);
  }
}

test("the documents show commands, and the README the two that matter", () => {
  expect(ofTopofr.length).toBeGreaterThan(15);
  const readme = shown.filter(({ document }) => document === "README.md").map(({ line }) => line);
  expect(readme).toContain("npm run demo");
  expect(readme.some((line) => line.startsWith("npx topofr train"))).toBe(true);
});

describe("topofr commands", () => {
  test.each(ofTopofr)("$document: $line", ({ args }) => {
    const { words, flags } = findCommand(args);
    const given = args.filter((word) => word.startsWith("--")).map((word) => word.split("=")[0]);
    for (const flag of given) expect(flags).toContain(flag);
    if (words[0] !== "train" || given.includes("--resume") || given.includes("--list-keys")) return;
    // Resolves file, flags and --set without looking at any data.
    const { status, stderr } = topofr(...args.filter((word) => word !== "--print-config"), "--print-config");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});

test("every npm script that is shown exists", () => {
  const wanted = documents.flatMap((document) =>
    [...read(document).matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => `${document}: ${name}`),
  );
  expect(wanted.length).toBeGreaterThan(0);
  expect(wanted.filter((entry) => !npmScripts.includes(entry.split(": ")[1]))).toEqual([]);
});

test("every script that is run with node exists", () => {
  const paths = shown.filter(({ words }) => words[0] === "node").map(({ words }) => words[1]);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test.each(documents)("%s: every relative link and picture leads to a file", (document) => {
  const text = read(document).replace(/^```.*?^```$/gms, "");
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)|<img[^>]*\ssrc="([^"]+)"/g)].map(([, a, b]) => a ?? b);
  const local = targets.filter((target) => !/^(?:[a-z]+:|#)/.test(target));
  const missing = local.filter((target) => !existsSync(join(root, dirname(document), target.split("#")[0])));
  expect(missing).toEqual([]);
});

describe("recipe keys", () => {
  const keys = topofr("train", "--list-keys").stdout.match(/^[a-z]\S*/gim) ?? [];
  const objectiveKeys = keys.filter((key) => /^objective\.\w+\.\w+/.test(key));
  const objective = read("docs/objective.md");

  test("those that the documents name exist", () => {
    const section = /^(?:data|model|objective|optim|schedule|evaluate|checkpoint)\.(?!card\.yaml|share$)/;
    const part = /^(?:margin|perturbation|alignment|damage|mixture)\./;
    const others = documents.filter((document) => document !== "docs/torch.md"); // its optim.SGD is no recipe key
    const wrong = others.flatMap((document) =>
      [...read(document).matchAll(/`([a-z]+\.[\w.]+)(?:: [^`]+)?`/g)]
        .map(([, word]) => (part.test(word) ? `objective.${word}` : word))
        .filter((word) => section.test(word) && !/\.(?:json|md|ts|loss)$/.test(word))
        .filter((word) => !keys.includes(word))
        .map((word) => `${document}: ${word}`),
    );
    expect(wrong).toEqual([]);
  });

  test("docs/objective.md names every switch of the objective", () => {
    expect(objectiveKeys.length).toBeGreaterThan(20);
    // Keys that only some kinds of margin or mining have are named without their section, in the table of the kinds.
    const tables = objective.split(/^(?=## )/m);
    const tableOf = (section) => tables.find((text) => text.includes(`| keys (\`${section}.*\`) |`)) ?? "";
    const missing = objectiveKeys.filter((path) => {
      const [, section, key] = path.split(".");
      return !objective.includes(`\`${section}.${key}\``) && !tableOf(section).includes(`\`${key}\``);
    });
    expect(missing).toEqual([]);
  });

  test.each([
    ["paper", 2],
    ["official", 3],
    ["spherical", 4],
  ])("the table of presets has the values of %s", (preset, column) => {
    const resolved = parse(
      topofr("train", "--data", "x", "--preset", preset, "--print-config").stdout,
    ).objective;
    const rows = [
      ...objective.matchAll(/^\| `(margin|perturbation|alignment|damage|mixture)\.(\w+)` \|.*$/gm),
    ].map(([line, part, key]) => ({
      name: `${part}.${key}`,
      shown: line.split("|")[column].trim(),
      actual: resolved[part][key],
    }));
    expect(rows.length).toBeGreaterThan(20);
    const text = (value) => (Array.isArray(value) ? "all four" : value === null ? "null" : value);
    const differing = rows.filter(({ shown, actual }) =>
      typeof actual === "number" ? Number(shown) !== actual : shown !== String(text(actual)),
    );
    expect(differing).toEqual([]);
  });
});

test("shell blocks are read as a shell would", () => {
  const block =
    "```sh\nA=1 npx topofr train \\\n  --data x # why\nnpm ci && npm test\n```\n```\nnot this\n```\n";
  expect(shellCommands(block)).toEqual([
    ["npx", "topofr", "train", "--data", "x"],
    ["npm", "ci"],
    ["npm", "test"],
  ]);
});
