// What may go into a gallery: names, notes and embeddings, checked.
import { printable, TopofrError } from "@topofr/formats";

const MAX_IDENTITY = 500; // characters
const MAX_NOTE = 2000;
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/** Composed (NFC), so that a name is one whoever types it. @throws E_USAGE */
export function identityName(identity: string, where: string): string {
  const name = lineOf(identity, where, "identity", MAX_IDENTITY);
  if (name.trim() === "") throw new TopofrError("E_USAGE", `${where}: the identity is empty`);
  return name;
}

/** @throws E_USAGE */
export function noteText(note: string, where: string): string {
  return lineOf(note, where, "note", MAX_NOTE);
}

function lineOf(text: string, where: string, what: string, most: number): string {
  const composed = text.normalize("NFC");
  if (composed.length <= most && !UNPRINTABLE.test(composed)) return composed;
  const shown = printable(composed.slice(0, 60));
  throw new TopofrError(
    "E_USAGE",
    `${where}: ${what} "${shown}" of ${composed.length} characters; expected one line of at most ${most}`,
  );
}

/** A copy of length 1. @throws E_MODEL for another number of numbers; E_USAGE for zeros and what is not finite */
export function unitVector(embedding: Float32Array, dimension: number, where: string): Float32Array {
  if (embedding.length !== dimension)
    throw new TopofrError(
      "E_MODEL",
      `${where}: an embedding of ${embedding.length} numbers, the gallery has ${dimension}; is it of another model?`,
    );
  let squares = 0;
  for (const value of embedding) squares += value * value;
  const length = Math.sqrt(squares);
  if (!(length > 0 && Number.isFinite(length)))
    throw new TopofrError("E_USAGE", `${where}: the embedding is zero or not finite`);
  return embedding.map((value) => value / length);
}
