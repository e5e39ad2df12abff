// The command line as a user meets it: child processes, their output and their exit status. Needs no engine.

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { runProgram } from "./command.js";
import { topofrProgram } from "./program.js";

const MAIN = fileURLToPath(new URL("./main.js", import.meta.url));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cli-"));
});
afterAll(() => rm(folder, { recursive: true }));

interface Outcome {
  status: number;
  out: string;
  err: string;
}
function topofr(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { cwd: folder }, (error, out, err) => {
      resolve({ status: error ? Number(error.code) : 0, out, err });
    });
  });
}

describe.concurrent("help", () => {
  test.each(["", "train", "evaluate", "compare", "data", "data synthesize", "doctor", "demo"])(
    "topofr %s --help exits 0 and shows usage",
    async (command) => {
      const words = command.split(" ").filter(Boolean);
      const { status, out, err } = await topofr(...words, "--help");
      expect({ status, err }).toEqual({ status: 0, err: "" });
      expect(out).toContain(`Usage: topofr${words.map((word) => ` ${word}`).join("")}`);
      if (words.length > 0) expect(out).toMatch(/\nExamples?:\n {2}\$ topofr /);
    },
  );

  test("the train help documents every flag by its recipe key", async () => {
    const { out } = await topofr("train", "--help");
    const text = out.replace(/\s+/g, " ");
    for (const flag of [
      "--lr <rate> optim.lr:",
      "--eval-data <folder> evaluate.data:",
      "--variant <name> objective.variant:",
    ])
      expect(text).toContain(flag);
    expect(text).toContain("topofr-g");
  });
});

describe("called wrongly: status 2 and a suggestion", () => {
  test.each([
    [["trian"], "unknown command 'trian'\n(Did you mean train?)"],
    [["train", "--epoch", "3"], "unknown option '--epoch'\n(Did you mean --epochs?)"],
    [["data", "synthesise", "x"], "unknown command 'synthesise'\n(Did you mean synthesize?)"],
    [["evaluate", "x"], "--data: on which benchmark is x to be evaluated?"],
    [["evaluate", "--data", "x"], "missing required argument 'model'"],
    [["train", "--set", "epochs"], "--set epochs: expected key=value"],
    [
      ["data", "synthesize", "x", "--identities", "1"],
      '--identities: expected a whole number of at least 2, found "1"',
    ],
    [
      ["data", "synthesize", "x", "--hard-share", "2"],
      '--hard-share: expected a number from 0 to 1, found "2"',
    ],
    [["data", "synthesize", "x", "--format", "gif"], '--format: expected jpg or png, found "gif"'],
  ])("%j", async (args, message) => {
    let err = "";
    const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      err += text;
      return true;
    });
    const status = await runProgram(topofrProgram("0.0.0"), args); // in this process: many cases, quickly
    stderr.mockRestore();
    expect(status).toBe(2);
    expect(err.startsWith("topofr: E_USAGE ")).toBe(true);
    expect(err).toContain(message);
  });

  test("no command at all shows the help; a wrong one, as a process, exits 2", async () => {
    expect((await topofr("trian")).status).toBe(2);
    const { status, err } = await topofr();
    expect(status).toBe(2);
    expect(err).toContain("Usage: topofr");
  });
});

describe.concurrent("failed: status 1, one code, a stack only when asked", () => {
  test("a recipe's errors carry the flag or the line that they come from", async () => {
    const { status, err } = await topofr("train", "--lr", "fast", "--set", "optim.learning_rate=1");
    expect(status).toBe(1);
    expect(err).toBe(
      "topofr: E_RECIPE 3 problems in recipe\n" +
        "  recipe data.path is missing: training images: folder of identity/image.jpg, RecordIO, tar shards, or a list of such sets (.yaml)\n" +
        '  --set optim.learning_rate=1: unknown key "optim.learning_rate"; did you mean "optim.lr"?\n' +
        '  --lr: optim.lr: expected a number above 0, found "fast"\n',
    );
  });

  test("--verbose adds the stack", async () => {
    const quiet = await topofr("evaluate", "nothing", "--data", "x");
    expect(quiet.err).toBe("topofr: E_FILE nothing: no such run folder, checkpoint or model file\n");
    expect((await topofr("evaluate", "nothing", "--data", "x", "--verbose")).err).toContain("\n    at ");
  });

  test("a checkpoint needs a network that is known", async () => {
    await writeFile(join(folder, "model.pt"), "");
    const { status, err } = await topofr("evaluate", "model.pt", "--data", "x");
    expect(status).toBe(2);
    expect(err).toContain("model.pt: which network is it? Say so with --network: mobilefacenet");
    expect((await topofr("evaluate", "model.pt", "--data", "x", "--network", "vgg")).err).toContain(
      'found "vgg"',
    );
  });
});

describe.concurrent("train", () => {
  test("--print-config resolves file, flags and --set, in that order of strength", async () => {
    await writeFile(join(folder, "r.yaml"), "data: { path: faces }\nepochs: 3\nmodel: { network: r50 }\n");
    const args = [
      "train",
      "r.yaml",
      "--network",
      "mbf",
      "--set",
      "epochs=4",
      "--set",
      "optim.lr=0.2",
      "--epochs",
      "5",
    ];
    const { status, out } = await topofr(...args, "--print-config");
    expect(status).toBe(0);
    expect(out).toContain("network: mobilefacenet\n");
    expect(out).toContain("\nepochs: 5\n");
    expect(out).toContain("lr: 0.2\n");
    await writeFile(join(folder, "resolved.yaml"), out);
    expect((await topofr("train", "resolved.yaml", "--print-config")).out).toBe(out);
  });

  test("--list-keys names keys, defaults and docs", async () => {
    const { out } = await topofr("train", "--list-keys");
    expect(out).toContain("optim.lr = 0.1\n    a number above 0: initial learning rate");
    expect(out).toContain("objective.alignment.weight\n");
  });

  test("--resume refuses what would change the numbers, and needs a run", async () => {
    const changed = await topofr("train", "--resume", "runs/x", "--lr", "0.2", "--max-steps", "9");
    expect(changed.status).toBe(2);
    expect(changed.err).toContain("--lr: cannot change in a resumed run");
    expect((await topofr("train", "r.yaml", "--resume", "runs/x")).err).toContain(
      "goes on with its own recipe",
    );
    expect((await topofr("train", "--resume", "runs/x")).err).toContain("E_FILE runs/x: no such run folder");
    expect((await topofr("train", "--resume", "--out", "none")).err).toContain("no runs in none/");
  });

  test("a run that is there is not overwritten", async () => {
    const run = join(folder, "runs", "mine");
    await mkdir(run, { recursive: true });
    await writeFile(join(run, "config.json"), "{}");
    await writeFile(join(run, "events.jsonl"), "{}\n");
    const { status, err } = await topofr("train", "--data", "faces", "--name", "mine");
    expect(status).toBe(2);
    expect(err).toContain("runs/mine holds a run already; continue it with --resume runs/mine");
    expect(await readFile(join(run, "events.jsonl"), "utf8")).toBe("{}\n");
  });
});

test("doctor reports, with or without an engine, and says so in its status", async () => {
  const { status, out } = await topofr("doctor", "--json");
  const { checks } = JSON.parse(out) as { checks: { name: string; status: string }[] };
  expect(checks.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["Node.js", "memory", "sharp", "libtorch"]),
  );
  expect(status).toBe(checks.some((check) => check.status === "problem") ? 1 : 0);
  expect((await topofr("doctor")).out).toMatch(status === 0 ? /ready to train\n$/ : /not ready: /);
});

test("the version is the package's", async () => {
  const manifest = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  expect((await topofr("--version")).out.trim()).toBe(manifest.version);
});

test("the entry point can be started as a program", async () => {
  expect((await readFile(MAIN, "utf8")).startsWith("#!/usr/bin/env node\n")).toBe(true);
});
