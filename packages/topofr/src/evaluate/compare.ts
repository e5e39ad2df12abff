// Reports that were kept or printed with --json, read back and put beside each other. Where they lie: cli/compare.ts.
import { readFile } from "node:fs/promises";
import { fileError, TopofrError } from "@topofr/formats";
import { z } from "zod";
import type { GroupsBenchmarkReport, IjbBenchmarkReport, PairsReport } from "./benchmark.js";
import type { Evaluation } from "./evaluateModel.js";
import { rowNames } from "./report.js";

const rate = z.number();
const points = z.array(z.looseObject({ far: rate, tar: rate }));
const tarAtFar = z.array(z.looseObject({ far: rate, tar: rate, note: z.string().nullable() }));
const ranks = z.array(z.looseObject({ rank: z.int(), rate }));

const head = {
  model: z.string(),
  source: z.string(),
  benchmark: z.string(),
  imagesPerSecond: rate.nullable(),
};

const pairs = z.looseObject({
  ...head,
  kind: z.literal("pairs"),
  pairs: z.int(),
  samePairs: z.int(),
  images: z.int().nullable(),
  accuracy: rate,
  accuracyStd: rate,
  perFold: z.array(z.looseObject({ accuracy: rate })),
  auc: rate,
  eer: rate,
  tarAtFar,
  roc: points,
});

const identification = z.looseObject({
  galleries: z.array(
    z.looseObject({
      name: z.string(),
      subjects: z.int(),
      tpirAtFpir: z.array(z.looseObject({ fpir: rate, note: z.string().nullable() })).nullable(),
    }),
  ),
  mean: z.looseObject({
    ranks: ranks.nullable(),
    tpirAtFpir: z.array(z.looseObject({ fpir: rate, tpir: rate })).nullable(),
  }),
  closedSet: z.looseObject({ subjects: z.int(), ranks: ranks.nullable() }).nullable(),
});

const ijb = z.looseObject({
  ...head,
  kind: z.literal("ijb"),
  genuines: z.int(),
  impostors: z.int(),
  images: z.int().nullable(),
  templates: z.int().nullable(),
  auc: rate,
  eer: rate,
  tarAtFar,
  roc: points,
  identification: identification.nullable(),
});

const groups = z.looseObject({
  ...head,
  kind: z.literal("groups"),
  groups: z.array(
    z.looseObject({
      name: z.string(),
      images: z.int(),
      identities: z.int(),
      genuines: z.int(),
      impostors: z.int(),
      auc: rate.nullable(),
      eer: rate.nullable(),
      tarAtFar: tarAtFar.nullable(),
      roc: points.nullable(),
      reason: z.string().nullable(),
    }),
  ),
});

const evaluationSchema = z.discriminatedUnion("kind", [pairs, ijb, groups]);

/**
 * The reports of a file: one, or a list of them, as `topofr evaluate --json` prints them. What tables and curves need is checked.
 *
 * @throws E_FILE; E_FORMAT naming the key that is missing or wrong
 */
export async function readEvaluations(path: string): Promise<Evaluation[]> {
  const text = await readFile(path, "utf8").catch((error) => {
    throw fileError(path, "read the report", error);
  });
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (cause) {
    throw new TopofrError("E_FORMAT", `${path}: not JSON, as topofr evaluate keeps its reports`, { cause });
  }
  const result = z
    .array(evaluationSchema)
    .min(1)
    .safeParse(Array.isArray(data) ? data : [data]);
  // The rest of a report was written by `evaluate` and is passed on as it is.
  if (result.success) return result.data as unknown as Evaluation[];
  const [issue] = result.error.issues;
  const place = issue!.path.slice(Array.isArray(data) ? 0 : 1).join(".");
  throw new TopofrError(
    "E_FORMAT",
    `${path}: not a report of topofr evaluate${place === "" ? "" : ` (${place}: ${issue!.message})`}; make it with --json`,
  );
}

/** A receiver operating characteristic with its name. */
export interface NamedCurve {
  name: string;
  points: readonly { far: number; tar: number }[];
  impostors: number;
}

/** The curves of all evaluations; of groups, one each. */
export function curvesOf(evaluations: readonly Evaluation[]): NamedCurve[] {
  const names = rowNames(evaluations);
  return evaluations.flatMap((evaluation, k) =>
    evaluation.kind === "groups"
      ? curvesOfGroups(evaluation, evaluations.length === 1 ? "" : `${names[k]}: `)
      : [{ name: names[k]!, points: evaluation.roc, impostors: impostorsOf(evaluation) }],
  );
}

function curvesOfGroups({ groups }: GroupsBenchmarkReport, prefix: string): NamedCurve[] {
  return groups.flatMap(({ name, roc, impostors }) =>
    roc === null ? [] : [{ name: `${prefix}${name}`, points: roc, impostors }],
  );
}

const impostorsOf = (report: PairsReport | IjbBenchmarkReport): number =>
  report.kind === "pairs" ? report.pairs - report.samePairs : report.impostors;

/**
 * Gives evaluations of one benchmark different model names: "(no flip)" where mirror images were left out, then the file the model came
 * from, then a number.
 */
export function distinguish(evaluations: readonly Evaluation[]): Evaluation[] {
  const key = ({ model, benchmark }: Evaluation) => `${model}\n${benchmark}`;
  const renamed = (list: readonly Evaluation[], name: (evaluation: Evaluation, place: number) => string) => {
    const counts = new Map<string, number>();
    for (const one of list) counts.set(key(one), (counts.get(key(one)) ?? 0) + 1);
    const places = new Map<string, number>();
    return list.map((one) => {
      const place = places.get(key(one)) ?? 0;
      places.set(key(one), place + 1);
      return counts.get(key(one)) === 1 ? one : { ...one, model: name(one, place) };
    });
  };
  const flips = renamed(evaluations, ({ model, flip }) => (flip === false ? `${model} (no flip)` : model));
  const sources = renamed(flips, ({ model, source }) => `${model} (${source})`);
  return renamed(sources, ({ model }, place) => (place === 0 ? model : `${model} #${place + 1}`));
}
