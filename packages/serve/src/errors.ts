// What a client is told when something is wrong: one JSON shape, { error: { code, message } }, and a status. What only the operator
// may know (paths, stacks) goes to the log and not into the answer.

import type { Socket } from "node:net";
import { type ErrorCode, TopofrError } from "@topofr/formats";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** Beside the codes of `TopofrError`. */
export type HttpErrorCode =
  | "E_UNAUTHORIZED"
  | "E_FORBIDDEN"
  | "E_NOT_FOUND"
  | "E_TIMEOUT"
  | "E_TOO_LARGE"
  | "E_MEDIA_TYPE"
  | "E_RATE_LIMIT"
  | "E_BUSY"
  | "E_CLOSING"
  | "E_NO_DETECTOR"
  | "E_NO_GALLERY"
  | "E_INTERNAL";

export interface ErrorBody {
  error: { code: ErrorCode | HttpErrorCode; message: string };
}

/** An answer other than success, thrown. */
export class HttpError extends Error {
  override readonly name = "HttpError";

  constructor(
    readonly statusCode: number,
    readonly code: ErrorCode | HttpErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** What the picture is guilty of is the client's business; the rest is the server's. */
const STATUS_OF: Partial<Record<ErrorCode, number>> = { E_FORMAT: 400, E_USAGE: 400, E_DATA: 422 };

export function errorBody(code: ErrorCode | HttpErrorCode, message: string): ErrorBody {
  return { error: { code, message } };
}

/** Status and answer for whatever was thrown. */
export function describeError(error: unknown, limits: { maxUploadBytes: number }): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof TopofrError) {
    const status = STATUS_OF[error.code];
    if (status !== undefined) return new HttpError(status, error.code, error.message, { cause: error });
  } else if (isFastifyError(error) && error.statusCode !== undefined && error.statusCode < 500) {
    return ofFastify(error, error.statusCode, limits);
  }
  return new HttpError(500, "E_INTERNAL", "the server failed; its log says why", { cause: error });
}

function ofFastify(error: FastifyError, status: number, limits: { maxUploadBytes: number }): HttpError {
  const fail = (code: HttpErrorCode | ErrorCode, message = error.message) =>
    new HttpError(status, code, message, { cause: error });
  if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE" || error.code === "FST_REQ_FILE_TOO_LARGE")
    return tooLarge(limits.maxUploadBytes, error);
  if (status === 413) return new HttpError(400, "E_USAGE", `${error.message}: too many parts in the form`);
  if (status === 415)
    return fail(
      "E_MEDIA_TYPE",
      "content-type: send a picture as image/* or application/octet-stream, a form as multipart/form-data, or JSON with base64",
    );
  return status === 404 ? fail("E_NOT_FOUND") : fail("E_USAGE");
}

/** 413 naming the limit. */
export function tooLarge(maxUploadBytes: number, cause?: unknown): HttpError {
  const limit = `${maxUploadBytes.toLocaleString("en")} bytes`;
  return new HttpError(413, "E_TOO_LARGE", `the upload is larger than ${limit}, the limit of a picture`, {
    cause,
  });
}

const isFastifyError = (error: unknown): error is FastifyError =>
  error instanceof Error && "statusCode" in error && typeof error.statusCode === "number";

/** Makes every error of `server` an `ErrorBody`, unknown paths included. */
export function handleErrors(server: FastifyInstance, limits: { maxUploadBytes: number }): void {
  server.setErrorHandler((thrown: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const { statusCode, code, message, cause } = describeError(thrown, limits);
    // Messages of client errors may quote what was sent, a name for example: they are not logged.
    if (statusCode >= 500) request.log.error({ err: cause ?? thrown, code }, "request failed");
    else request.log.info({ code }, "request refused");
    if (statusCode === 503) reply.header("retry-after", 1);
    return reply.code(statusCode).send(errorBody(code, message));
  });
  server.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .send(errorBody("E_NOT_FOUND", `${request.method} ${request.url.split("?")[0]}: not here`)),
  );
}

/** For Fastify's `frameworkErrors`: addresses that cannot be decoded. */
export function answerBadAddress(error: FastifyError, _: FastifyRequest, reply: FastifyReply): void {
  reply.code(error.statusCode ?? 400).send(errorBody("E_USAGE", error.message));
}

/** For Fastify's `clientErrorHandler`: what is not HTTP, or does not arrive in time. No request is known then, only its connection. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy(error);
    return;
  }
  const [status, reason, code, message] = BROKEN[error.code ?? ""] ?? BROKEN.other!;
  const body = JSON.stringify(errorBody(code, message));
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

type Broken = [status: number, reason: string, code: ErrorCode | HttpErrorCode, message: string];

const BROKEN: Record<string, Broken> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, "Request Timeout", "E_TIMEOUT", "the request did not arrive in time"],
  HPE_HEADER_OVERFLOW: [431, "Request Header Fields Too Large", "E_TOO_LARGE", "the headers are too large"],
  other: [400, "Bad Request", "E_USAGE", "this is not an HTTP request"],
};
