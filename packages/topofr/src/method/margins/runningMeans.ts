// Running means of training batches, as margins keep them: plain numbers that a checkpoint saves.
import { TopofrError } from "@topofr/formats";

export class RunningMeans {
  #values: number[];

  /** @param averaging share of a new batch */
  constructor(
    readonly owner: string,
    initial: readonly number[],
    readonly averaging: number,
  ) {
    this.#values = [...initial];
  }

  get values(): readonly number[] {
    return this.#values;
  }

  observe(batch: readonly number[]): void {
    this.#values = this.#values.map((old, i) => (1 - this.averaging) * old + this.averaging * batch[i]!);
  }

  state(): number[] {
    return [...this.#values];
  }

  /** @throws E_FORMAT */
  restore(state: readonly number[]): void {
    const count = this.#values.length;
    if (state.length !== count || !state.every(Number.isFinite))
      throw new TopofrError(
        "E_FORMAT",
        `running means of ${this.owner}: expected ${count} finite numbers, found ${JSON.stringify(state)}. ` +
          "The checkpoint is damaged or of another margin",
      );
    this.#values = [...state];
  }
}
