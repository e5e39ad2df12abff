// The OpenAPI 3.1 document, from the zod schemas of the routes. Fastify's own validation is off: handlers parse with the same schemas.

import swagger from "@fastify/swagger";
import type { FastifyInstance, FastifySchema } from "fastify";
import { z } from "zod";
import { errorAnswer } from "./schemas.js";

const FORMATS = ["image/*", "application/octet-stream"];

/** What a route takes and gives. */
export interface Operation {
  summary: string;
  description?: string;
  /** Names of its pictures; left out: it takes none. */
  pictures?: readonly string[];
  /** In the query, or beside the pictures. */
  options?: z.ZodObject;
  params?: z.ZodObject;
  answer: z.ZodType;
  /** Default: application/json. */
  answerType?: string;
  /** Status of success; default: 200. */
  status?: number;
  /** Statuses of errors, beside 401, 429 and 503. */
  errors?: Record<number, string>;
  needsToken?: boolean;
}

const ERRORS = { 401: "no token, or a wrong one", 429: "too many requests", 503: "too busy, or closing" };

/** The schema of a route as Fastify keeps it for the document. */
export function describeRoute(operation: Operation): FastifySchema {
  const { summary, description, pictures, options, params, answer, errors = {} } = operation;
  const { status = 200, answerType = "application/json" } = operation;
  const failures = { ...errors, ...(operation.needsToken ? ERRORS : {}) };
  const responses = [
    [status, { description: "as asked", content: { [answerType]: { schema: jsonSchema(answer) } } }],
    ...Object.entries(failures).map(([code, text]) => [
      code,
      { description: text, content: { "application/json": { schema: jsonSchema(errorAnswer) } } },
    ]),
  ];
  return {
    summary,
    ...(description !== undefined && { description }),
    ...(params && { params: jsonSchema(params) }),
    ...(options && Object.keys(options.shape).length > 0 && { querystring: jsonSchema(queryOf(operation)) }),
    ...(pictures && { body: { content: bodies(pictures, options) } }),
    ...(operation.needsToken && { security: [{ token: [] }] }),
    response: Object.fromEntries(responses),
  };
}

/** A query may leave out what a form or JSON has. */
const queryOf = ({ pictures, options }: Operation): z.ZodObject =>
  pictures && pictures.length > 0 ? options!.partial() : options!;

function bodies(pictures: readonly string[], options: z.ZodObject | undefined) {
  const { properties = {}, required = [] } = options ? jsonSchema(options) : {};
  const form = (picture: object) => ({
    schema: {
      type: "object",
      properties: { ...Object.fromEntries(pictures.map((name) => [name, picture])), ...properties },
      required: [...pictures, ...required],
    },
  });
  const binary = { type: "string", contentMediaType: "application/octet-stream" };
  const raw = pictures.length === 1 ? FORMATS.map((type) => [type, { schema: binary }] as const) : [];
  return {
    ...Object.fromEntries(raw),
    "multipart/form-data": form(binary),
    "application/json": form({ type: "string", description: "base64 of the file, or a data: URL" }),
  };
}

function jsonSchema(
  schema: z.ZodType,
): { properties?: object; required?: string[] } & Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest;
}

/** Before the routes are added. */
export async function addOpenApi(server: FastifyInstance, hasToken: boolean): Promise<void> {
  server.setValidatorCompiler(() => () => true);
  server.setSerializerCompiler(() => (value) => JSON.stringify(value));
  await server.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "TopoFR face recognition",
        version: "1",
        description:
          "Detects, compares and identifies faces. Pictures and embeddings are kept only when a face is enrolled.",
      },
      components: hasToken ? { securitySchemes: { token: { type: "http", scheme: "bearer" } } } : {},
    },
  });
}
