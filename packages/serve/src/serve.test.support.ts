// A recogniser and a gallery without networks and files. A picture is text, "picture 640x480 faces 3 7": its size, and whose faces it has;
// the embedding of person k is the unit vector k.

import { TopofrError } from "@topofr/formats";
import {
  type AlignedFace,
  completeCard,
  type Face,
  type LocatedFace,
  type Picture,
  type RecognizeOptions,
  type Recognizer,
} from "@topofr/recognizer";
import type { Gallery } from "@topofr/recognizer/gallery";
import type { FastifyInstance } from "fastify";
import type { ServerOptions } from "./options.js";
import { createServer } from "./server.js";

export const DIMENSION = 8;
const MOST_PIXELS = 1e6;
const people = new WeakMap<Picture, number[]>();

export const picture = (...faces: number[]): Buffer =>
  Buffer.from(`picture 640x480 faces ${faces.join(" ")}`);

export interface FakeRecognizer extends Recognizer {
  /** Sizes of the batches embedded. */
  batches: number[];
  /** Waited for before each batch is embedded. */
  gate: Promise<void>;
}

export function fakeRecognizer(given: Partial<Recognizer> = {}): FakeRecognizer {
  const notUsed = () => Promise.reject(new Error("not used by the server"));
  const align = (who: number): AlignedFace => ({ pixels: Uint8Array.of(who, 0, 0), size: 1 });
  const facesOf = (source: Picture): Face[] =>
    people.get(source)!.map((_, k) => ({
      box: { x: 10 + 100 * k, y: 20, width: 80, height: 90 },
      landmarks: Float32Array.from({ length: 10 }, (_, i) => i + 100 * k),
      score: 0.9 - 0.1 * k,
    }));
  const fake: FakeRecognizer = {
    dimension: DIMENSION,
    imageSize: 112,
    model: { name: "fake", sha256: "00" },
    card: completeCard({ name: "fake" }),
    hasDetector: true,
    threshold: 0.5,
    batches: [],
    gate: Promise.resolve(),
    async read(source) {
      const text = Buffer.from(source as Uint8Array).toString("latin1");
      const found = /^picture (\d+)x(\d+) faces ?([\d ]*)$/.exec(text);
      if (!found) throw new TopofrError("E_FORMAT", `picture of ${text.length} bytes: not an image`);
      const [width, height] = [Number(found[1]), Number(found[2])];
      if (width * height > MOST_PIXELS)
        throw new TopofrError("E_DATA", `${width}x${height}: the limit is ${MOST_PIXELS} pixels`);
      const read = { width, height, pixels: new Uint8Array() };
      people.set(read, found[3] === "" ? [] : found[3]!.split(" ").map(Number));
      return read;
    },
    detect: async (source) => facesOf(source as Picture),
    async locate(source, { choice = "largest", all = false }: RecognizeOptions = {}): Promise<LocatedFace[]> {
      const faces = facesOf(source as Picture);
      const located = faces.map((face, k) => ({
        ...{ ...face, of: faces.length },
        aligned: align(people.get(source as Picture)![k]!),
      }));
      if (all) return located;
      if (faces.length === 0) throw new TopofrError("E_DATA", "no face found");
      if (faces.length > 1 && choice === "only")
        throw new TopofrError("E_DATA", `${faces.length} faces found where one is expected`);
      return located.slice(0, 1);
    },
    async embed(faces) {
      fake.batches.push(faces.length);
      await fake.gate;
      return faces.map(({ pixels }) =>
        Float32Array.from({ length: DIMENSION }, (_, k) => +(k === pixels[0])),
      );
    },
    align: () => align(0),
    ...{ recognize: notUsed, verify: notUsed, identify: notUsed },
    close: async () => {},
    ...given,
  };
  return fake;
}

export function fakeGallery(): Gallery {
  let next = 0;
  let entries: { id: string; identity: string; embedding: Float32Array }[] = [];
  const gallery: Pick<Gallery, "dimension" | "size" | "add" | "remove" | "identities" | "search"> = {
    dimension: DIMENSION,
    get size() {
      return entries.length;
    },
    async add(added) {
      const kept = added.map(({ identity, embedding }) => ({ id: `t${next++}`, identity, embedding }));
      entries.push(...kept);
      return kept.map(({ id }) => id);
    },
    async remove(which) {
      const before = entries.length;
      entries = entries.filter(({ identity }) => !("identity" in which) || identity !== which.identity);
      return before - entries.length;
    },
    identities() {
      const counts = new Map<string, number>();
      for (const { identity } of entries) counts.set(identity, (counts.get(identity) ?? 0) + 1);
      return [...counts].map(([identity, templates]) => ({ identity, templates }));
    },
    async search(embedding, { top }) {
      const scored = entries.map(({ id, identity, embedding: other }) => ({
        ...{ id, identity },
        similarity: other.reduce((sum, value, k) => sum + value * embedding[k]!, 0),
      }));
      return scored.sort((a, b) => b.similarity - a.similarity).slice(0, top);
    },
  };
  return gallery as Gallery;
}

/** A server on loopback without a token, unless options say otherwise. */
export async function fakeServer(
  options: Partial<ServerOptions> = {},
): Promise<FastifyInstance & { fake: FakeRecognizer }> {
  const fake = (options.recognizer as FakeRecognizer | undefined) ?? fakeRecognizer();
  const server = await createServer({ recognizer: fake, host: "127.0.0.1", ...options });
  return Object.assign(server, { fake });
}

/** The body and headers of a form. */
export function form(parts: Record<string, Buffer | string>) {
  const boundary = "----boundary";
  const chunks = Object.entries(parts).map(([name, value]) => {
    const file = typeof value === "string" ? "" : `; filename="${name}.jpg"\r\ncontent-type: image/jpeg`;
    const head = `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${file}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head), Buffer.from(value), Buffer.from("\r\n")]);
  });
  return {
    payload: Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]),
    headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
  };
}

/** Waits until `condition` holds; a test that hangs here names it by its place. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await soon(2);
}

export const soon = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
