// What is served, and the files themselves for browsers that compute on their own.

import { basename, dirname, resolve } from "node:path";
import type { FastifyInstance } from "fastify";
import { describeRoute } from "../openapi.js";
import { type ModelAnswer, modelAnswer } from "../schemas.js";
import type { Service } from "../server.js";

const MODEL_URL = "/models/model.onnx";
const DETECTOR_URL = "/models/detector.onnx";

export function addModelRoutes(server: FastifyInstance, { settings }: Service): void {
  const { recognizer, gallery, browser, rates, maxUploadBytes, token } = settings;
  const needsToken = token !== undefined;
  server.get(
    "/v1/model",
    { schema: describeRoute({ summary: "What is served", answer: modelAnswer, needsToken }) },
    async (): Promise<ModelAnswer> => ({
      model: recognizer.model,
      dimension: recognizer.dimension,
      imageSize: recognizer.imageSize,
      card: { ...recognizer.card },
      detector: recognizer.hasDetector,
      gallery: gallery !== undefined,
      threshold: recognizer.threshold,
      rates: rates.map(({ threshold, farReached, tar, impostors, note }) => ({
        ...{ threshold, far: farReached, tar, impostors, note },
      })),
      maxUploadBytes,
      browser: browser
        ? {
            model: MODEL_URL,
            detector: browser.detector === undefined ? null : DETECTOR_URL,
            flip: browser.flip,
            minScore: browser.minScore ?? null,
          }
        : null,
    }),
  );
  const file = (url: string, path: string) =>
    server.get(url, { schema: { hide: true } }, async (_, reply) =>
      // The browser may keep it, and asks each time whether it is still the one.
      reply
        .header("cache-control", "private, no-cache")
        .sendFile(basename(path), dirname(resolve(path)), { cacheControl: false }),
    );
  if (browser) file(MODEL_URL, browser.model);
  if (browser?.detector !== undefined) file(DETECTOR_URL, browser.detector);
}
