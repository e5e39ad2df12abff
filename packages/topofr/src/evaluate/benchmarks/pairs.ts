// Benchmarks of image pairs in folds: a folder with a pair list (LFW), and insightface's .bin files. Decisions: verification.ts.
import { createHash } from "node:crypto";
import { basename, dirname } from "node:path";
import { readFaceBin } from "@topofr/formats";
import type { ImageSource } from "../../data/imageSource.js";
import { type Benchmark, type BenchmarkOf, cosinesOfDistances, type PairsReport } from "../benchmark.js";
import { DEFAULT_FOLDS, firstOf, type PairSet, readPairs, repeatedPairs } from "../pairs.js";
import { distancesOfPairs, verifyPairs } from "../verification.js";

/** @throws as `readPairs` */
export async function openPairFolder(
  name: string,
  root: string,
  list: string,
): Promise<BenchmarkOf<PairsReport>> {
  return pairBenchmark({ name, path: root, root }, await readPairs(list, root));
}

/**
 * Equal images are embedded once: a .bin repeats an image for every pair it is in.
 *
 * @throws as `readFaceBin`
 */
export async function openFaceBin(name: string, path: string): Promise<BenchmarkOf<PairsReport>> {
  const { images, same } = await readFaceBin(path);
  return pairBenchmark({ name, path, root: dirname(path) }, binPairs(path, images, same));
}

function pairBenchmark(
  place: Pick<Benchmark, "name" | "path" | "root">,
  pairs: PairSet,
): BenchmarkOf<PairsReport> {
  const { same, folds } = pairs;
  return {
    ...place,
    kind: "pairs",
    images: pairs.images,
    pairs: { same, folds },
    warnings: pairs.warnings,
    async report(embeddings, _, { onScores } = {}) {
      if (onScores) {
        const scores = cosinesOfDistances(distancesOfPairs(embeddings, pairs));
        await onScores({ scores, same, folds });
      }
      return { kind: "pairs", ...verifyPairs(embeddings, pairs) };
    },
  };
}

function binPairs(path: string, encoded: readonly Uint8Array[], flags: readonly boolean[]): PairSet {
  const file = basename(path);
  const images: ImageSource[] = [];
  const placeOf = new Map<string, number>();
  const places = encoded.map((view, index) => {
    const hash = createHash("sha256").update(view).digest("hex");
    const known = placeOf.get(hash);
    if (known !== undefined) return known;
    const bytes = new Uint8Array(view); // a view would take the whole file along to a decode thread
    const place = images.push({ kind: "bytes", name: `${file}: image ${index}`, bytes }) - 1;
    placeOf.set(hash, place);
    return place;
  });
  return {
    images,
    first: Uint32Array.from(flags, (_, k) => places[2 * k]!),
    second: Uint32Array.from(flags, (_, k) => places[2 * k + 1]!),
    same: Uint8Array.from(flags, Number),
    folds: DEFAULT_FOLDS,
    warnings: binWarnings(path, places, flags),
  };
}

/** Published files have such pairs, so that refusing them would refuse the benchmark. One sentence a kind. */
function binWarnings(path: string, places: readonly number[], flags: readonly boolean[]): string[] {
  const seen = new Map<string, number>();
  const [selves, contradictions, repeated]: [string[], string[], string[]] = [[], [], []];
  flags.forEach((flag, k) => {
    const [a, b] = [places[2 * k]!, places[2 * k + 1]!].sort((x, y) => x - y) as [number, number];
    const other = seen.get(`${a} ${b}`);
    if (a === b) selves.push(`pair ${k}`);
    else if (other === undefined) seen.set(`${a} ${b}`, k);
    else if (flags[other] === flag) repeated.push(`pair ${k} repeats pair ${other}`);
    else contradictions.push(`pairs ${other} and ${k}`);
  });
  return [
    ...(selves.length === 0 ? [] : [`${path}: an image is paired with itself (${firstOf(selves)})`]),
    ...(contradictions.length === 0
      ? []
      : [`${path}: two images are called both same and different (${firstOf(contradictions)})`]),
    ...(repeated.length === 0 ? [] : [repeatedPairs(path, repeated)]),
  ];
}

/** Lists that a folder of images may have beside them, in the order they are looked for. */
export const PAIR_LISTS = ["pairs.txt", "pairs_label.txt"] as const;
