// Faces of one picture or two: detect, embed, verify, identify. Nothing of a request is kept.

import type { RecognizedFace } from "@topofr/recognizer";
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from "fastify";
import type { z } from "zod";
import { withDeadline } from "../deadline.js";
import { HttpError } from "../errors.js";
import { describeRoute, type Operation } from "../openapi.js";
import * as schemas from "../schemas.js";
import type { Service } from "../server.js";
import { readUpload } from "../upload.js";

const NO_FACE = "no face, or several where one was asked for";
export const PICTURE_ERRORS = {
  400: "not a picture, or wrong options",
  413: "the picture has too many bytes or pixels",
  415: "another kind of body",
  422: NO_FACE,
};

/** A route that takes pictures. */
export function addPictureRoute<Options extends z.ZodObject>(
  server: FastifyInstance,
  { settings }: Service,
  url: string,
  operation: Operation & { pictures: readonly string[]; options: Options },
  handle: (
    pictures: Uint8Array[],
    options: z.output<Options>,
    signal: AbortSignal,
    reply: FastifyReply,
  ) => Promise<unknown>,
): void {
  const { pictures: names, options } = operation;
  const schema = describeRoute({
    errors: PICTURE_ERRORS,
    ...operation,
    needsToken: settings.token !== undefined,
  });
  const route: RouteShorthandOptions = { schema };
  server.post(url, route, (request: FastifyRequest, reply: FastifyReply) =>
    withDeadline(reply, settings.timeoutSeconds, async (signal) => {
      const upload = await readUpload(request, { names, options }, settings.maxUploadBytes);
      return handle(upload.pictures, upload.options, signal, reply);
    }),
  );
}

export function addRecognitionRoutes(server: FastifyInstance, service: Service): void {
  const { pipeline } = service;
  const { recognizer, gallery } = service.settings;

  addPictureRoute(
    server,
    service,
    "/v1/detect",
    {
      summary: "Find the faces of a picture",
      pictures: ["image"],
      options: schemas.detectOptions,
      answer: schemas.detectAnswer,
      errors: { ...PICTURE_ERRORS, 501: "the server has no detector" },
    },
    async ([image], _, signal): Promise<z.output<typeof schemas.detectAnswer>> => {
      if (!recognizer.hasDetector)
        throw new HttpError(501, "E_NO_DETECTOR", "this server was started without a detector");
      const { width, height, faces } = await pipeline.detect(image!, signal);
      return { width, height, faces: faces.map(faceAnswer) };
    },
  );

  addPictureRoute(
    server,
    service,
    "/v1/embed",
    {
      summary: "Embeddings of the faces of a picture",
      pictures: ["image"],
      options: schemas.embedOptions,
      answer: schemas.embedAnswer,
    },
    async ([image], { choice }, signal): Promise<schemas.EmbedAnswer> => {
      const faces = await pipeline.recognize(image!, choice, signal);
      return {
        model: recognizer.model,
        of: faces[0]?.of ?? 0,
        faces: faces.map((face) => ({ ...faceAnswer(face), embedding: numbers(face.embedding) })),
      };
    },
  );

  addPictureRoute(
    server,
    service,
    "/v1/verify",
    {
      summary: "Compare the faces of two pictures",
      pictures: ["a", "b"],
      options: schemas.verifyOptions,
      answer: schemas.verifyAnswer,
    },
    async ([a, b], options, signal): Promise<z.output<typeof schemas.verifyAnswer>> => {
      const result = await pipeline.verify(a!, b!, options, signal);
      const { similarity, threshold, same } = result;
      const answer = (face: RecognizedFace) => ({ ...faceAnswer(face), of: face.of });
      return { similarity, threshold, same, a: answer(result.a), b: answer(result.b) };
    },
  );

  addPictureRoute(
    server,
    service,
    "/v1/identify",
    {
      summary: "Find the faces of a picture in the gallery",
      pictures: ["image"],
      options: schemas.identifyOptions,
      answer: schemas.identifyAnswer,
      errors: { ...PICTURE_ERRORS, 501: "the server has no gallery" },
    },
    async ([image], { choice, top, threshold: asked }, signal) => {
      const store = needGallery(gallery);
      const threshold = asked ?? recognizer.threshold;
      const faces = await pipeline.recognize(image!, choice, signal);
      const answers = faces.map(async (face) => {
        const matches = await store.search(face.embedding, { top });
        const enough = matches.filter(({ similarity }) => threshold === null || similarity >= threshold);
        return { ...faceAnswer(face), matches: enough };
      });
      return { threshold, faces: await Promise.all(answers) } satisfies z.output<
        typeof schemas.identifyAnswer
      >;
    },
  );
}

/** @throws HttpError 501 */
export function needGallery<Gallery>(gallery: Gallery | undefined): Gallery {
  if (gallery !== undefined) return gallery;
  throw new HttpError(501, "E_NO_GALLERY", "this server was started without a gallery");
}

/** What a face says of itself, without its embedding. */
export function faceAnswer({ box, landmarks, score }: Pick<RecognizedFace, "box" | "landmarks" | "score">) {
  const points = Array.from({ length: landmarks.length / 2 }, (_, k): [number, number] => [
    short(landmarks[2 * k]!),
    short(landmarks[2 * k + 1]!),
  ]);
  const { x, y, width, height } = box;
  return {
    box: { x: short(x), y: short(y), width: short(width), height: short(height) },
    landmarks: points,
    score: short(score),
  } satisfies schemas.FaceAnswer;
}

/** Nine digits say a float32 exactly. */
const numbers = (embedding: Float32Array) => Array.from(embedding, (value) => Number(value.toPrecision(9)));
/** A hundredth of a pixel is more than a detector knows. */
const short = (value: number) => Math.round(value * 1e4) / 1e4;
