import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { describeEnvironment } from "./environment.js";
import {
  checkpointPaths,
  createRunFolder,
  isRunFolder,
  listRuns,
  openRunFolder,
  readConfig,
  recordResume,
} from "./runFolder.js";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "runs-"));
});
afterEach(() => rm(root, { recursive: true }));

const environment = await describeEnvironment({
  seed: 7,
  commandLine: ["topofr", "train", "r.yaml"],
  torch: { version: "1.13.0" },
  now: new Date("2026-11-24T08:15:30Z"),
});
const create = (name: string | null, more: { overwrite?: boolean; now?: Date } = {}) =>
  createRunFolder({
    root,
    name,
    recipeText: "epochs: 3 # mine\n",
    config: { epochs: 3 },
    environment,
    ...more,
  });

test("a new run has the contract's files and folders", async () => {
  const run = await create("first");
  expect((await readdir(run.path)).sort()).toEqual(
    ["checkpoints", "config.json", "diagrams", "env.json", "evaluation", "recipe.yaml", "tensorboard"].sort(),
  );
  expect(await readFile(run.recipe, "utf8")).toBe("epochs: 3 # mine\n");
  expect(await readConfig(run)).toEqual({ epochs: 3 });
  const env = JSON.parse(await readFile(run.environment, "utf8")) as Record<string, unknown>;
  expect(env).toMatchObject({
    startedAt: "2026-11-24T08:15:30.000Z",
    commandLine: ["topofr", "train", "r.yaml"],
    seed: 7,
    node: process.version,
    torch: { version: "1.13.0" },
  });
  expect(await openRunFolder(run.path)).toEqual(run);
  expect(checkpointPaths(run, 1200).weights).toBe(join(run.path, "checkpoints", "step_1200.safetensors"));
  expect(checkpointPaths(run, "best").state).toBe(join(run.path, "checkpoints", "best.json"));
});

test("a run without a name is called by its time", async () => {
  const run = await create(null, { now: new Date(2026, 10, 4, 8, 5, 9) });
  expect(run.name).toBe("2026-11-04_08-05-09");
});

test("a run that has logged anything is never replaced unasked", async () => {
  const run = await create("first");
  await create("first"); // never started: nothing to lose
  await writeFile(run.events, '{"type":"start"}\n');
  await writeFile(join(run.path, "notes.txt"), "mine");
  await expect(create("first")).rejects.toMatchObject({
    code: "E_USAGE",
    message: `${run.path} holds a run already; continue it with --resume ${run.path}, start it again with --overwrite, or choose another --name`,
  });
  await create("first", { overwrite: true });
  expect(await readdir(run.path)).not.toContain("events.jsonl");
  expect(await readFile(join(run.path, "notes.txt"), "utf8")).toBe("mine"); // not the run's to delete
});

test("a folder of other things is not taken over, even with --overwrite", async () => {
  const photos = await mkdtemp(join(root, "photos"));
  await writeFile(join(photos, "a.jpg"), "");
  const name = photos.slice(root.length + 1);
  await expect(create(name, { overwrite: true })).rejects.toThrow(/not empty and is not a run/);
});

test("names that would leave the folder are refused", async () => {
  for (const name of ["../x", "a/b", ".hidden", "-x", ""])
    await expect(create(name), name).rejects.toMatchObject({ code: "E_USAGE" });
});

test("opening what is no run says so", async () => {
  await expect(openRunFolder(join(root, "none"))).rejects.toThrow(/no such run folder/);
  await expect(openRunFolder(root)).rejects.toThrow(/has no config\.json/);
  expect(await isRunFolder(root)).toBe(false);
  const run = await create("broken");
  await writeFile(run.config, "{");
  await expect(readConfig(run)).rejects.toMatchObject({ code: "E_FORMAT" });
});

test("a root that is a file is a clear error", async () => {
  await writeFile(join(root, "file"), "");
  const options = { root: join(root, "file"), name: "x", recipeText: "", config: {}, environment };
  await expect(createRunFolder(options)).rejects.toMatchObject({ code: "E_FILE" });
});

test("runs are listed newest first, and a resume is noted", async () => {
  await create("a");
  await new Promise((resolve) => setTimeout(resolve, 20));
  const b = await create("b");
  expect((await listRuns(root)).map(({ name }) => name)).toEqual(["b", "a"]);
  expect(await listRuns(join(root, "none"))).toEqual([]);
  await recordResume(b, environment);
  await recordResume(b, environment);
  const env = JSON.parse(await readFile(b.environment, "utf8")) as { resumes: unknown[] };
  expect(env.resumes).toHaveLength(2);
});
