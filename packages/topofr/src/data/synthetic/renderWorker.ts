// The thread that draws: takes one person at a time from writeWorld.ts, draws, encodes and writes all pictures of them, and
// answers with their lines for samples.jsonl.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { fileError, TopofrError } from "@topofr/formats";
import sharp from "sharp";
import { identityName } from "./pairs.js";
import { CROP_SIZE } from "./raster.js";
import { renderFace } from "./render.js";
import { sampleRecord } from "./sampleRecord.js";
import { describeImage, type SyntheticWorldOptions } from "./world.js";

export interface RenderSetup {
  folder: string;
  world: SyntheticWorldOptions;
  format: "jpg" | "png";
  quality: number;
}

/** One person's pictures are written, or could not be. */
export type RenderReply =
  | { identity: number; lines: string[]; hard: number }
  | { identity: number; problem: { code: TopofrError["code"]; message: string } };

if (parentPort) serve(parentPort, workerData as RenderSetup);

function serve(port: NonNullable<typeof parentPort>, setup: RenderSetup): void {
  sharp.concurrency(1);
  port.on("message", (identity: number) => {
    drawPerson(setup, identity).then(
      (reply) => port.postMessage(reply),
      (error: unknown) => {
        const known = error instanceof TopofrError ? error : new TopofrError("E_FILE", String(error));
        const problem = { code: known.code, message: known.message };
        port.postMessage({ identity, problem } satisfies RenderReply);
      },
    );
  });
}

async function drawPerson(setup: RenderSetup, identity: number): Promise<RenderReply> {
  const { folder, world, format } = setup;
  const name = identityName(world, identity);
  await mkdir(join(folder, name), { recursive: true }).catch((error: unknown) => {
    throw fileError(join(folder, name), "make the folder", error);
  });
  const lines: string[] = [];
  const writing: Promise<void>[] = [];
  let hard = 0;
  for (let image = 0; image < world.imagesPerIdentity; image++) {
    const description = describeImage(world, identity, image);
    const file = `${name}/${name}_${String(image + 1).padStart(4, "0")}.${format}`;
    const pixels = renderFace(description.identity, description.appearance);
    writing.push(save(join(folder, file), pixels, setup)); // encoded by other threads while the next is drawn
    if (description.difficulty !== "easy") hard++;
    lines.push(JSON.stringify(sampleRecord(file, name, description)));
    if (writing.length >= 8) await writing.shift();
  }
  await Promise.all(writing);
  return { identity, lines, hard };
}

async function save(path: string, pixels: Uint8Array, { format, quality }: RenderSetup): Promise<void> {
  const image = sharp(pixels, { raw: { width: CROP_SIZE, height: CROP_SIZE, channels: 3 } });
  const bytes = await (format === "png" ? image.png() : image.jpeg({ quality })).toBuffer();
  await writeFile(path, bytes).catch((error: unknown) => {
    throw fileError(path, "write the image", error);
  });
}
