// The benchmarks are there to be run: each explains itself, takes from the packages what they have, and one really measures.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";

const bench = fileURLToPath(new URL("../bench", import.meta.url));
const scripts = readdirSync(bench).filter((name) => name.endsWith(".mjs"));
const textOf = (script) => readFileSync(join(bench, script), "utf8");
/** Those that a user starts; the others are their parts. */
const commands = scripts.filter((name) => /= parseOptions\(/.test(textOf(name)));

function run(script, ...args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(bench, script), ...args]);
    const text = { out: "", err: "" };
    child.stdout.on("data", (chunk) => {
      text.out += chunk;
    });
    child.stderr.on("data", (chunk) => {
      text.err += chunk;
    });
    child.on("close", (status) => resolve({ status, ...text }));
  });
}

describe.concurrent("every benchmark explains itself", () => {
  test.each(commands)("bench/%s --help", async (script) => {
    const { status, out, err } = await run(script, "--help");
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(out).toContain(`bench/${script}`.replace("bench/suite.mjs", "npm run bench"));
  });
});

/** What the scripts import by name, from where. */
const imported = scripts.flatMap((script) =>
  [...textOf(script).matchAll(/(?:import|const) \{([^}]+)\} (?:from|= await import\() ?"([^"]+)"/g)]
    .filter(([, , source]) => source.startsWith("../packages/") || source.startsWith("@topofr/"))
    .map(([, names, source]) => ({ script, source, names: names.split(",").map((name) => name.trim()) })),
);

test("the benchmarks' imports from the packages exist", async () => {
  expect(imported.length).toBeGreaterThan(20);
  const missing = [];
  for (const { script, source, names } of imported) {
    const place = source.startsWith(".") ? pathToFileURL(join(bench, source)).href : source;
    const module = await import(place).catch(() => ({}));
    for (const name of names.map((name) => name.replace(/ as .*/, "")).filter(Boolean))
      if (!(name in module)) missing.push(`${basename(script)}: ${name} from ${source}`);
  }
  expect(missing).toEqual([]);
});

test.each(["training", "inference"])("a turn of the suite measures %s", async (work) => {
  const small = ["--network", "mobilefacenet", "--batch", "2", "--steps", "1", "--warmup", "0"];
  const { status, out, err } = await run(
    "ours.mjs",
    ...small,
    ...(work === "inference" ? ["--inference"] : []),
  );
  expect({ status, err }).toEqual({ status: 0, err: "" });
  const result = JSON.parse(out);
  expect(result.stepSeconds).toHaveLength(1);
  expect(result.parts.forward).toBeGreaterThan(0);
  expect(result.peakResidentBytes).toBeGreaterThan(1e8);
});
