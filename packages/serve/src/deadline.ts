// How long the work for a request goes on: until its client leaves, or until the time is over.

import type { FastifyReply } from "fastify";
import { HttpError } from "./errors.js";

/** Runs `work`, whose signal is aborted when nobody waits for its result any more; over time the answer is 503. */
export async function withDeadline<T>(
  reply: FastifyReply,
  seconds: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const clientLeft = () =>
    controller.abort(new HttpError(400, "E_USAGE", "the client left before its answer was ready"));
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const late = new HttpError(503, "E_TIMEOUT", `the request took longer than ${seconds} seconds`);
      controller.abort(late);
      reject(late);
    }, 1000 * seconds);
  });
  reply.raw.once("close", clientLeft);
  try {
    return await Promise.race([work(controller.signal), deadline]);
  } finally {
    clearTimeout(timer);
    reply.raw.off("close", clientLeft);
  }
}
