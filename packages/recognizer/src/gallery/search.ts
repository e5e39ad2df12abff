// Exact search: every template is compared with every query, block after block; an identity counts by its best template.
import type { GalleryMatch } from "../gallerySearch.js";
import type { Product } from "./product.js";
import { REMOVED, type Templates, toId } from "./templates.js";

/** Queries of one pass over the templates: enough for the product to be bound by arithmetic and no more by memory. */
export const PASS_QUERIES = 64;

interface Candidate {
  owner: number;
  id: bigint;
  similarity: number;
}

/**
 * The best identities for each query, best first. Others may add and remove meanwhile: what is added after the start is not seen.
 *
 * @param queries at most PASS_QUERIES of [dimension], L2-normalised
 * @param tops how many identities each query wants
 */
export async function searchTemplates(
  { blocks, names, dimension }: Templates,
  product: Product,
  queries: readonly Float32Array[],
  tops: readonly number[],
): Promise<GalleryMatch[][]> {
  const columns = transpose(queries, dimension);
  const lists = tops.map((top) => new BestIdentities(top));
  for (const { embeddings, rows, owners, ids } of blocks.map((block) => ({ ...block }))) {
    const scores = await product.run(embeddings.subarray(0, rows * dimension), columns, dimension);
    for (let row = 0, at = 0; row < rows; row++) {
      const owner = owners[row]!;
      for (const list of lists) {
        const score = scores[at++]!;
        if (score > list.floor && owner !== REMOVED) list.offer(owner, ids[row]!, score);
      }
    }
  }
  return lists.map(({ candidates }) =>
    candidates.map(({ owner, id, similarity }) => ({ identity: names[owner]!, id: toId(id), similarity })),
  );
}

/** The best template of each of the best identities, in falling order. */
class BestIdentities {
  readonly candidates: Candidate[] = [];
  /** Scores up to this change nothing. */
  floor = Number.NEGATIVE_INFINITY;
  readonly #top: number;

  constructor(top: number) {
    this.#top = top;
  }

  /** @param similarity above `floor` */
  offer(owner: number, id: bigint, similarity: number): void {
    const { candidates } = this;
    const known = candidates.findIndex((candidate) => candidate.owner === owner);
    if (known >= 0) {
      if (candidates[known]!.similarity >= similarity) return;
      candidates.splice(known, 1);
    }
    candidates.splice(this.#placeOf(similarity), 0, { owner, id, similarity });
    if (candidates.length > this.#top) candidates.pop();
    if (candidates.length === this.#top) this.floor = candidates.at(-1)!.similarity;
  }

  /** Behind all that are as good. */
  #placeOf(similarity: number): number {
    let [low, high] = [0, this.candidates.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.candidates[middle]!.similarity >= similarity) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** [dimension, queries] */
function transpose(queries: readonly Float32Array[], dimension: number): Float32Array {
  const columns = new Float32Array(queries.length * dimension);
  queries.forEach((query, column) => {
    for (let i = 0; i < dimension; i++) columns[i * queries.length + column] = query[i]!;
  });
  return columns;
}
