// The header of a gallery: what its embeddings are of, and how they are protected. Readable without the passphrase.
import { randomUUID } from "node:crypto";
import { TopofrError } from "@topofr/formats";
import { z } from "zod";
import type { ModelName } from "../types.js";
import { encryptionSchema } from "./cipher.js";
import { revocableSchema } from "./rotation.js";

const MAX_DIMENSION = 65_536;

const headerSchema = z.strictObject({
  format: z.literal("topofr gallery"),
  /** Of this file; another one each time the file is rewritten. */
  file: z.string(),
  created: z.iso.datetime(),
  model: z.strictObject({ name: z.string(), sha256: z.string() }),
  dimension: z.int().min(1).max(MAX_DIMENSION),
  encryption: encryptionSchema.nullable(),
  revocable: revocableSchema.nullable(),
});
export type GalleryHeader = z.infer<typeof headerSchema>;

/** @throws E_USAGE for a dimension that no embedding has */
export function newHeader(
  given: Pick<GalleryHeader, "model" | "dimension" | "encryption" | "revocable">,
): GalleryHeader {
  const { dimension } = given;
  if (!Number.isInteger(dimension) || dimension < 1 || dimension > MAX_DIMENSION)
    throw new TopofrError("E_USAGE", `dimension is ${dimension}; expected 1 to ${MAX_DIMENSION}`);
  const model = { name: given.model.name, sha256: given.model.sha256 };
  return { format: "topofr gallery", file: randomUUID(), created: new Date().toISOString(), ...given, model };
}

/** The same gallery, for a file that takes the place of the old one. */
export const renewed = (header: GalleryHeader): GalleryHeader => ({ ...header, file: randomUUID() });

export const encodeHeader = (header: GalleryHeader): Uint8Array => Buffer.from(JSON.stringify(header));

/** @throws E_FORMAT */
export function decodeHeader(bytes: Uint8Array, path: string): GalleryHeader {
  let given: unknown;
  try {
    given = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    given = null;
  }
  const { data, error } = headerSchema.safeParse(given);
  if (data !== undefined) return data;
  const [problem] = error.issues;
  const where = problem?.path.join(".") || "it";
  throw new TopofrError(
    "E_FORMAT",
    `${path}: the header is not one of a gallery (${where}: ${problem?.message}); the file is damaged, or of a newer version`,
  );
}

/** @throws E_MODEL when the gallery holds embeddings of another model, or of another size */
export function checkModel(
  path: string,
  header: GalleryHeader,
  wanted: { dimension?: number | undefined; model?: ModelName | undefined },
): void {
  const { model, dimension } = header;
  const ways = "Open it with that model, or enroll the pictures again into a new gallery";
  if (wanted.dimension !== undefined && wanted.dimension !== dimension)
    throw new TopofrError(
      "E_MODEL",
      `${path}: holds embeddings of ${dimension} numbers by model ${describe(model)}; this model's have ${wanted.dimension}. ${ways}`,
    );
  if (wanted.model === undefined) return;
  const other = wanted.model;
  // A page that cannot hash has no sum; then the name must do.
  const isSame =
    other.sha256 === "" || model.sha256 === "" ? other.name === model.name : other.sha256 === model.sha256;
  if (isSame) return;
  throw new TopofrError(
    "E_MODEL",
    `${path}: holds embeddings by model ${describe(model)}, not ${describe(other)}; embeddings of two models cannot be compared. ${ways}`,
  );
}

const describe = ({ name, sha256 }: ModelName): string =>
  sha256 === "" ? `"${name}"` : `"${name}" (sha256 ${sha256.slice(0, 12)}…)`;
