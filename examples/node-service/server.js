// POST /compare, a form with the pictures `a` and `b` -> { similarity, threshold, same, faces }. Nothing is kept or logged of them.
// `topofr serve` is the complete service: token, limits of requests, batching, metrics, a gallery, a page.
import process from "node:process";
import multipart from "@fastify/multipart";
import { openRecognizer } from "@topofr/recognizer";
import Fastify from "fastify";

const { MODEL = "model.onnx", DETECTOR = "detector.onnx", THRESHOLD = "", PORT = "3000" } = process.env;
const MOST_BYTES = 10 * 2 ** 20; // of a picture
/** What is wrong with a picture is the client's business; the rest is ours. */
const STATUS = { E_USAGE: 400, E_FORMAT: 400, E_DATA: 422 };

const recognizer = await openRecognizer({
  model: MODEL,
  detector: DETECTOR,
  threshold: THRESHOLD === "" ? null : Number(THRESHOLD),
});

const app = Fastify({ forceCloseConnections: "idle" });
await app.register(multipart, { limits: { files: 2, fields: 0, fileSize: MOST_BYTES } });

app.post("/compare", async (request, reply) => {
  const pictures = {};
  for await (const part of request.files()) pictures[part.fieldname] = await part.toBuffer();
  const { a, b } = pictures;
  if (!a || !b) return reply.code(400).send({ code: "E_USAGE", message: "send two pictures, as a and b" });
  const result = await recognizer.verify(a, b);
  const { similarity, threshold, same } = result;
  return { similarity, threshold, same, faces: { a: faceOf(result.a), b: faceOf(result.b) } };
});

/** `of` says how many faces the picture has: the largest was taken. */
const faceOf = ({ box, score, of }) => ({ box, score, of });

app.setErrorHandler((error, _request, reply) => {
  const { code = "E_INTERNAL", message } = error;
  const status = STATUS[code] ?? error.statusCode ?? 500;
  if (status < 500) return reply.code(status).send({ code, message });
  process.stderr.write(`${error.stack}\n`);
  return reply.code(500).send({ code: "E_INTERNAL", message: "the service failed; its log says why" });
});

for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, async () => {
    await app.close(); // answers what was asked
    await recognizer.close();
  });

const address = await app.listen({ host: "127.0.0.1", port: Number(PORT) });
process.stdout.write(
  `${address}/compare: ${recognizer.model.name}, ${recognizer.dimension} numbers a face\n`,
);
