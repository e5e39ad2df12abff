// What a benchmark is to everything above it: images to embed, and a report on their embeddings. The four kinds are in benchmarks/;
// benchmarks/open.ts chooses. No files here, no engine, no text for people.
import { posix, relative, sep } from "node:path";
import { TopofrError } from "@topofr/formats";
import { type ImageSource, sourceName } from "../data/imageSource.js";
import type { GroupRow } from "./groups.js";
import type { IdentificationReport } from "./identification.js";
import { type IjbReport, verifyTemplates } from "./ijb.js";
import type { Scores } from "./roc.js";
import { type VerificationReport, verifyDistances } from "./verification.js";

/** LFW, CFP-FP, AgeDB-30 …: pairs of images in folds. */
export type PairsReport = { kind: "pairs" } & VerificationReport;

/** IJB-B and IJB-C: templates, 1:1 and 1:N. */
export type IjbBenchmarkReport = { kind: "ijb" } & IjbReport & {
    /** Null when only scores were given. */
    images: number | null;
    templates: number | null;
    /** Null when the 1:N lists are not there, or only scores were given. */
    identification: IdentificationReport | null;
  };

/** All pairs within each group of a manifest. */
export interface GroupsBenchmarkReport {
  kind: "groups";
  images: number;
  /** A row a group, then one over several of them. */
  groups: GroupRow[];
}

export type BenchmarkReport = PairsReport | IjbBenchmarkReport | GroupsBenchmarkReport;

/** The pairs of a protocol that lists them. */
export interface ListedPairs {
  /** 1 when a pair is of one person, else 0. */
  same: Uint8Array;
  /** Contiguous cross-validation folds; 0: the IJB protocol, which has none. */
  folds: number;
}

/** Cosine similarity of each listed pair, in the order of the list. */
export interface PairScores extends ListedPairs {
  scores: Scores;
}

export type Benchmark =
  | BenchmarkOf<PairsReport>
  | BenchmarkOf<IjbBenchmarkReport>
  | BenchmarkOf<GroupsBenchmarkReport>;

export interface BenchmarkOf<Report extends BenchmarkReport> {
  /** What tables and files call it, such as "lfw" or "IJBC". */
  readonly name: string;
  readonly kind: Report["kind"];
  /** The file or folder that it was opened from. */
  readonly path: string;
  /** The folder that names of images are relative to. */
  readonly root: string;
  /** A row of `embeddings` belongs to each, in this order. */
  readonly images: readonly ImageSource[];
  /** Null when the protocol has no list of pairs: all pairs of a group. */
  readonly pairs: ListedPairs | null;
  /** Oddities that do not forbid an evaluation; whole sentences. */
  readonly warnings: readonly string[];
  /**
   * @param embeddings [images, dimension], not normalised; with the flip test, image plus mirror image
   * @throws E_DATA when the sizes do not fit or a row holds NaN or infinity
   */
  report(embeddings: Float32Array, dimension: number, options?: ReportOptions): Promise<Report>;
}

export interface ReportOptions {
  /** Told the score of each listed pair, where the protocol lists pairs; the report waits for it. */
  onScores?(scores: PairScores): Promise<void>;
  /** Where all pairs are compared: ends the work, and tells how far it is. */
  signal?: AbortSignal;
  onProgress?(done: number, total: number): void;
}

/** Name of each image within the benchmark, the same on every machine: "Ann/Ann_0001.jpg", "image 17". */
export function imageNames(benchmark: Pick<Benchmark, "images" | "root">): string[] {
  return benchmark.images.map((image) =>
    image.kind === "file"
      ? relative(benchmark.root, image.path).split(sep).join(posix.sep)
      : sourceName(image),
  );
}

/** Cosines of unit vectors leave -1..1 by rounding only. */
const COSINE_SLACK = 1e-3;

/**
 * The report on scores alone: pairs in folds, or the IJB 1:1 protocol without folds.
 *
 * @throws E_DATA for a score that is not finite or (in folds) no cosine, or when one kind of pair is missing
 */
export function reportOnScores({ scores, same, folds }: PairScores): PairsReport | IjbBenchmarkReport {
  const broken = scores.findIndex((score) => !Number.isFinite(score));
  if (broken >= 0)
    throw new TopofrError("E_DATA", `scores: pair ${broken} of ${scores.length} is ${scores[broken]}`);
  if (folds === 0)
    return {
      kind: "ijb",
      ...verifyTemplates(scores, same),
      images: null,
      templates: null,
      identification: null,
    };
  const foreign = scores.findIndex((score) => Math.abs(score) > 1 + COSINE_SLACK);
  if (foreign >= 0) {
    throw new TopofrError(
      "E_DATA",
      `scores: pair ${foreign} of ${scores.length} is ${scores[foreign]}; accuracy needs cosine similarities, -1 to 1`,
    );
  }
  return { kind: "pairs", ...verifyDistances(distancesOfCosines(scores), { same, folds }) };
}

/** Squared distance 2 - 2·cosine of unit vectors, kept in 0..4. */
export function distancesOfCosines(cosines: Scores): Float64Array {
  return Float64Array.from(cosines, (cosine) => Math.min(4, Math.max(0, 2 - 2 * cosine)));
}

/** The inverse of `distancesOfCosines`. */
export function cosinesOfDistances(distances: Float64Array): Float64Array {
  return distances.map((distance) => 1 - distance / 2);
}
