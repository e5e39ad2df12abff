// Revocable ("cancellable") templates: embeddings are turned by a secret random rotation before they are stored. Cosines stay what
// they are, so search works as before; without the secret a stolen template matches nothing outside of its gallery, and a new secret
// makes all old templates worthless.
//
// What it does not do: templates of one gallery can still be compared with each other; who has the secret, or as many embeddings
// together with their templates as an embedding has numbers, can undo it. It is no encryption: use both.
import { createCipheriv, createHmac, hkdfSync } from "node:crypto";
import { TopofrError } from "@topofr/formats";
import { z } from "zod";

export const SECRET_BYTES = 32;

export const revocableSchema = z.strictObject({
  kind: z.literal("rotation"),
  /** HMAC-SHA-256 of a fixed text under the secret, 64 hexadecimal digits: tells a wrong secret. */
  check: z.string().regex(/^[0-9a-f]{64}$/),
});

export interface Rotation {
  /** A new vector, as long as `embedding` and turned. */
  apply(embedding: Float32Array): Float32Array;
  undo(template: Float32Array): Float32Array;
}

export const NO_ROTATION: Rotation = { apply: (embedding) => embedding, undo: (template) => template };

/** @throws E_USAGE unless the secret has 32 bytes */
export function secretCheck(secret: Uint8Array): string {
  if (secret.length !== SECRET_BYTES)
    throw new TopofrError(
      "E_USAGE",
      `the secret of revocable templates has ${secret.length} bytes; expected ${SECRET_BYTES}, of a random generator`,
    );
  return createHmac("sha256", secret).update("topofr gallery secret").digest("hex");
}

/**
 * The rotation of a secret, uniform among all rotations and reflections of the space: Householder reflections of normal vectors of
 * falling length, and signs (Stewart 1980, "The efficient generation of random orthogonal matrices", section 3). O(dimension²) time
 * and memory; the product of them is never formed.
 */
export function secretRotation(secret: Uint8Array, dimension: number): Rotation {
  const normal = normalNumbers(secret, (dimension * (dimension + 1)) / 2);
  const signs = new Float64Array(dimension);
  const vectors: Float64Array[] = []; // vector k reflects the numbers from k on; squared length 2
  for (let k = 0, at = 0; k < dimension; at += dimension - k, k++) {
    const vector = normal.subarray(at, at + dimension - k);
    signs[k] = vector[0]! < 0 ? 1 : -1;
    if (k === dimension - 1) break;
    vector[0]! -= signs[k]! * Math.hypot(...vector);
    const scale = Math.SQRT2 / Math.hypot(...vector);
    vectors.push(vector.map((value) => value * scale));
  }
  return {
    apply(embedding) {
      const values = Float64Array.from(embedding);
      vectors.forEach((vector, k) => {
        reflect(values, vector, k);
      });
      return Float32Array.from(values, (value, i) => value * signs[i]!);
    },
    undo(template) {
      const values = Float64Array.from(template, (value, i) => value * signs[i]!);
      for (let k = vectors.length - 1; k >= 0; k--) reflect(values, vectors[k]!, k);
      return Float32Array.from(values);
    },
  };
}

function reflect(values: Float64Array, vector: Float64Array, from: number): void {
  let product = 0;
  for (let i = 0; i < vector.length; i++) product += vector[i]! * values[from + i]!;
  for (let i = 0; i < vector.length; i++) values[from + i]! -= product * vector[i]!;
}

/** Standard normal numbers of the secret: AES-256 in counter mode, and Box-Muller. */
function normalNumbers(secret: Uint8Array, count: number): Float64Array {
  const key = new Uint8Array(hkdfSync("sha256", secret, new Uint8Array(0), "topofr gallery rotation", 32));
  const pairs = Math.ceil(count / 2);
  const stream = createCipheriv("aes-256-ctr", key, new Uint8Array(16)).update(new Uint8Array(16 * pairs));
  const uniform = (place: number) => (Number(stream.readBigUInt64LE(8 * place) >> 11n) + 0.5) / 2 ** 53; // in (0, 1)
  const numbers = new Float64Array(2 * pairs);
  for (let i = 0; i < pairs; i++) {
    const radius = Math.sqrt(-2 * Math.log(uniform(2 * i)));
    const angle = 2 * Math.PI * uniform(2 * i + 1);
    numbers[2 * i] = radius * Math.cos(angle);
    numbers[2 * i + 1] = radius * Math.sin(angle);
  }
  return numbers.subarray(0, count);
}
