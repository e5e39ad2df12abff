// The server put together: who may use it, how much, what is counted and logged, and the routes. It does not listen yet.

import type { Socket } from "node:net";
import helmet from "@fastify/helmet";
import multipart from "@fastify/multipart";
import rateLimit from "@fastify/rate-limit";
import fastifyStatic from "@fastify/static";
import { TopofrError } from "@topofr/formats";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { checkAccess, guard } from "./access.js";
import { answerBadAddress, answerBrokenRequest, HttpError, handleErrors } from "./errors.js";
import { addMetrics, type Metrics } from "./metrics.js";
import { addOpenApi } from "./openapi.js";
import { completeOptions, type ServerOptions, type Settings } from "./options.js";
import { addPage, pagePolicy } from "./pageFiles.js";
import { createPipeline, type Pipeline } from "./pipeline.js";
import { addGalleryRoutes } from "./routes/gallery.js";
import { addModelRoutes } from "./routes/model.js";
import { addGuardedOperations, addOpenOperations } from "./routes/operations.js";
import { addRecognitionRoutes } from "./routes/recognition.js";

/** What the routes work with. */
export interface Service {
  settings: Settings;
  pipeline: Pipeline;
  metrics: Metrics;
}

/**
 * A server that is ready to listen (`server.listen({ host, port })`, with the same host). `server.close()` refuses new requests and
 * waits for those in work.
 *
 * @throws E_USAGE when others could reach `host` and no token is given; E_MODEL when the gallery is of another model
 */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const settings = completeOptions(options);
  checkAccess(settings);
  checkGallery(settings);
  const server = Fastify({
    logger: options.log ? { stream: options.log, serializers: { req: describeRequest } } : false,
    bodyLimit: jsonLimit(settings.maxUploadBytes),
    requestTimeout: Math.ceil(1000 * settings.timeoutSeconds),
    frameworkErrors: answerBadAddress,
    clientErrorHandler: answerBrokenRequest,
    trustProxy: settings.trustProxy,
    routerOptions: { maxParamLength: 4096 }, // a name, percent-encoded
    return503OnClosing: false, // refuseWhenClosing does, in our shape
  });
  handleErrors(server, settings);
  refuseWhenClosing(server);
  const work = new InWork(settings.mostRequests);
  const metrics = addMetrics(server, {
    waiting: () => pipeline.waiting,
    requests: () => work.count,
    templates: () => settings.gallery?.size ?? null,
  });
  const pipeline = createPipeline(settings, metrics);
  const service = { settings, pipeline, metrics };

  await server.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: pagePolicy(settings.page) },
    crossOriginEmbedderPolicy: true, // threads of WebAssembly need it
    strictTransportSecurity: false, // the proxy's, where there is TLS
  });
  await server.register(multipart);
  await server.register(rateLimit, { global: false });
  await server.register(fastifyStatic, { serve: false }); // reply.sendFile
  await addOpenApi(server, settings.token !== undefined);
  takePictures(server, settings.maxUploadBytes);

  addOpenOperations(server);
  if (settings.page) await addPage(server);
  await server.register(async (guarded) => {
    if (settings.rateLimit) guarded.addHook("onRequest", rateHook(server, settings.rateLimit));
    await guard(guarded, settings);
    guarded.addHook("onSend", async (_, reply) => {
      if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
    });
    addGuardedOperations(guarded, service);
    addModelRoutes(guarded, service);
    await guarded.register(async (working) => {
      working.addHook("onRequest", async (_, reply) => work.enter(reply));
      addRecognitionRoutes(working, service);
      addGalleryRoutes(working, service);
    });
  });
  await server.ready();
  return server;
}

function checkGallery({ gallery, recognizer }: Settings): void {
  if (gallery === undefined || gallery.dimension === recognizer.dimension) return;
  throw new TopofrError(
    "E_MODEL",
    `the gallery has embeddings of ${gallery.dimension} numbers, the model ${recognizer.model.name} gives ` +
      `${recognizer.dimension}; open the gallery of this model, or the model of this gallery`,
  );
}

/** The path may hold a name, the query too: neither is logged. */
const describeRequest = ({ method, routeOptions, ip }: FastifyRequest) => ({
  method,
  route: routeOptions.url ?? "none",
  address: ip,
});

/** Bytes of JSON with two pictures in base64, and some room. */
const jsonLimit = (maxUploadBytes: number) => 2 * 4 * Math.ceil(maxUploadBytes / 3) + 2 ** 16;

function refuseWhenClosing(server: FastifyInstance): void {
  let closing = false;
  // Connections that never asked for anything: browsers open some in advance. Node does not count them as idle.
  const silent = new Set<Socket>();
  server.server.on("connection", (socket: Socket) => {
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
  });
  server.server.on("request", ({ socket }) => silent.delete(socket));
  server.addHook("preClose", async () => {
    closing = true;
    for (const socket of silent) socket.destroy();
  });
  server.addHook("onRequest", async () => {
    if (closing) throw new HttpError(503, "E_CLOSING", "the server is closing");
  });
  server.addHook("onSend", async (_, reply) => {
    if (closing) reply.header("connection", "close"); // else it would wait until the client lets go
  });
}

/** Pictures as they are; text is no picture. */
function takePictures(server: FastifyInstance, maxUploadBytes: number): void {
  server.removeContentTypeParser("text/plain");
  for (const type of [/^image\//, "application/octet-stream"])
    server.addContentTypeParser(type, { parseAs: "buffer", bodyLimit: maxUploadBytes }, (_, body, done) =>
      done(null, body),
    );
}

function rateHook(
  server: FastifyInstance,
  { requests, windowSeconds }: { requests: number; windowSeconds: number },
) {
  return server.rateLimit({
    max: requests,
    timeWindow: 1000 * windowSeconds,
    errorResponseBuilder: (_, { max, ttl }) =>
      new HttpError(
        429,
        "E_RATE_LIMIT",
        `more than ${max} requests in ${windowSeconds} seconds; go on in ${Math.ceil(ttl / 1000)} seconds`,
      ),
  });
}

/** How many requests are in work, uploads included. */
class InWork {
  count = 0;

  constructor(readonly most: number) {}

  /** @throws HttpError 503 */
  enter({ raw }: FastifyReply): void {
    if (this.count >= this.most)
      throw new HttpError(503, "E_BUSY", `${this.count} requests are in work already; try again later`);
    this.count++;
    raw.once("close", () => this.count--);
  }
}
