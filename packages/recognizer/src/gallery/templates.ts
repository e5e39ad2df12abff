// The templates of a gallery in memory: rows of float32 in blocks, and whose they are. Removing leaves a hole that no search sees;
// rows never move, so that a search may go on while others add and remove. Disk: logFormat.ts; search: search.ts.

export interface Template {
  /** 16 hexadecimal digits. */
  id: string;
  identity: string;
  note: string | null;
  /** When it was added, milliseconds since 1970. */
  addedMs: number;
  /** [dimension], L2-normalised, as stored (a revocable gallery's: rotated). */
  embedding: Float32Array;
}

/** Rows of a block: 32 MB at 512 numbers. One call of the product takes one block. */
export const BLOCK_ROWS = 16_384;
const FIRST_ROWS = 64; // a block grows up to BLOCK_ROWS

/** Owner of a row whose template was removed. */
export const REMOVED = 0xffffffff;

export interface Block {
  /** [capacity, dimension]; the first `rows` are used. */
  embeddings: Float32Array;
  rows: number;
  /** Place in `names` of each row's identity, or REMOVED. */
  owners: Uint32Array;
  ids: BigUint64Array;
  addedMs: Float64Array;
}

export class Templates {
  readonly dimension: number;
  /** Every identity that was ever added. */
  readonly names: string[] = [];
  readonly blocks: Block[] = [];
  readonly #places = new Map<string, number>();
  readonly #counts: number[] = []; // templates, for each of `names`
  readonly #notes = new Map<bigint, string>();
  #size = 0;
  #removed = 0;

  constructor(dimension: number) {
    this.dimension = dimension;
  }

  get size(): number {
    return this.#size;
  }

  /** Holes. */
  get removed(): number {
    return this.#removed;
  }

  add({ id, identity, note, addedMs, embedding }: Template): void {
    const block = this.#blockWithRoom();
    const row = block.rows;
    const key = toKey(id);
    block.embeddings.set(embedding, row * this.dimension);
    block.owners[row] = this.#placeOf(identity);
    block.ids[row] = key;
    block.addedMs[row] = addedMs;
    block.rows++;
    if (note !== null) this.#notes.set(key, note);
    this.#counts[block.owners[row]!]!++;
    this.#size++;
  }

  /** Ids of an identity's templates, or the id itself where there is one. */
  find(wanted: { identity: string } | { id: string }): string[] {
    const found: string[] = [];
    const place = "identity" in wanted ? this.#places.get(wanted.identity) : undefined;
    const key = "id" in wanted && isId(wanted.id) ? toKey(wanted.id) : undefined;
    if (place === undefined && key === undefined) return found;
    for (const { rows, owners, ids } of this.blocks)
      for (let row = 0; row < rows; row++)
        if (owners[row] !== REMOVED && (place === undefined ? ids[row] === key : owners[row] === place))
          found.push(toId(ids[row]!));
    return found;
  }

  /** @returns how many there were */
  remove(ids: readonly string[]): number {
    const keys = new Set(ids.map(toKey));
    const before = this.#removed;
    for (const { rows, owners, ids: blockIds } of this.blocks) {
      for (let row = 0; row < rows; row++) {
        if (owners[row] === REMOVED || !keys.has(blockIds[row]!)) continue;
        this.#counts[owners[row]!]!--;
        this.#notes.delete(blockIds[row]!);
        owners[row] = REMOVED;
        this.#removed++;
      }
    }
    this.#size -= this.#removed - before;
    return this.#removed - before;
  }

  /** Identities with templates, by name. */
  identities(): { identity: string; templates: number }[] {
    return this.names
      .map((identity, place) => ({ identity, templates: this.#counts[place]! }))
      .filter(({ templates }) => templates > 0)
      .sort((a, b) => (a.identity < b.identity ? -1 : 1));
  }

  /** In the order of adding; `embedding` is a view. */
  *all(): Generator<Template> {
    for (const { rows, owners, ids, addedMs, embeddings } of this.blocks) {
      for (let row = 0; row < rows; row++) {
        if (owners[row] === REMOVED) continue;
        const id = ids[row]!;
        yield {
          id: toId(id),
          identity: this.names[owners[row]!]!,
          note: this.#notes.get(id) ?? null,
          addedMs: addedMs[row]!,
          embedding: embeddings.subarray(row * this.dimension, (row + 1) * this.dimension),
        };
      }
    }
  }

  #placeOf(identity: string): number {
    const known = this.#places.get(identity);
    if (known !== undefined) return known;
    this.#counts.push(0);
    const place = this.names.push(identity) - 1;
    this.#places.set(identity, place);
    return place;
  }

  #blockWithRoom(): Block {
    const last = this.blocks.at(-1);
    if (last !== undefined && last.rows < last.owners.length) return last;
    if (last !== undefined && last.rows < BLOCK_ROWS) {
      const capacity = Math.min(BLOCK_ROWS, 2 * last.rows);
      this.blocks[this.blocks.length - 1] = this.#block(capacity, last); // a running search keeps the old one
    } else {
      this.blocks.push(this.#block(last === undefined ? FIRST_ROWS : BLOCK_ROWS));
    }
    return this.blocks.at(-1)!;
  }

  #block(capacity: number, from?: Block): Block {
    const block: Block = {
      embeddings: new Float32Array(capacity * this.dimension),
      rows: from?.rows ?? 0,
      owners: new Uint32Array(capacity),
      ids: new BigUint64Array(capacity),
      addedMs: new Float64Array(capacity),
    };
    if (from === undefined) return block;
    block.embeddings.set(from.embeddings);
    block.owners.set(from.owners);
    block.ids.set(from.ids);
    block.addedMs.set(from.addedMs);
    return block;
  }
}

export const isId = (text: string): boolean => /^[0-9a-f]{16}$/.test(text);
export const toId = (key: bigint): string => key.toString(16).padStart(16, "0");
export const toKey = (id: string): bigint => BigInt(`0x${id}`);
