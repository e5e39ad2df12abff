// Pictures and options out of a request: the bytes themselves, a form, or JSON with base64. One picture or two; nothing is written to disk.

import type { MultipartFile } from "@fastify/multipart";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { HttpError, tooLarge } from "./errors.js";

/** Parts of a form beside the pictures. */
export const MOST_FIELDS = 8;
/** Bytes of such a part. */
export const LONGEST_FIELD = 4096;

export interface Upload<Options> {
  /** In the order of the names asked for. */
  pictures: Uint8Array[];
  options: Options;
}

export interface UploadForm<Options extends z.ZodObject> {
  /** Names of the pictures: parts of a form, keys of JSON. With one name the body may be the picture. */
  names: readonly string[];
  /** From the query, and from the form's or JSON's other keys, which go before the query's. */
  options: Options;
}

/**
 * @throws HttpError 400 for a picture that is missing or empty, base64 that is none, wrong options; 413
 */
export async function readUpload<Options extends z.ZodObject>(
  request: FastifyRequest,
  { names, options }: UploadForm<Options>,
  maxUploadBytes: number,
): Promise<Upload<z.output<Options>>> {
  const { pictures, fields } = await readBody(request, names, maxUploadBytes);
  const found = names.map((name) => {
    const picture = pictures.get(name);
    if (picture === undefined) throw new HttpError(400, "E_USAGE", `${name}: missing; ${expected(names)}`);
    if (picture.length === 0)
      throw new HttpError(400, "E_FORMAT", `${name}: has 0 bytes; expected a picture`);
    if (picture.length > maxUploadBytes) throw tooLarge(maxUploadBytes);
    return picture;
  });
  const query = request.query as Record<string, unknown>;
  return { pictures: found, options: readOptions(options, { ...query, ...fields }) };
}

/**
 * Options checked; text becomes a number where the schema has one.
 *
 * @throws HttpError 400 naming each wrong key
 */
export function readOptions<Options extends z.ZodObject>(schema: Options, given: object): z.output<Options> {
  const values = Object.entries(given).map(([key, value]) => {
    const numeric = typeof value === "string" && /\S/.test(value) && isNumber(schema.shape[key]);
    return [key, numeric ? Number(value) : value];
  });
  const result = schema.safeParse(Object.fromEntries(values));
  if (result.success) return result.data;
  const known = Object.keys(schema.shape).join(", ") || "none";
  const problems = result.error.issues.map((issue) =>
    issue.code === "unrecognized_keys"
      ? `unknown option ${issue.keys.join(", ")}; known here: ${known}`
      : `${issue.path.join(".")}: ${issue.message}`,
  );
  throw new HttpError(400, "E_USAGE", problems.join("; "));
}

function isNumber(schema: unknown): boolean {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) return isNumber(schema.unwrap());
  return schema instanceof z.ZodNumber;
}

const expected = (names: readonly string[]): string =>
  names.length === 1
    ? `send the picture as the body, as part "${names[0]}" of a form, or as base64 in JSON {"${names[0]}": …}`
    : `send the pictures as parts ${names.join(" and ")} of a form, or as base64 in JSON {${names.map((name) => `"${name}": …`).join(", ")}}`;

interface Body {
  pictures: Map<string, Uint8Array>;
  fields: Record<string, unknown>;
}

async function readBody(
  request: FastifyRequest,
  names: readonly string[],
  maxUploadBytes: number,
): Promise<Body> {
  if (request.isMultipart()) return readForm(request, names, maxUploadBytes);
  const { body } = request;
  if (body instanceof Uint8Array) {
    if (names.length === 1) return { pictures: new Map([[names[0]!, body]]), fields: {} };
    throw new HttpError(400, "E_USAGE", `one picture came, ${names.length} are needed; ${expected(names)}`);
  }
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return readJson(body, names);
  throw new HttpError(400, "E_USAGE", `no picture; ${expected(names)}`);
}

async function readForm(
  request: FastifyRequest,
  names: readonly string[],
  maxUploadBytes: number,
): Promise<Body> {
  const pictures = new Map<string, Uint8Array>();
  const fields: Record<string, unknown> = {};
  const limits = {
    fileSize: maxUploadBytes,
    files: names.length,
    fields: MOST_FIELDS,
    fieldSize: LONGEST_FIELD,
  };
  for await (const part of request.parts({ limits })) {
    const name = part.fieldname;
    if (part.type === "field") {
      if (names.includes(name))
        throw new HttpError(400, "E_USAGE", `${name}: came as text; send it as a file of the form`);
      if (part.valueTruncated)
        throw new HttpError(400, "E_USAGE", `${name}: longer than ${LONGEST_FIELD} bytes`);
      fields[name] = part.value;
    } else {
      const bytes = await (part as MultipartFile).toBuffer(); // read even if refused: the parser waits for it
      if (!names.includes(name) || pictures.has(name))
        throw new HttpError(400, "E_USAGE", `${name}: unexpected file; ${expected(names)}`);
      pictures.set(name, bytes);
    }
  }
  return { pictures, fields };
}

function readJson(body: object, names: readonly string[]): Body {
  const pictures = new Map<string, Uint8Array>();
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(body)) {
    if (!names.includes(key)) fields[key] = value;
    else if (typeof value === "string") pictures.set(key, decodeBase64(key, value));
    else throw new HttpError(400, "E_USAGE", `${key}: expected base64 text, found ${typeof value}`);
  }
  return { pictures, fields };
}

/** Also behind `data:image/…;base64,`, which is how pages have it. */
function decodeBase64(name: string, text: string): Uint8Array {
  const start = text.startsWith("data:") ? text.indexOf(",") + 1 : 0;
  const data = start > 0 ? text.slice(start) : text;
  const bytes = Buffer.from(data, "base64");
  // The decoder skips what it does not know; then it has fewer bytes than the text stands for.
  const digits = data.replace(/=+$/, "").length;
  if (bytes.length !== Math.floor((digits * 3) / 4))
    throw new HttpError(400, "E_FORMAT", `${name}: not base64`);
  return bytes;
}
