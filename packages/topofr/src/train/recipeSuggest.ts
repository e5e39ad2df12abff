// "Did you mean …?" for recipe keys and words: spelling distance, and the names other tools use.

/** Keys as PyTorch scripts, arcface_torch configs and the paper write them, and where ours is. */
export const KEYS_OF_OTHER_TOOLS: Readonly<Record<string, string>> = {
  learningrate: "optim.lr",
  baselr: "optim.lr",
  wd: "optim.weightDecay",
  optimizer: "optim.name",
  optimiser: "optim.name",
  gradclip: "optim.clipNorm",
  clipgradnorm: "optim.clipNorm",
  maxgradnorm: "optim.clipNorm",
  backbone: "model.network",
  net: "model.network",
  arch: "model.network",
  embeddim: "model.embeddingSize",
  bs: "batchSize",
  numepoch: "epochs",
  numepochs: "epochs",
  maxepochs: "epochs",
  warmup: "schedule.warmupEpochs",
  warmupepoch: "schedule.warmupEpochs",
  fp16: "precision",
  amp: "precision",
  dtype: "precision",
  rec: "data.path",
  root: "data.path",
  dataset: "data.path",
  traindata: "data.path",
  valtargets: "evaluate.data",
  valdata: "evaluate.data",
  alpha: "objective.alignment.weight",
  xi: "objective.perturbation.probability",
  temperature: "objective.damage.lambda",
  s: "objective.margin.scale",
  m: "objective.margin.margin",
  marginlist: "objective.margin.kind",
  interclassfilteringthreshold: "objective.margin.interClassFilter",
  loss: "objective.variant",
  method: "objective.variant",
  gradientacc: "accumulate",
  accumulationsteps: "accumulate",
  numworkers: "workers",
  numthreads: "threads",
  frequent: "logEverySteps",
  verbose: "evaluate.everySteps",
  saveallstates: "checkpoint.everySteps",
  output: "name",
};

/**
 * The key that was probably meant by a path that does not exist.
 *
 * Order: the same word spelled otherwise in that section (batch_size), the start of one there (batch), a near
 * spelling there, another tool's word, the same word elsewhere (a top-level `lr`), a near spelling elsewhere.
 */
export function suggestKey(path: string, keys: readonly string[]): string | undefined {
  const section = path.slice(0, path.lastIndexOf(".") + 1);
  const word = plain(leaf(path));
  const siblings = keys.filter((key) => key.startsWith(section) && key.length > section.length);
  const direct = siblings.filter((key) => !key.slice(section.length).includes("."));
  return (
    direct.find((key) => plain(leaf(key)) === word) ??
    direct.find((key) => startsAlike(plain(leaf(key)), word)) ??
    nearest(word, direct) ??
    KEYS_OF_OTHER_TOOLS[word] ??
    keys.find((key) => plain(leaf(key)) === word) ??
    nearest(word, keys)
  );
}

/** The allowed word that was probably meant. */
export function suggestWord(found: unknown, words: readonly string[]): string | undefined {
  return typeof found === "string" ? nearest(plain(found), words) : undefined;
}

/**
 * The fewest insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`: Levenshtein distance with
 * swaps, no letter edited twice.
 */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2]! + 1 : Infinity;
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, replaced, swapped));
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}

function startsAlike(a: string, b: string): boolean {
  return Math.min(a.length, b.length) > 1 && (a.startsWith(b) || b.startsWith(a));
}

function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word, plain(leaf(candidate)));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return word.length > 1 ? best : undefined;
}

const leaf = (path: string) => path.slice(path.lastIndexOf(".") + 1);
const plain = (word: string) => word.toLowerCase().replace(/[^a-z0-9]/g, "");
