// The list of pairs to verify that goes with a drawn world, in the format of LFW's pairs.txt.
import { TopofrError } from "@topofr/formats";
import { RandomStream } from "../../random/stream.js";
import { checkWorld, type SyntheticWorldOptions } from "./world.js";

export interface PairOptions {
  folds: number;
  /** Pairs of one person in each fold, and as many of two people. */
  perFold: number;
}

/** Name of person `index` of the world, counted over all worlds of its seed: identity_0001 is the first. */
export function identityName(options: SyntheticWorldOptions, index: number): string {
  return `identity_${String((options.firstIdentity ?? 0) + index + 1).padStart(4, "0")}`;
}

/**
 * The text of pairs.txt: `folds<TAB>perFold`, then for each fold its same pairs `name<TAB>n1<TAB>n2` and its different
 * pairs `name1<TAB>n1<TAB>name2<TAB>n2`; images count from 1. Drawn without regard to difficulty, so hard images come
 * at their natural share. No pair comes twice. As in LFW no person is in two folds, as long as there are at least two
 * people a fold; with fewer, all folds draw from everybody.
 *
 * @throws E_USAGE when the world has too few people or images for so many pairs
 */
export function pairList(options: SyntheticWorldOptions, { folds, perFold }: PairOptions): string {
  const { seed, identities, imagesPerIdentity: images } = checkWorld(options);
  for (const [name, value] of Object.entries({ folds, perFold })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new TopofrError("E_USAGE", `pairs: ${name} must be a whole number of at least 1, found ${value}`);
    }
  }
  const apart = identities >= 2 * folds;
  const smallest = apart ? Math.floor(identities / folds) : identities;
  const share = apart ? 1 : folds; // folds that draw from the same people
  const same = Math.floor((smallest * images * (images - 1)) / 2 / share);
  const different = Math.floor((smallest * (smallest - 1) * images * images) / 2 / share);
  if (perFold > Math.min(same, different)) {
    throw new TopofrError(
      "E_USAGE",
      `pairs: ${perFold} same and ${perFold} different pairs in each of ${folds} folds were asked for, but ${identities} ` +
        `people with ${images} images each give at most ${Math.min(same, different)}; draw more, or ask for fewer pairs`,
    );
  }

  const stream = new RandomStream(seed, `pairs/${options.firstIdentity ?? 0}`);
  const order = stream.permutation(identities);
  const used = new Set<string>();
  const lines = [`${folds}\t${perFold}`];
  const draw = (
    pick: () => [person: number, image: number, person: number, image: number],
  ): (typeof lines)[0] => {
    for (;;) {
      const [p, i, q, j] = pick();
      const key = p < q || (p === q && i < j) ? `${p} ${i} ${q} ${j}` : `${q} ${j} ${p} ${i}`;
      if (used.has(key)) continue;
      used.add(key);
      const first = `${identityName(options, p)}\t${i + 1}`;
      return p === q ? `${first}\t${j + 1}` : `${first}\t${identityName(options, q)}\t${j + 1}`;
    }
  };
  for (let fold = 0; fold < folds; fold++) {
    const people = apart
      ? order.subarray(Math.floor((fold * identities) / folds), Math.floor(((fold + 1) * identities) / folds))
      : order;
    for (let k = 0; k < perFold; k++) {
      lines.push(
        draw(() => {
          const person = people[stream.integer(people.length)]!;
          const [i, j] = twoOf(stream, images);
          return [person, i, person, j];
        }),
      );
    }
    for (let k = 0; k < perFold; k++) {
      lines.push(
        draw(() => {
          const [p, q] = twoOf(stream, people.length);
          return [people[p]!, stream.integer(images), people[q]!, stream.integer(images)];
        }),
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Two different numbers of 0 .. n - 1. */
function twoOf(stream: RandomStream, n: number): [number, number] {
  const first = stream.integer(n);
  const second = stream.integer(n - 1);
  return [first, second < first ? second : second + 1];
}
