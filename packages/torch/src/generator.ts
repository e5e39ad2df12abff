// Seeded random numbers on the native side (initialisation, dropout), with a state that checkpoints can hold.
import { type NativeGenerator, native } from "./native.js";
import { tensorFromBytes } from "./tensor.js";

/** A random number generator of libtorch; operators take `generator.native` as their `generator` option. */
export class Generator {
  readonly native: NativeGenerator;

  constructor(seed: number) {
    this.native = native.createGenerator(seed);
  }

  /** The generator that operators use when none is given. */
  static default(): Generator {
    const generator = Object.create(Generator.prototype) as { native: NativeGenerator };
    generator.native = native.defaultGenerator();
    return generator as Generator;
  }

  /** Opaque bytes for `restore`. */
  state(): Uint8Array {
    const state = native.generatorState(this.native);
    const bytes = state.toBytes();
    state.dispose();
    return bytes;
  }

  restore(bytes: Uint8Array): void {
    const state = tensorFromBytes(bytes, "uint8", [bytes.length]);
    native.setGeneratorState(this.native, state);
    state.dispose();
  }
}

/** Seeds the default generator. */
export const manualSeed = (seed: number): void => native.manualSeed(seed);
