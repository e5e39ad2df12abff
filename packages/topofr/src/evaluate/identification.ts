// IJB 1:N identification, on template features. Open set, per gallery, as insightface's ijb_evals: a probe is identified when its own
// subject comes first, above the threshold that the probes without a mate set. Closed set, over all galleries together, as its
// ijb_1n: the rank of a probe's own subject. 1:1 verification: ijb.ts.

import { TopofrError } from "@topofr/formats";
import { MINIMUM_FALSE_ACCEPTS } from "@topofr/recognizer";
import { tensor } from "@topofr/torch";
import type { IjbIdentification, SubjectList } from "./ijbMeta.js";
import type { Templates } from "./ijbTemplates.js";
import { gatherRows, rowProducts } from "./rowProducts.js";

/** Ranks of the published tables. */
export const IDENTIFICATION_RANKS = [1, 5, 10] as const;
/** False positive identification rates of the published tables. */
export const FPIR_TARGETS = [1e-1, 1e-2, 1e-3, 1e-4] as const;

export interface RankRate {
  rank: number;
  /** Share of the probes with a mate whose own subject is among the first `rank`. */
  rate: number;
}

export interface TpirPoint {
  /** The false positive identification rate asked for. */
  fpir: number;
  /** Share of the probes without a mate that have a score above the threshold. */
  fpirReached: number;
  /** True positive identification rate: rank 1, and above the threshold. */
  tpir: number;
  /** The score that must be exceeded. */
  threshold: number;
  /** Why the number should not be trusted, or null. */
  note: string | null;
}

export interface GalleryReport {
  name: string;
  /** Subjects in the gallery; probes whose subject is in it, and those whose subject is not. */
  subjects: number;
  matedProbes: number;
  nonMatedProbes: number;
  /** Null without mated probes. */
  ranks: RankRate[] | null;
  /** Null when one kind of probe is missing; `reason` says which. */
  tpirAtFpir: TpirPoint[] | null;
  reason: string | null;
}

export interface IdentificationReport {
  galleries: GalleryReport[];
  /** Mean over the galleries: probes count once for ranks, galleries count once for TPIR. Null as in the galleries. */
  mean: { ranks: RankRate[] | null; tpirAtFpir: { fpir: number; tpir: number }[] | null };
  /** All galleries as one. Null when a subject is in two of them; probes without a mate in any do not count. */
  closedSet: { subjects: number; probes: number; ranks: RankRate[] | null } | null;
}

export interface IdentificationInput extends IjbIdentification {
  templates: Templates;
}

/** Probes whose products with all galleries are in memory at a time. */
const PROBE_BLOCK = 256;

/**
 * Identifies every probe in every gallery. Ranks count the subjects that score as high as the probe's own, so that a tie is a miss (the
 * reference leaves ties to the order of its sort).
 *
 * @throws E_DATA for a template without images, or a gallery with two templates of one subject
 */
export function identify({ templates, galleries, probes }: IdentificationInput): IdentificationReport {
  const search = searchProbes({ templates, galleries, probes });
  const reports = galleries.map((gallery, g) => galleryReport(gallery, search.galleries[g]!));
  const names = new Set(galleries.flatMap(({ subjectIds }) => [...subjectIds]));
  const subjects = galleries.reduce((sum, { subjectIds }) => sum + subjectIds.length, 0);
  return {
    galleries: reports,
    mean: meanReport(reports),
    closedSet:
      names.size === subjects
        ? { subjects, probes: search.closedSet.length, ranks: rankRates(search.closedSet) }
        : null,
  };
}

/** What one gallery answers to the probes. */
interface GalleryAnswers {
  /** Of the probes with a mate: score of their own subject, of the best other one, and other subjects that score as high as their own. */
  mates: { own: number; other: number; ahead: number }[];
  /** Of the probes without a mate: the best score. */
  strangers: number[];
}

/** The answers of each gallery, and for the galleries as one the number of subjects ahead of each mated probe's own. */
function searchProbes({ templates, galleries, probes }: IdentificationInput): {
  galleries: GalleryAnswers[];
  closedSet: number[];
} {
  const { features, dimension } = templates;
  const rowOfId = new Map(Array.from(templates.ids, (id, row) => [id, row]));
  const rows = galleries.flatMap((gallery) =>
    templateRows(rowOfId, gallery.templateIds, `gallery ${gallery.name}`),
  );
  const probeRows = templateRows(rowOfId, probes.templateIds, "probes");
  const answers = galleries.map((): GalleryAnswers => ({ mates: [], strangers: [] }));
  const closedSet: number[] = [];
  let columns = 0;
  const places = galleries.map((gallery) => {
    const start = columns;
    columns += gallery.templateIds.length;
    return { start, end: columns, columnOfSubject: subjectColumns(gallery, start) };
  });
  const right = tensor(gatherRows(features, rows, dimension), { shape: [columns, dimension] });
  try {
    for (let start = 0; start < probeRows.length; start += PROBE_BLOCK) {
      const block = probeRows.slice(start, start + PROBE_BLOCK);
      const products = rowProducts(gatherRows(features, block, dimension), right, dimension);
      for (let k = 0; k < block.length; k++) {
        const scores = products.subarray(k * columns, (k + 1) * columns);
        const subject = probes.subjectIds[start + k]!;
        let home = -1; // column of the subject in some gallery
        places.forEach(({ start, end, columnOfSubject }, g) => {
          const column = columnOfSubject.get(subject) ?? -1;
          const other = bestExcept(scores, start, end, column);
          if (column < 0) answers[g]!.strangers.push(other);
          else {
            home = column;
            const ahead = countAhead(scores, start, end, column);
            answers[g]!.mates.push({ own: scores[column]!, other, ahead });
          }
        });
        if (home >= 0) closedSet.push(countAhead(scores, 0, columns, home));
      }
    }
  } finally {
    right.dispose();
  }
  return { galleries: answers, closedSet };
}

function templateRows(rowOfId: ReadonlyMap<number, number>, templateIds: Int32Array, list: string): number[] {
  return Array.from(templateIds, (id) => {
    const row = rowOfId.get(id);
    if (row === undefined) throw new TopofrError("E_DATA", `IJB ${list}: no image has template id ${id}`);
    return row;
  });
}

function subjectColumns(gallery: { name: string } & SubjectList, start: number): Map<number, number> {
  const columns = new Map<number, number>();
  gallery.subjectIds.forEach((subject, k) => {
    const other = columns.get(subject);
    if (other !== undefined) {
      throw new TopofrError(
        "E_DATA",
        `IJB gallery ${gallery.name}: templates ${gallery.templateIds[other - start]} and ${gallery.templateIds[k]} are both ` +
          `of subject ${subject}; a gallery holds one template per subject`,
      );
    }
    columns.set(subject, start + k);
  });
  return columns;
}

function bestExcept(scores: Float32Array, start: number, end: number, except: number): number {
  let best = Number.NEGATIVE_INFINITY;
  for (let c = start; c < end; c++) if (c !== except && scores[c]! > best) best = scores[c]!;
  return best;
}

/** How many columns of start .. end - 1 but `own` score at least as high as it. */
function countAhead(scores: Float32Array, start: number, end: number, own: number): number {
  let ahead = 0;
  for (let c = start; c < end; c++) if (c !== own && scores[c]! >= scores[own]!) ahead += 1;
  return ahead;
}

/** From the number of subjects ahead of each probe's own; null without probes. */
function rankRates(ahead: readonly number[]): RankRate[] | null {
  if (ahead.length === 0) return null;
  return IDENTIFICATION_RANKS.map((rank) => ({
    rank,
    rate: ahead.filter((count) => count < rank).length / ahead.length,
  }));
}

function galleryReport(
  { name, subjectIds }: { name: string } & SubjectList,
  { mates, strangers }: GalleryAnswers,
): GalleryReport {
  const hasBoth = mates.length > 0 && strangers.length > 0;
  return {
    name,
    subjects: subjectIds.length,
    matedProbes: mates.length,
    nonMatedProbes: strangers.length,
    ranks: rankRates(mates.map(({ ahead }) => ahead)),
    tpirAtFpir: hasBoth ? tpirPoints(mates, strangers) : null,
    reason: hasBoth
      ? null
      : `${mates.length} probes with a mate in the gallery and ${strangers.length} without; TPIR at FPIR needs both kinds`,
  };
}

function tpirPoints(mates: GalleryAnswers["mates"], strangers: readonly number[]): TpirPoint[] {
  const descending = Float64Array.from(strangers).sort().reverse();
  return FPIR_TARGETS.map((fpir) => {
    const expected = strangers.length * fpir;
    const threshold = descending[Math.max(Math.floor(expected) - 1, 0)]!;
    const identified = mates.filter(({ own, other }) => own > other && own > threshold).length;
    return {
      fpir,
      fpirReached: strangers.filter((score) => score > threshold).length / strangers.length,
      tpir: identified / mates.length,
      threshold,
      note:
        expected >= MINIMUM_FALSE_ACCEPTS * (1 - 1e-9)
          ? null
          : `FPIR ${fpir} of ${strangers.length} probes without a mate: ${Number(expected.toPrecision(2))} false alarms ` +
            `expected, ${MINIMUM_FALSE_ACCEPTS} needed for a steady number`,
    };
  });
}

/** As the reference averages: hits of all galleries over their mated probes, and the plain mean of their TPIRs. */
function meanReport(reports: readonly GalleryReport[]): IdentificationReport["mean"] {
  const mated = reports.reduce((sum, { matedProbes }) => sum + matedProbes, 0);
  const ranks = IDENTIFICATION_RANKS.map((rank, k) => {
    const hits = reports.map((report) => (report.ranks?.[k]?.rate ?? 0) * report.matedProbes);
    return { rank, rate: hits.reduce((sum, count) => sum + count, 0) / mated };
  });
  const points = reports.map(({ tpirAtFpir }) => tpirAtFpir);
  return {
    ranks: mated === 0 ? null : ranks,
    tpirAtFpir: points.every((list) => list !== null)
      ? FPIR_TARGETS.map((fpir, k) => ({
          fpir,
          tpir: points.reduce((sum, list) => sum + list[k]!.tpir, 0) / points.length,
        }))
      : null,
  };
}
