// The threshold that an evaluation measured, from what `topofr evaluate --json` prints: one evaluation, or a list of them. Pure: the
// caller reads and parses the file. From scores: threshold.ts.
import { TopofrError } from "@topofr/formats/error";
import { type Calibration, checkFar } from "./threshold.js";

export interface ReportChoice {
  /** One of those that the report has. */
  far: number;
  /** Which evaluation of a list, by its benchmark, such as "lfw". */
  benchmark?: string;
  /** Which group of an evaluation by groups. */
  group?: string;
}

type Fields = Record<string, unknown>;

/**
 * @param report parsed JSON
 * @throws E_FORMAT when it is no such report; E_USAGE when it has not what is asked for, or several of it; E_DATA when no threshold
 *   had that FAR
 */
export function thresholdOfReport(report: unknown, { far, benchmark, group }: ReportChoice): Calibration {
  checkFar(far);
  const evaluation = chooseEvaluation(report, benchmark);
  const part = evaluation.kind === "groups" ? chooseGroup(evaluation, group) : evaluation;
  const points = fieldsOf(part.tarAtFar);
  const point = points.find((candidate) => candidate.far === far);
  if (point === undefined)
    throw new TopofrError(
      "E_USAGE",
      `the report has no threshold for FAR ${far}; it has ${points.map((each) => String(each.far)).join(", ") || "none"}`,
    );
  const { threshold, farReached, tar, note } = point;
  if (threshold === null)
    throw new TopofrError(
      "E_DATA",
      `at FAR ${far} the evaluation accepted no pair at all, so there is no threshold; choose a higher FAR`,
    );
  if (![threshold, farReached, tar].every(Number.isFinite)) throw notAReport();
  return {
    // Pairs have squared distances of unit vectors, 2 - 2·cosine; the others have cosines.
    threshold: evaluation.kind === "pairs" ? 1 - Number(threshold) / 2 : Number(threshold),
    far,
    farReached: Number(farReached),
    tar: Number(tar),
    impostors: count(part.impostors ?? point.impostors),
    genuines: count(part.genuines ?? part.samePairs),
    note: typeof note === "string" ? note : null,
  };
}

const KINDS: readonly unknown[] = ["pairs", "ijb", "groups"];

function chooseEvaluation(report: unknown, benchmark: string | undefined): Fields {
  const all = fieldsOf(Array.isArray(report) ? report : [report]);
  if (all.length === 0 || all.some(({ kind }) => !KINDS.includes(kind))) throw notAReport();
  return chooseOne(all, "benchmark", "benchmark", benchmark);
}

function chooseGroup({ groups }: Fields, group: string | undefined): Fields {
  const rows = fieldsOf(groups).filter(({ tarAtFar }) => tarAtFar !== null);
  return chooseOne(rows, "name", "group", group);
}

/** The one whose `key` is `wanted`, or the only one. */
function chooseOne(all: readonly Fields[], key: string, what: string, wanted: string | undefined): Fields {
  const fitting = wanted === undefined ? all : all.filter((one) => one[key] === wanted);
  const [chosen, ...others] = fitting;
  if (chosen !== undefined && others.length === 0) return chosen;
  const names = all.map((one) => String(one[key])).join(", ");
  throw new TopofrError(
    "E_USAGE",
    chosen === undefined
      ? `the report has no ${what} "${wanted}"; it has ${names || "none"}`
      : `the report has ${fitting.length} evaluations (${names}); name one as \`${what}\`, or give a report of one`,
  );
}

function fieldsOf(list: unknown): Fields[] {
  if (!Array.isArray(list) || !list.every((one) => typeof one === "object" && one !== null))
    throw notAReport();
  return list as Fields[];
}

const count = (value: unknown): number | null => (Number.isInteger(value) ? Number(value) : null);

function notAReport(): TopofrError {
  return new TopofrError("E_FORMAT", "this is not what `topofr evaluate --json` prints");
}
