// The gallery over HTTP: enrol, list, remove. Enrolment is the only thing that keeps anything: an embedding and a name, no picture.

import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { HttpError } from "../errors.js";
import { describeRoute } from "../openapi.js";
import * as schemas from "../schemas.js";
import type { Service } from "../server.js";
import { readOptions } from "../upload.js";
import { addPictureRoute, faceAnswer, needGallery, PICTURE_ERRORS } from "./recognition.js";

const NO_GALLERY = "the server has no gallery";
const personParams = z.object({ identity: z.string() });

export function addGalleryRoutes(server: FastifyInstance, service: Service): void {
  const { pipeline, settings } = service;
  const { gallery } = settings;
  const needsToken = settings.token !== undefined;

  addPictureRoute(
    server,
    service,
    "/v1/gallery",
    {
      summary: "Enrol the face of a picture",
      description:
        "Keeps the embedding under the identity; the picture is not kept. Several templates of one identity are fine.",
      pictures: ["image"],
      options: schemas.enrolOptions,
      answer: schemas.enrolAnswer,
      status: 201,
      errors: { ...PICTURE_ERRORS, 501: NO_GALLERY },
    },
    async ([image], { identity, note, choice }, signal, reply) => {
      const store = needGallery(gallery);
      const [face] = await pipeline.recognize(image!, choice, signal);
      signal.throwIfAborted(); // who left is not enrolled
      const entry = { identity, embedding: face!.embedding, ...(note !== undefined && { note }) };
      const [id] = await store.add([entry]);
      reply.code(201);
      return { identity, id: id!, face: faceAnswer(face!) } satisfies z.output<typeof schemas.enrolAnswer>;
    },
  );

  server.get(
    "/v1/gallery",
    {
      schema: describeRoute({
        summary: "Who is in the gallery",
        options: schemas.listOptions,
        answer: schemas.listAnswer,
        errors: { 400: "wrong options", 501: NO_GALLERY },
        needsToken,
      }),
    },
    async (request): Promise<z.output<typeof schemas.listAnswer>> => {
      const store = needGallery(gallery);
      const { offset, limit } = readOptions(schemas.listOptions, request.query as object);
      const identities = store.identities();
      return {
        templates: store.size,
        total: identities.length,
        identities: identities.slice(offset, offset + limit),
      };
    },
  );

  server.delete(
    "/v1/gallery/:identity",
    {
      schema: describeRoute({
        summary: "Forget an identity, all its templates",
        params: personParams,
        answer: schemas.removeAnswer,
        errors: { 404: "the identity is not in the gallery", 501: NO_GALLERY },
        needsToken,
      }),
    },
    async (request): Promise<z.output<typeof schemas.removeAnswer>> => {
      const store = needGallery(gallery);
      const { identity } = request.params as z.output<typeof personParams>;
      const removed = await store.remove({ identity });
      if (removed === 0) throw new HttpError(404, "E_NOT_FOUND", "the identity is not in the gallery");
      return { identity, removed };
    },
  );
}
