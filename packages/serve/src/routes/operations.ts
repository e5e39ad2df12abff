// For those who run the server: is it alive, is it ready, what can it do, how much does it do.

import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { describeRoute } from "../openapi.js";
import type { Service } from "../server.js";

const state = z.object({ status: z.string() });

/** Open to everyone who reaches the server; they say nothing about models or people. */
export function addOpenOperations(server: FastifyInstance): void {
  server.get(
    "/health",
    { schema: describeRoute({ summary: "The process is alive", answer: state }) },
    async () => ({
      status: "ok",
    }),
  );
  server.get(
    "/ready",
    { schema: describeRoute({ summary: "Requests are taken", answer: state, errors: { 503: "closing" } }) },
    async () => ({ status: "ready" }),
  );
  server.get("/openapi.json", { schema: { hide: true } }, async () => server.swagger());
}

export function addGuardedOperations(server: FastifyInstance, { metrics, settings }: Service): void {
  server.get(
    "/metrics",
    {
      schema: describeRoute({
        summary: "Counts and times, in Prometheus's text format",
        answer: z.string(),
        answerType: "text/plain",
        needsToken: settings.token !== undefined,
      }),
    },
    async (_, reply) => reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
