// Every experiment of the paper as a user runs it, from training to the report: one seed, two steps a run, on pictures made here,
// with the recipe that is there to try things. What a kill, a changed plan and several jobs do: experiment.test.ts.
import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryFolder, writePictures } from "../train/train.test.support.js";
import type { Outcome } from "./outcome.js";
import type { Measure } from "./plan.js";
import { PAPER_PLANS } from "./plans/paperPlans.js";

const MAIN = fileURLToPath(new URL("../cli/main.js", import.meta.url));
const RECIPE = fileURLToPath(new URL("../../../../recipes/experiment_tiny.yaml", import.meta.url));
const folder = temporaryFolder();
const [faces, others] = [join(folder.path, "faces"), join(folder.path, "others")];

/** Where the plan's own levels are too large, or more of the same, for a test. */
const LEVELS: Record<string, string[]> = {
  "batch-size": ["batch=4,8"],
  sensitivity: ["value=alpha times 0.1,alpha times 2.5,xi 0.1,xi 0.5"],
  "data-amount": ["network=mobilefacenet", "share=0.25,1"],
  backbones: ["network=IResNet-50", "method=ArcFace,TopoFR†"],
};

beforeAll(async () => {
  for (const root of [faces, others]) await writePictures(root, { identities: 4, images: 8 });
  const image = (person: number, k: number) => `person_${person}/person_${person}_000${k}.png`;
  const pairs = [0, 1, 2].flatMap((person) =>
    [1, 2, 3, 4].flatMap((k) => [
      `${image(person, k)} ${image(person, (k % 4) + 1)} 1`,
      `${image(person, k)} ${image((person + 1) % 3, k)} 0`,
    ]),
  );
  writeFileSync(join(others, "pairs_label.txt"), `${pairs.join("\n")}\n`);
});
afterAll(folder.remove);

test.each(PAPER_PLANS.map((plan) => [plan.name, plan] as const))("%s", async (name, plan) => {
  const out = join(folder.path, name);
  const { status, stdout, stderr } = await topofr(
    ...["experiment", name, "--recipe", RECIPE, "--data", faces, "--eval-data", others, "--out", out],
    ...["--seeds", "1", "--max-steps", "2", "--json"],
    ...["threads=1", "checkpoint.keep=0"].flatMap((setting) => ["--set", setting]),
    ...(LEVELS[name] ?? []).flatMap((levels) => ["--levels", levels]),
  );
  expect({ status, stderr }).toMatchObject({ status: 0 });
  const { cells, rows, columns } = JSON.parse(stdout) as Outcome;
  expect(cells.length).toBeGreaterThan(1);
  for (const cell of cells) expect(cell).toMatchObject({ status: "done", steps: 2 });

  // So few pairs say nothing of small false accept rates, which is noted in place of a number.
  const shown = new Set<Measure>(columns.map(({ measure }) => measure));
  for (const measure of plan.measures ?? (["accuracy"] as const))
    if (measure !== "tar") expect(shown, name).toContain(measure);
  for (const row of rows)
    for (const column of columns) expect(row.entries[column.name]!.spread).not.toBeNull();

  const page = readFileSync(join(out, "report.html"), "utf8");
  const figures = plan.figures ?? [];
  const drawn = figures.flatMap(({ measure }) => columns.filter((column) => column.measure === measure));
  expect(page.match(/<svg/g)).toHaveLength(drawn.length);
  expect(page).not.toMatch(/NaN|undefined|nothing measured yet|no values to draw/);
  for (const file of ["table.md", "table.csv", "outcome.json"])
    expect(existsSync(join(out, file))).toBe(true);
  const paper = rows.flatMap(({ label }) => plan.paper?.rows[label]?.[0] ?? []);
  for (const number of paper) expect(readFileSync(join(out, "table.md"), "utf8")).toContain(` ${number} `);
});

function topofr(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) =>
    execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, stdout, stderr }),
    ),
  );
}
