// PartialFC (An et al., CVPR 2022): a step compares its images with their own classes and a random share of the others, so that
// hundreds of thousands of identities cost what a tenth of them would. Only the sampled centres have a gradient, momentum and
// weight decay; there is never a gradient of the size of all centres.
import { TopofrError } from "@topofr/formats";
import { noGrad, type optim, scope, type Tensor, tensor, zeros } from "@topofr/torch";
import { RandomStream } from "../random/stream.js";
import { CosineClassifier, type Selection } from "./classifier.js";

const STREAM = "sampledClasses";

/** The classes of one batch, and copies of their centres that autograd sees in place of the whole weight. */
interface Sample {
  classes: Int32Array;
  centres: Tensor;
}

export interface PartialOptions {
  /** r in (0, 1): round(r · classes) classes are compared, or as many as the batch has, if that is more. */
  sampleRate: number;
  /** Of the run: the classes are drawn from a stream of its own. */
  seed: number;
  /** Of the products in training. Default fp32. */
  precision?: "fp32" | "bf16";
}

export class PartialClassifier extends CosineClassifier {
  readonly #compared: number;
  readonly #stream: RandomStream;
  /** Of the batches since the last update. */
  readonly #samples: Sample[] = [];
  #update: optim.SampledRows | null = null;

  constructor(
    classes: number,
    embeddingSize: number,
    { sampleRate, seed, precision = "fp32" }: PartialOptions,
  ) {
    super(classes, embeddingSize, { precision });
    this.#compared = Math.max(1, Math.round(sampleRate * classes));
    this.#stream = new RandomStream(seed, STREAM);
  }

  override get compared(): number {
    return this.#compared;
  }

  /** @throws E_TENSOR for a label that is no class */
  override select(labels: BigInt64Array): Selection {
    const drawn = this.#draw(labels);
    const centres = this.#rowsOf(drawn.classes);
    centres.requiresGrad = true;
    this.#samples.push({ classes: drawn.classes, centres });
    return { centres, labels: drawn.labels };
  }

  /** The batch's classes in order of their first image, then others, each equally likely. */
  #draw(labels: BigInt64Array): { classes: Int32Array; labels: BigInt64Array } {
    const rowOf = new Map<number, number>();
    const rows = labels.map((label) => {
      const own = Number(label);
      if (!(own >= 0 && own < this.classes))
        throw new TopofrError("E_TENSOR", `label ${own} is no class of 0 .. ${this.classes - 1}`);
      if (!rowOf.has(own)) rowOf.set(own, rowOf.size);
      return BigInt(rowOf.get(own)!);
    });
    const classes = new Int32Array(Math.max(this.compared, rowOf.size));
    classes.set([...rowOf.keys()]);
    const isTaken = new Uint8Array(this.classes);
    for (const own of rowOf.keys()) isTaken[own] = 1;
    for (let count = rowOf.size; count < classes.length; ) {
      const other = this.#stream.integer(this.classes);
      if (isTaken[other] === 1) continue;
      isTaken[other] = 1;
      classes[count++] = other;
    }
    return { classes, labels: rows };
  }

  #rowsOf(classes: Int32Array): Tensor {
    return scope(() => noGrad(() => this.weight.indexSelect(0, tensor(classes, { dtype: "int64" }))));
  }

  /** One sample for the optimiser: of several batches (`accumulate`), their classes together and their gradients added up. */
  override sampled(): ReadonlyMap<Tensor, optim.SampledRows> {
    if (this.#samples.length === 0) return new Map();
    this.#update ??= this.#samples.length === 1 ? this.#single(this.#samples[0]!) : this.#merged();
    return new Map([[this.weight, this.#update]]);
  }

  #single({ classes, centres }: Sample): optim.SampledRows {
    return { rows: tensor(classes, { dtype: "int64" }), values: centres };
  }

  #merged(): optim.SampledRows {
    const rowOf = new Map<number, number>();
    const places = this.#samples.map(({ classes }) =>
      classes.map((own) => {
        if (!rowOf.has(own)) rowOf.set(own, rowOf.size);
        return rowOf.get(own)!;
      }),
    );
    const classes = Int32Array.from(rowOf.keys());
    const values = this.#rowsOf(classes);
    values.requiresGrad = true;
    scope(() =>
      noGrad(() => {
        const sum = zeros(values.shape);
        for (const [index, { centres }] of this.#samples.entries()) {
          const { grad } = centres;
          if (grad !== null) sum.indexAdd_(0, tensor(places[index]!, { dtype: "int64" }), grad);
        }
        values.grad = sum;
      }),
    );
    return this.#single({ classes, centres: values });
  }

  override endStep(): void {
    for (const { centres } of this.#samples) centres.dispose();
    this.#samples.length = 0;
    this.#update?.rows.dispose();
    this.#update?.values.dispose();
    this.#update = null;
  }

  override dispose(): void {
    this.endStep();
    super.dispose();
  }

  override state(): Record<string, number[]> {
    return { [STREAM]: this.#stream.state() };
  }

  override restore(state: Record<string, number[]>): void {
    const saved = state[STREAM];
    if (saved !== undefined) this.#stream.restore(saved);
  }
}
