// Encryption of a gallery's records: AES-256-GCM under a key that scrypt makes of a passphrase. Each record is bound to its gallery
// and its place in it, so records cannot be changed, reordered, or brought in from elsewhere; that the last ones were taken away is
// not seen. What stays readable: the header (model, dimension, date), and how many bytes each record has.
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  randomBytes,
  type ScryptOptions,
  scrypt,
} from "node:crypto";
import { TopofrError } from "@topofr/formats";
import { z } from "zod";

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12; // random: one key may encrypt 2^32 records (NIST SP 800-38D, 8.3)
const TAG_BYTES = 16;
const SALT_BYTES = 16;
const CHECK_TEXT = Buffer.from("topofr gallery passphrase");

/** 128 MB and about half a second; OWASP's recommendation of 2023. */
const DEFAULT_COST = 2 ** 17;
const BLOCK_SIZE = 8;
const PARALLELIZATION = 1;

/** What a header says of its encryption. The limits keep a foreign file from taking all memory (1 GiB at most). */
export const encryptionSchema = z.strictObject({
  cipher: z.literal(CIPHER),
  kdf: z.literal("scrypt"),
  cost: z
    .int()
    .min(2)
    .max(2 ** 20)
    .refine((cost) => Number.isInteger(Math.log2(cost)), "expected a power of two"),
  blockSize: z.int().min(1).max(BLOCK_SIZE),
  parallelization: z.int().min(1).max(4),
  salt: z.base64(),
  /** An empty message under the key: tells a wrong passphrase from damaged records. */
  check: z.base64(),
});
export type EncryptionParameters = z.infer<typeof encryptionSchema>;

/** Turns records into what the file holds, and back. */
export interface Sealer {
  seal(record: Uint8Array, index: number): Uint8Array;
  /** @throws E_FORMAT naming `place` when the bytes are not what `seal` made for this index */
  unseal(sealed: Uint8Array, index: number, place: string): Uint8Array;
}

export const PLAIN: Sealer = { seal: (record) => record, unseal: (sealed) => sealed };

/** Parameters for a new gallery, and its key. */
export async function newKey(
  passphrase: string,
  { cost = DEFAULT_COST }: { cost?: number } = {},
): Promise<{ parameters: EncryptionParameters; key: Buffer }> {
  const salt = randomBytes(SALT_BYTES);
  const derived = { cost, blockSize: BLOCK_SIZE, parallelization: PARALLELIZATION };
  const key = await deriveKey(passphrase, salt, derived);
  const check = encrypt(key, Buffer.alloc(0), CHECK_TEXT).toString("base64");
  return {
    parameters: { cipher: CIPHER, kdf: "scrypt", ...derived, salt: salt.toString("base64"), check },
    key,
  };
}

/** @throws E_USAGE when the passphrase is not the one of these parameters */
export async function openKey(
  path: string,
  passphrase: string,
  parameters: EncryptionParameters,
): Promise<Buffer> {
  const key = await deriveKey(passphrase, Buffer.from(parameters.salt, "base64"), parameters);
  if (decrypt(key, Buffer.from(parameters.check, "base64"), CHECK_TEXT) !== null) return key;
  throw new TopofrError("E_USAGE", `${path}: wrong passphrase`);
}

/** Records under `key`, bound to the bytes of `header`. */
export function sealer(key: Buffer, header: Uint8Array): Sealer {
  const gallery = createHash("sha256").update(header).digest();
  const bound = (index: number): Buffer => {
    const place = Buffer.alloc(8);
    place.writeBigUInt64LE(BigInt(index));
    return Buffer.concat([gallery, place]);
  };
  return {
    seal: (record, index) => encrypt(key, record, bound(index)),
    unseal(sealed, index, place) {
      const record = decrypt(key, sealed, bound(index));
      if (record !== null) return record;
      throw new TopofrError(
        "E_FORMAT",
        `${place}: it was changed, or is of another gallery (decryption fails); restore the file from a copy`,
      );
    },
  };
}

/** nonce, encrypted bytes, tag */
function encrypt(key: Buffer, plain: Uint8Array, bound: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(bound);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Buffer, sealed: Uint8Array, bound: Buffer): Buffer | null {
  const end = sealed.length - TAG_BYTES;
  if (end < NONCE_BYTES) return null;
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(bound);
  try {
    decipher.setAuthTag(sealed.subarray(end));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final()]);
  } catch {
    return null;
  }
}

type Derivation = Pick<EncryptionParameters, "cost" | "blockSize" | "parallelization">;

async function deriveKey(passphrase: string, salt: Uint8Array, derivation: Derivation): Promise<Buffer> {
  if (passphrase === "") throw new TopofrError("E_USAGE", "the passphrase of a gallery is empty");
  const { cost, blockSize, parallelization } = derivation;
  const options: ScryptOptions = {
    N: cost,
    r: blockSize,
    p: parallelization,
    maxmem: 256 * cost * blockSize, // twice what it takes
  };
  return new Promise((resolve, reject) => {
    // One text, one key, however the keyboard composes its letters.
    scrypt(passphrase.normalize("NFKC"), salt, KEY_BYTES, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
