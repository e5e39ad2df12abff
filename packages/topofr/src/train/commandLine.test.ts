// The training life as a user has it, by commands: draw faces, train, stop, go on, evaluate; and how it fails.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { readCheckpointState } from "./checkpoint.js";
import { temporaryFolder, writePictures } from "./train.test.support.js";

const MAIN = fileURLToPath(new URL("../cli/main.js", import.meta.url));
const folder = temporaryFolder();
afterAll(folder.remove);

interface Outcome {
  status: number | null;
  out: string;
  err: string;
}

function topofr(
  args: readonly string[],
  onError?: (text: string, child: ChildProcess) => void,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder.path });
    let [out, err] = ["", ""];
    child.stdout.on("data", (text) => {
      out += text;
    });
    child.stderr.on("data", (text) => {
      err += text;
      onError?.(err, child);
    });
    child.once("close", (status) => resolve({ status, out, err }));
  });
}

const TINY = [
  "--network",
  "mobilefacenet",
  "--set",
  "model.embeddingSize=8",
  "--threads",
  "1",
  "--workers",
  "1",
];

describe("from nothing to a verified model", () => {
  test("data synthesize draws people and pairs", async () => {
    const size = ["--identities", "2", "--images", "3", "--workers", "1"];
    const pairs = ["--folds", "2", "--pairs-per-fold", "2"];
    const { status, out } = await topofr(["data", "synthesize", "faces", ...size, ...pairs]);
    expect(status).toBe(0);
    expect(out).toBe("6 images of 2 people in faces\npairs in faces/pairs.txt\n");
    expect(existsSync(join(folder.path, "faces", "pairs.txt"))).toBe(true);
  });

  test("Ctrl-C saves, exits with 130 and prints the command that goes on", async () => {
    const flags = ["--data", "faces", "--batch-size", "2", "--epochs", "50", "--name", "first", ...TINY];
    let asked = false;
    const { status, out, err } = await topofr(["train", ...flags], (text, child) => {
      if (asked || !text.includes("step 1/")) return;
      asked = true;
      child.kill("SIGINT");
    });
    expect(status).toBe(130);
    expect(err).toContain("stopping after this step and saving; once more to quit at once");
    expect(out).toMatch(/^saved at step \d+; resume with topofr train --resume runs\/first\n$/);
    const step = Number(/step (\d+)/.exec(out)![1]);
    const last = join(folder.path, "runs", "first", "checkpoints", "last.safetensors");
    expect(await readCheckpointState(last)).toMatchObject({ step });

    const again = /topofr (train --resume \S+)/.exec(out)![1]!.split(" ");
    const resumed = await topofr([...again, "--max-steps", String(step + 1), "--json"]);
    expect(resumed.status).toBe(0);
    expect(JSON.parse(resumed.out)).toMatchObject({ run: "runs/first", reason: "maxSteps", step: step + 1 });
    const environment = JSON.parse(
      readFileSync(join(folder.path, "runs", "first", "env.json"), "utf8"),
    ) as object;
    expect(environment).toMatchObject({ resumes: [{}] });
  });

  test("evaluate verifies the pairs, as a table and as JSON, and keeps the report in the run", async () => {
    const json = await topofr(["evaluate", "runs/first", "--data", "faces", "--json", "--threads", "1"]);
    expect(json.status).toBe(0);
    const report = JSON.parse(json.out) as Record<string, number>;
    expect(report).toMatchObject({
      pairs: 8,
      samePairs: 4,
      dimension: 8,
      network: "mobilefacenet",
      flip: true,
    });
    expect(report.accuracy).toBeGreaterThanOrEqual(0);
    expect(report.accuracy).toBeLessThanOrEqual(1);
    const kept = JSON.parse(
      readFileSync(join(folder.path, "runs/first/evaluation/faces.json"), "utf8"),
    ) as object;
    expect(kept).toEqual(report);

    const weights = "runs/first/checkpoints/last.safetensors";
    const table = await topofr(["evaluate", weights, "--data", "faces", "--no-flip", "--threads", "1"]);
    expect(table.status).toBe(0);
    expect(table.out).toMatch(/faces/);
    expect(table.out).toMatch(/[\d.]+ img\/s\n$/);
  });

  test("evaluate refuses the weights of another network, with its keys", async () => {
    const { status, err } = await topofr(["evaluate", "runs/first", "--data", "faces", "--network", "r18"]);
    expect(status).toBe(1);
    expect(err).toMatch(
      /topofr: E_MODEL runs\/first\/.* is not of this network:.*missing keys.*conv1\.weight/s,
    );
  });
});

describe("failures end with status 1, a code and what to do", () => {
  test.each<[string, string[], RegExp]>([
    [
      "no such data",
      ["--data", "nowhere"],
      /^topofr: E_FILE .*nowhere: cannot open the data set: no such file or folder/m,
    ],
    ["too few images", ["--data", "few"], /^topofr: E_DATA 2 samples do not fill one batch of 128/m],
    [
      "numbers that run away",
      ["--data", "few", "--batch-size", "2", "--lr", "1e30", "--name", "wild"],
      /^topofr: E_DIVERGED step [23]: .*; no checkpoint was saved yet\. A smaller optim\.lr/m,
    ],
  ])("%s", async (_, flags, message) => {
    await writePictures(join(folder.path, "few"), { identities: 1, images: 2 });
    const { status, err } = await topofr(["train", ...flags, "--set", "checkpoint.everySteps=9", ...TINY]);
    expect(err).toMatch(message);
    expect(status).toBe(1);
  });

  test("a resume without a checkpoint", async () => {
    rmSync(join(folder.path, "runs", "first", "checkpoints", "last.safetensors"));
    const { status, err } = await topofr(["train", "--resume", "runs/first"]);
    expect(status).toBe(1);
    expect(err).toContain("E_FILE runs/first/checkpoints/last.safetensors: there is none");
  });
});
