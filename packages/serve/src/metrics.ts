// Numbers for Prometheus: what was asked, how long it took, how full the batches are. Counts only, nothing of a person.

import type { FastifyInstance } from "fastify";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** Seconds: an embedding takes milliseconds on a GPU, and a second for a large network on an old processor. */
const LATENCIES = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128];

export interface Metrics {
  registry: Registry;
  /** Faces found in pictures. */
  faces(count: number): void;
  /** Faces embedded in one call. */
  batch(size: number): void;
}

/** What is read when metrics are asked for. */
export interface Gauges {
  /** Faces that wait to be embedded. */
  waiting(): number;
  /** Requests in work. */
  requests(): number;
  /** Templates of the gallery; null without one. */
  templates(): number | null;
}

/** Counts every request of `server`, whose routes are added after this. */
export function addMetrics(server: FastifyInstance, gauges: Gauges): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: "topofr_requests_total",
    help: "Requests answered",
    labelNames: ["method", "route", "status"] as const,
    registers,
  });
  const seconds = new Histogram({
    name: "topofr_request_seconds",
    help: "Time from a request's headers to its answer's end",
    labelNames: ["route"] as const,
    buckets: LATENCIES,
    registers,
  });
  const batches = new Histogram({
    name: "topofr_embed_batch_faces",
    help: "Faces embedded in one call of the network",
    buckets: BATCH_SIZES,
    registers,
  });
  const faces = new Counter({ name: "topofr_faces_total", help: "Faces found in pictures", registers });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge("topofr_queue_faces", "Faces that wait to be embedded", gauges.waiting);
  gauge("topofr_requests_in_work", "Requests whose answer is not sent yet", gauges.requests);
  if (gauges.templates() !== null)
    gauge("topofr_gallery_templates", "Templates of the gallery", () => gauges.templates() ?? 0);

  server.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "none"; // the pattern: a path may hold a name
    requests.inc({ method: request.method, route, status: String(reply.statusCode) });
    seconds.observe({ route }, reply.elapsedTime / 1000);
  });
  return {
    registry,
    faces: (count) => faces.inc(count),
    batch: (size) => batches.observe(size),
  };
}
