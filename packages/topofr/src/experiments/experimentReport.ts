// The outcome of an experiment as files: table.md, table.csv, outcome.json, figures, and one page with all of it (report.html).
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileError, writeFileAtomic } from "@topofr/formats";
import { htmlReport, type ReportSection } from "../plots/htmlReport.js";
import { experimentFigures } from "./experimentFigures.js";
import { type Outcome, readOutcome } from "./outcome.js";
import type { Plan } from "./plan.js";
import { readPlan } from "./runner.js";
import { markdownTable, outcomeCsv, outcomeTable, testTable } from "./table.js";

export interface WrittenReport {
  outcome: Outcome;
  markdown: string;
  /** Path of report.html; the other files are beside it. */
  report: string;
  files: string[];
}

/** @throws E_FILE, E_FORMAT when the folder holds no experiment, a log is damaged, or the disk refuses a file */
export async function writeExperimentReport(folder: string): Promise<WrittenReport> {
  const outcome = await readOutcome(folder, await readPlan(folder));
  const figures = experimentFigures(outcome);
  const markdown = outcomeMarkdown(outcome);
  const report = join(folder, "report.html");
  const files: [path: string, text: string][] = [
    [join(folder, "table.md"), markdown],
    [join(folder, "table.csv"), outcomeCsv(outcome)],
    [join(folder, "outcome.json"), `${JSON.stringify(outcome, null, 2)}\n`],
    ...figures.map(({ name, svg }): [string, string] => [join(folder, "figures", `${name}.svg`), svg]),
    [report, outcomeHtml(outcome)],
  ];
  await mkdir(join(folder, "figures"), { recursive: true }).catch((error) => {
    throw fileError(join(folder, "figures"), "make the folder of the figures", error);
  });
  for (const [path, text] of files) await writeFileAtomic(path, [Buffer.from(text)]);
  return { outcome, markdown, report, files: files.map(([path]) => path) };
}

/** The table, the tests and what they rest on, in Markdown. */
export function outcomeMarkdown(outcome: Outcome): string {
  const tests = testTable(outcome);
  return [
    `# ${outcome.plan.title}`,
    outcome.plan.about,
    markdownTable(outcomeTable(outcome)),
    ...explanations(outcome),
    ...(tests.rows.length === 0 ? [] : ["## Against the baseline", TEST_NOTE, markdownTable(tests)]),
    "",
  ].join("\n\n");
}

function outcomeHtml(outcome: Outcome): string {
  const { plan, cells } = outcome;
  const tests = testTable(outcome);
  const sections: ReportSection[] = [
    {
      heading: "Table",
      text: plan.about,
      table: outcomeTable(outcome),
      caption: explanations(outcome).join(" "),
    },
    ...(tests.rows.length === 0 ? [] : [{ heading: "Against the baseline", text: TEST_NOTE, table: tests }]),
    ...experimentFigures(outcome).map(({ heading, svg }) => ({ heading, svg })),
    {
      heading: "Runs",
      table: {
        columns: ["run", "seed", "status", "steps"],
        rows: cells.map(({ id, seed, status, steps, message }) => [
          id,
          seed,
          message ? `${status}: ${message}` : status,
          steps,
        ]),
      },
    },
    { heading: "What was run", text: settingsText(plan) },
  ];
  return htmlReport({ title: plan.title, subtitle: `${plan.name}: ${progressText(outcome)}`, sections });
}

const TEST_NOTE =
  "Paired t test over seeds, two-sided: value minus baseline of the same seed. With a few seeds its power is small, and the rows are " +
  "not corrected for being several.";

function explanations({ plan, cells }: Outcome): string[] {
  const done = cells.filter(({ status }) => status === "done").length;
  const paper = plan.paper;
  return [
    "Mean ± standard deviation (n - 1) over n seeds; accuracies and rates in percent. Of the last checkpoint of each run: nothing was chosen by its result.",
    ...(done < cells.length
      ? [`${done} of ${cells.length} runs are finished: the table is not complete.`]
      : []),
    ...(paper === null
      ? []
      : [
          `The paper (${paper.source}): ${paper.setting}. It gives the best result of one run, without deviation; data, network and length of training differ from ours unless said.`,
          ...(paper.note === undefined ? [] : [paper.note]),
        ]),
  ];
}

function progressText({ cells, plan }: Outcome): string {
  const count = (status: string) => cells.filter((cell) => cell.status === status).length;
  const others = (["diverged", "unfinished", "waiting"] as const).filter((status) => count(status) > 0);
  const parts = [
    `${count("done")} of ${cells.length} runs finished`,
    ...others.map((status) => `${count(status)} ${status}`),
  ];
  return `${parts.join(", ")}; seeds ${plan.seeds.join(", ")}`;
}

function settingsText({ recipe, set, data, benchmarks }: Plan): string {
  const changes = Object.entries(set).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return [
    `Recipe: ${recipe === null ? "the defaults" : recipe.split(/[\\/]/).at(-1)}${changes.length > 0 ? `, with ${changes.join(", ")}` : ""}.`,
    ...(data.length > 0 ? [`Trained on ${data.join(", ")}.`] : []),
    ...(benchmarks.length > 0
      ? [
          `Evaluated on ${benchmarks.map(({ path, pairs }) => (pairs ? `${path} (${pairs})` : path)).join(", ")}.`,
        ]
      : []),
  ].join("\n");
}
