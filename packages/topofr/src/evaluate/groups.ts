// Verification within groups of images, as in MFR-Ongoing: every image against every other of its group, or every probe against every
// gallery image (masked against plain faces), a row per group and one over several groups with the pairs across them. Scores are
// counted, never kept (groupScores.ts), so memory does not grow with the number of pairs. The list of images: groupManifest.ts.

import { setImmediate as nextTurn } from "node:timers/promises";
import { TopofrError } from "@topofr/formats";
import { farNote } from "@topofr/recognizer";
import {
  type BlockPair,
  countBlock,
  pairCount,
  pairsAmong,
  pairsBetween,
  scoredRows,
} from "./groupScores.js";
import { areaUnderCurve, equalErrorRate, type RatePoint, tarAtFar, thinCurve } from "./roc.js";
import { ScoreHistogram } from "./scoreHistogram.js";

/** FAR targets of a report: MFR-Ongoing reads 1e-6 for its all-to-all groups and 1e-4 for masks and children. */
export const GROUP_FAR_TARGETS = [1e-6, 1e-5, 1e-4, 1e-3] as const;

/** What an image is in its group: compared with all (0), or a gallery image (1) or probe (2), compared with the other kind alone. */
export const ROLES = { all: 0, gallery: 1, probe: 2 } as const;

export interface GroupImages {
  /** [images, dimension]; rows are L2-normalised here. */
  embeddings: Float32Array;
  dimension: number;
  identityIds: Int32Array;
  /** Place of each image's group in `groupNames`. */
  groupIds: Int32Array;
  groupNames: readonly string[];
  /** `ROLES` of each image; absent: all of them `ROLES.all`. */
  roles?: Uint8Array;
}

export interface GroupOptions {
  fars?: readonly number[];
  /**
   * The row over several groups; null for none. By default "all", over the groups without roles, or over every group when all have
   * roles; none when that is fewer than two groups.
   */
  union?: { name: string; groups: readonly string[] } | null;
  signal?: AbortSignal;
  /** Pairs scored so far, of all. */
  onProgress?(done: number, total: number): void;
}

export interface GroupRow {
  name: string;
  images: number;
  identities: number;
  /** Pairs of one identity, and of two. */
  genuines: number;
  impostors: number;
  /** Null, all four, when a kind of pair is missing; `reason` says which. */
  auc: number | null;
  eer: number | null;
  /** At the most lenient threshold whose FAR does not exceed the target; `note` says why a number should not be trusted, or is null. */
  tarAtFar: (RatePoint & { note: string | null })[] | null;
  /** ROC points for plotting, thinned. */
  roc: { far: number; tar: number }[] | null;
  reason: string | null;
}

/**
 * TAR at FAR of every group. Cosines are computed in float32 and counted in bins of 2^-24, so that a threshold is exact to the rounding
 * of the products; of more than four million pairs, AUC and EER are read from bins of 1/4096. O(n²·dimension) time by libtorch's matrix product, on the threads that `setNumThreads` gave.
 *
 * @returns a row per group in the order of `groupNames`, then the union's
 * @throws E_DATA for a broken embedding, lists of different lengths, a group without images, or one in which only some images have a role; E_USAGE for FARs
 *   outside 0..1 and for a union of unknown groups, or of groups with and without roles
 */
export async function groupVerification(
  images: GroupImages,
  options: GroupOptions = {},
): Promise<GroupRow[]> {
  const { fars = GROUP_FAR_TARGETS, signal, onProgress } = options;
  checkFars(fars);
  const source = scoredRows(images.embeddings, images.dimension, images.identityIds);
  const groups = splitGroups(images);
  const union = chooseUnion(groups, options.union);
  const across = union === null ? [] : blocksAcross(union.groups);
  const blocks = groups.map((group) => [...blocksWithin(group)]);
  const total = pairsIn(blocks.flat()) + pairsIn(across);
  let done = 0;
  const count = async (block: BlockPair, histograms: readonly ScoreHistogram[]) => {
    countBlock(source, block, histograms);
    done += pairCount(block);
    onProgress?.(done, total);
    await nextTurn(); // lets a signal arrive
    signal?.throwIfAborted();
  };

  const rows: GroupRow[] = [];
  const own = new ScoreHistogram();
  const joint = union === null ? null : new ScoreHistogram();
  joint?.reset(total, Math.max(...fars));
  for (const [g, group] of groups.entries()) {
    own.reset(pairsIn(blocks[g]!), Math.max(...fars));
    const histograms = joint !== null && union?.groups.includes(group) ? [own, joint] : [own];
    for (const block of blocks[g]!) await count(block, histograms);
    rows.push(groupRow(group.name, group.rows, images.identityIds, own, fars));
  }
  if (union !== null && joint !== null) {
    for (const block of across) await count(block, [joint]);
    const members = union.groups.flatMap((group) => [...group.rows]);
    rows.push(groupRow(union.name, members, images.identityIds, joint, fars));
  }
  return rows;
}

function pairsIn(blocks: readonly BlockPair[]): number {
  return blocks.reduce((sum, block) => sum + pairCount(block), 0);
}

function checkFars(fars: readonly number[]): void {
  const wrong = fars.find((far) => !(far > 0 && far <= 1));
  if (wrong !== undefined) throw new TopofrError("E_USAGE", `FAR ${wrong}: expected more than 0, at most 1`);
}

interface Group {
  name: string;
  rows: Int32Array;
  /** Null when every pair of the group counts. */
  roles: { probes: Int32Array; gallery: Int32Array } | null;
}

function splitGroups({ groupIds, groupNames, roles, identityIds }: GroupImages): Group[] {
  for (const [name, list] of [
    ["groups", groupIds],
    ["roles", roles],
  ] as const) {
    if (list !== undefined && list.length !== identityIds.length) {
      throw new TopofrError("E_DATA", `${list.length} ${name} for ${identityIds.length} images`);
    }
  }
  const lists = groupNames.map((): number[] => []);
  groupIds.forEach((group, row) => {
    const list = lists[group];
    if (list === undefined) {
      throw new TopofrError("E_DATA", `image ${row}: group ${group} of ${groupNames.length} does not exist`);
    }
    list.push(row);
  });
  return groupNames.map((name, g) => {
    const rows = Int32Array.from(lists[g]!);
    if (rows.length === 0) throw new TopofrError("E_DATA", `group ${name}: no image is in it`);
    const withRole = (role: number) => rows.filter((row) => (roles?.[row] ?? ROLES.all) === role);
    const probes = withRole(ROLES.probe);
    const gallery = withRole(ROLES.gallery);
    const counted = probes.length + gallery.length;
    if (counted !== 0 && counted !== rows.length) {
      throw new TopofrError(
        "E_DATA",
        `group ${name}: ${counted} of ${rows.length} images are probe or gallery; give every image of a group a role, or none`,
      );
    }
    return { name, rows, roles: counted === 0 ? null : { probes, gallery } };
  });
}

function chooseUnion(
  groups: readonly Group[],
  wanted: GroupOptions["union"],
): { name: string; groups: Group[] } | null {
  if (wanted === null) return null;
  if (wanted === undefined) {
    const free = groups.filter((group) => group.roles === null);
    const members = free.length > 0 ? free : [...groups];
    return members.length < 2 ? null : { name: "all", groups: members };
  }
  const members = [...new Set(wanted.groups)].map((name) => {
    const group = groups.find((candidate) => candidate.name === name);
    if (group !== undefined) return group;
    const known = groups.map((candidate) => candidate.name).join(", ");
    throw new TopofrError("E_USAGE", `${wanted.name}: there is no group "${name}"; there are ${known}`);
  });
  if (members.some(({ roles }) => roles === null) && members.some(({ roles }) => roles !== null)) {
    throw new TopofrError(
      "E_USAGE",
      `${wanted.name}: some of its groups have probes and a gallery and some do not; their pairs cannot be counted together`,
    );
  }
  return { name: wanted.name, groups: members };
}

function blocksWithin({ rows, roles }: Group): Iterable<BlockPair> {
  return roles === null ? pairsAmong(rows) : pairsBetween(roles.probes, roles.gallery);
}

/** The pairs of images of different groups. */
function blocksAcross(groups: readonly Group[]): BlockPair[] {
  return groups.flatMap((a, k) =>
    groups.slice(k + 1).flatMap((b) => {
      if (a.roles === null || b.roles === null) return [...pairsBetween(a.rows, b.rows)];
      return [
        ...pairsBetween(a.roles.probes, b.roles.gallery),
        ...pairsBetween(b.roles.probes, a.roles.gallery),
      ];
    }),
  );
}

function groupRow(
  name: string,
  rows: ArrayLike<number>,
  identityIds: Int32Array,
  histogram: ScoreHistogram,
  fars: readonly number[],
): GroupRow {
  const genuines = histogram.genuine.total;
  const impostors = histogram.impostor.total;
  const identities = new Set(Array.from(rows, (row) => identityIds[row]!)).size;
  const row = { name, images: rows.length, identities, genuines, impostors };
  const curve = histogram.curve();
  if (curve === null) {
    const missing = genuines === 0 ? "of one identity" : "of two identities";
    const reason = `no pair ${missing} among ${rows.length} images of ${identities} identities: no rate exists`;
    return { ...row, auc: null, eer: null, tarAtFar: null, roc: null, reason };
  }
  return {
    ...row,
    auc: areaUnderCurve(curve),
    eer: equalErrorRate(curve),
    tarAtFar: fars.map((far) => ({ ...tarAtFar(curve, far), note: farNote(far, impostors) })),
    roc: thinCurve(curve),
    reason: null,
  };
}
