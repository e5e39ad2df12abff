// Finished runs of other experiments in place of training the same again: one ArcFace baseline serves all the paper's tables.
import { existsSync } from "node:fs";
import { cp, mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileError, TopofrError, writeFileAtomic } from "@topofr/formats";
import { readEventLog } from "../runs/eventLog.js";
import { isRunFolder, listRuns, type RunFolder, readConfig, runPaths } from "../runs/runFolder.js";
import type { Recipe } from "../train/recipe.js";
import { changedSettings } from "./runSettings.js";

/** @throws E_FILE when one of the folders is no experiment's */
export async function finishedRuns(experiments: readonly string[]): Promise<RunFolder[]> {
  const runs: RunFolder[] = [];
  for (const experiment of experiments) {
    if (!existsSync(join(experiment, "runs")))
      throw new TopofrError(
        "E_FILE",
        `--reuse ${experiment}: is no folder of an experiment (it has no runs/); expected what --out named, such as runs/experiments/ablation`,
      );
    runs.push(...(await listRuns(join(experiment, "runs"))));
  }
  return runs.filter(({ events }) => existsSync(events));
}

/**
 * The first of the runs that was trained as far as `recipe` asks, with the same settings; its name may be another.
 *
 * @throws E_FORMAT for a damaged config.json or event log
 */
export async function sameRun(recipe: Recipe, runs: readonly RunFolder[]): Promise<RunFolder | null> {
  for (const run of runs) {
    const config = await readConfig(run);
    if (changedSettings(config, { ...recipe, name: (config as Recipe).name }).length > 0) continue;
    const end = readEventLog(run.events).events.findLast(({ type }) => type === "end");
    if (end?.type !== "end") continue;
    const wanted = recipe.maxSteps ?? null;
    if (wanted === null ? end.reason === "finished" : end.step === wanted) return run;
  }
  return null;
}

/**
 * Copies a run, as `to`. Its evaluations stay behind: this plan's benchmarks may be others.
 *
 * @throws E_FILE when it cannot be copied
 */
export async function takeRun(from: RunFolder, to: RunFolder): Promise<void> {
  const unfinished = runPaths(join(dirname(to.path), `.${basename(to.path)}.part`));
  try {
    await rm(unfinished.path, { recursive: true, force: true });
    await mkdir(dirname(to.path), { recursive: true });
    await cp(from.path, unfinished.path, { recursive: true, filter: (path) => path !== from.report });
    await rm(unfinished.evaluation, { recursive: true, force: true });
    await mkdir(unfinished.evaluation);
    const config = { ...((await readConfig(from)) as Recipe), name: basename(to.path) };
    await writeFileAtomic(unfinished.config, [Buffer.from(`${JSON.stringify(config, null, 2)}\n`)]);
    if (await isRunFolder(to.path)) await rm(to.path, { recursive: true }); // a start without a checkpoint
    await rename(unfinished.path, to.path);
  } catch (error) {
    throw fileError(to.path, `copy the finished run ${from.path}`, error);
  }
}
