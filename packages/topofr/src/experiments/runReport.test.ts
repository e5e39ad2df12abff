// The report of a small finished run: what is in it, that it needs nothing from outside, and that it is the run's.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { liveTensors } from "@topofr/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { settledLiveTensors } from "../method/method.test.support.js";
import { checkpointPaths, type RunFolder } from "../runs/runFolder.js";
import {
  eventsOfType,
  newRun,
  temporaryFolder,
  tinyRecipe,
  train,
  writePairs,
  writePictures,
} from "../train/train.test.support.js";
import { writeRunReport } from "./runReport.js";

const folder = temporaryFolder();
const faces = join(folder.path, "faces");
beforeAll(async () => {
  await writePictures(faces);
  writePairs(faces);
});
afterAll(folder.remove);

const headings = (html: string) => [...html.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, heading]) => heading);
const isPng = (path: string) => readFileSync(path).subarray(1, 4).toString() === "PNG";

describe("a run with evaluation", () => {
  let run: RunFolder;
  let html: string;

  beforeAll(async () => {
    const recipe = tinyRecipe(faces, {
      maxSteps: 2,
      "evaluate.data": faces,
      "evaluate.atStart": true,
      "objective.preset": "spherical",
    });
    run = await newRun(folder.path, "evaluated", recipe);
    await train(recipe, run);
    const before = await settledLiveTensors();
    expect(await writeRunReport(run)).toBe(run.report);
    expect(liveTensors()).toBe(before);
    html = readFileSync(run.report, "utf8");
  });

  test("has every section, and says what was trained on what", () => {
    expect(headings(html)).toEqual([
      "People it has not seen",
      "Distances of pairs after training",
      "Training",
      "The shape of the data",
      "Clusters at each scale",
      "Hardest samples",
    ]);
    expect(html).toContain("<title>TopoFR: evaluated</title>");
    expect(html).toContain("mobilefacenet, preset spherical; 6 images of 2 people, 2 steps");
  });

  test("shows the accuracies that the log has, before and after", () => {
    const percent = (value: number) => `${(100 * value).toFixed(2)} %`;
    const [before, after] = eventsOfType(run, "evaluation").map(({ metrics }) => metrics.accuracy!);
    const row = /<tr><td[^>]*>10-fold accuracy<\/td><td[^>]*>(.*?)<\/td><td[^>]*>(.*?)<\/td>/.exec(html)!;
    expect(row.slice(1)).toEqual([percent(before!), percent(after!)]);
  });

  test("is one file that fetches nothing", () => {
    const sources = [...html.matchAll(/\b(?:src|href|xlink:href|data|poster)\s*=\s*"([^"]*)"/g)].map(
      ([, to]) => to!,
    );
    expect(sources.filter((to) => !/^(#|data:image\/png;base64,)/.test(to))).toEqual([]);
    expect(sources.some((to) => to.startsWith("data:image/png"))).toBe(true);
    expect(html).not.toMatch(/<(script|link|iframe|object|embed)\b|@import|url\((?!#)/);
    const names = /xmlns(:\w+)?="http[^"]*"/g; // of the SVG standard, never fetched
    expect(html.replaceAll(names, "")).not.toMatch(/https?:\/\//);
    expect(html).toContain("default-src 'none'");
  });

  test("leaves its pictures in the run folder, as SVG and PNG", () => {
    for (const name of ["curves", "diagrams/persistence", "diagrams/betti", "evaluation/roc"]) {
      expect(readFileSync(join(run.path, `${name}.svg`), "utf8")).toContain("<svg");
      expect(isPng(join(run.path, `${name}.png`)), name).toBe(true);
    }
    expect(isPng(join(run.path, "hardest.png"))).toBe(true);
  });
});

test("a baseline without evaluation gets a report without those sections; without a checkpoint there is none", async () => {
  const recipe = tinyRecipe(faces, { maxSteps: 1, "objective.variant": "arcface" });
  const run = await newRun(folder.path, "baseline", recipe);
  await train(recipe, run);
  const html = readFileSync(await writeRunReport(run), "utf8");
  expect(headings(html)).toEqual([
    "Training",
    "The shape of the data",
    "Clusters at each scale",
    "Hardest samples",
  ]);
  expect(html).toContain("variant arcface");
  expect(existsSync(join(run.evaluation, "roc.svg"))).toBe(false);

  rmSync(checkpointPaths(run, "last").weights);
  await expect(writeRunReport(run)).rejects.toMatchObject({ code: "E_FILE" });
});
