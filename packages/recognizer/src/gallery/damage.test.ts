// Broken gallery files, killed writers, full disks: an error that says so, never a crash, and nothing acknowledged is lost.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { TopofrError } from "@topofr/formats";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  MODEL,
  newGallery,
  temporaryFolder,
  topofrError,
  unitVectors,
  withGallery,
} from "./gallery.test.support.js";
import { openGallery } from "./openGallery.js";

/** Six adds of two templates, and one removal, in a closed file. */
async function smallGallery(): Promise<string> {
  const { path, gallery } = await newGallery(8);
  const vectors = unitVectors(12, 8);
  for (let i = 0; i < 12; i += 2)
    await gallery.add([i, i + 1].map((k) => ({ identity: `p${k}`, embedding: vectors[k]! })));
  await gallery.close();
  return path;
}

describe("a file that is cut or changed", () => {
  test("cut short anywhere: said so, with the bytes that are missing", async () => {
    const path = await smallGallery();
    const { size } = statSync(path);
    for (const length of [size - 1, size - 100, 400, 40, 20, 3]) {
      truncateSync(path, length);
      const error = await topofrError(() => openGallery(path, { readOnly: true }));
      expect(error.code).toBe("E_FORMAT");
      expect(error.message).toMatch(
        length < 8 ? /not a gallery/ : /\d+ bytes were written, \d+ are there; the file was cut short/,
      );
    }
  });

  test("a changed byte is named with its record", async () => {
    const path = await smallGallery();
    const bytes = readFileSync(path);
    const start = 32 + bytes.readUInt32LE(12);
    bytes[start + 100]! ^= 4;
    writeFileSync(path, bytes);
    const error = await topofrError(() => openGallery(path));
    expect(error.message).toBe(
      `${path}: record 0 at byte ${start}: wrong checksum; the file is damaged: restore it from a copy`,
    );
    expect(readdirSync(dirname(path))).toEqual(["people.gallery"]); // the lock is released
    expect(readFileSync(path).equals(bytes)).toBe(true); // and nothing was repaired behind anybody's back
  });

  test("an append that was interrupted is dropped by the next writer, and ignored by readers", async () => {
    const path = await smallGallery();
    const whole = readFileSync(path);
    for (const rest of [
      Buffer.of(1),
      Buffer.alloc(8),
      Buffer.from("\x64\0\0\0abcdefgh", "latin1"),
      Buffer.alloc(5000),
    ]) {
      appendFileSync(path, rest);
      await withGallery(path, { readOnly: true }, (gallery) => {
        expect(gallery.size).toBe(12);
        expect(gallery.droppedBytes).toBe(rest.length);
      });
      await withGallery(path, {}, (gallery) => expect(gallery.droppedBytes).toBe(rest.length));
      expect(readFileSync(path).equals(whole)).toBe(true);
    }
  });

  test("200 mutations: opens, or says what is wrong", async () => {
    const path = await smallGallery();
    const whole = readFileSync(path);
    const place = fc.nat({ max: whole.length - 1 });
    const cut = place.map((length) => whole.subarray(0, length));
    const changed = fc
      .array(fc.tuple(place, fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 })
      .map((changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        return bytes;
      });
    const noise = fc
      .uint8Array({ maxLength: 300 })
      .map((bytes) => Buffer.concat([whole.subarray(0, 40), bytes]));
    await fc.assert(
      fc.asyncProperty(fc.oneof(cut, changed, noise, fc.uint8Array({ maxLength: 100 })), async (bytes) => {
        writeFileSync(path, bytes);
        try {
          await withGallery(path, { readOnly: true }, (gallery) => gallery.identities());
        } catch (error) {
          expect(error).toBeInstanceOf(TopofrError);
        }
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  test("records whose checksums are right and whose content is not (of a bug, or forged)", async () => {
    const path = await smallGallery();
    const { recordHead, encodeAcknowledged } = await import("./logFormat.js");
    const bytes = readFileSync(path);
    const head = bytes.subarray(0, 32 + bytes.readUInt32LE(12));
    const words = (...values: number[]) => Buffer.from(Uint32Array.from(values).buffer);
    const added = (text: string) =>
      Buffer.concat([words(1, 1), Buffer.alloc(16), words(text.length), Buffer.from(text), Buffer.alloc(32)]);
    for (const payload of [
      Buffer.alloc(0),
      words(9, 1),
      words(2, 4_000_000_000),
      words(1, 4_000_000_000, 0, 0),
      added("nonsense"),
      added("[[1,null]]"),
      added("[]"),
      words(1, 1, 0, 0, 0, 0, 4_000_000_000),
    ]) {
      const file = Buffer.concat([head, recordHead(payload), payload]);
      file.set(encodeAcknowledged(file.length), 16);
      writeFileSync(path, file);
      expect(await topofrError(() => openGallery(path))).toMatchObject({ code: "E_FORMAT" });
    }
  });
});

const MODULE = new URL("./openGallery.js", import.meta.url).href;

function child(script: string, before = ""): ChildProcess {
  const code = `const { openGallery } = await import(${JSON.stringify(MODULE)});${script}`;
  return spawn("/bin/sh", ["-c", `${before}exec "$0" --input-type=module -e "$1"`, process.execPath, code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

test("killed in the middle of adds, four times: every acknowledged template is there", async () => {
  const path = join(temporaryFolder(), "people.gallery");
  const options = { dimension: 128, model: MODEL, create: true };
  const acknowledged = new Set<string>();
  for (let round = 0; round < 4; round++) {
    const writer = child(
      `const gallery = await openGallery(${JSON.stringify(path)}, ${JSON.stringify(options)});` +
        "const embedding = new Float32Array(128).fill(1);" +
        "for (let i = 0; ; i++) {" +
        `  const ids = await gallery.add(Array.from({ length: 1 + i % 40 }, () => ({ identity: "p" + (i % 7), embedding })));` +
        `  if (i % 5 === 4) { await gallery.remove({ id: ids.pop() }); }` +
        `  process.stdout.write(ids.join(" ") + "\\n");` +
        "}",
    );
    let text = "";
    for await (const chunk of writer.stdout!) {
      text += String(chunk);
      if (text.split("\n").length > 10 + 5 * round) break;
    }
    writer.kill("SIGKILL");
    await once(writer, "exit");
    for (const line of text.split("\n").slice(0, -1))
      for (const id of line.split(" ")) if (id !== "") acknowledged.add(id);
    await withGallery(path, options, (gallery) => {
      const there = new Set([...gallery.templates()].map(({ id }) => id));
      expect([...acknowledged].filter((id) => !there.has(id))).toEqual([]);
    });
  }
  expect(acknowledged.size).toBeGreaterThan(100);
  expect(readdirSync(dirname(path))).toEqual(["people.gallery"]);
});

test("a disk that is full leaves the gallery as it was before the add (file size limit of a child process)", async () => {
  const path = join(temporaryFolder(), "people.gallery");
  const options = { dimension: 128, model: MODEL, create: true };
  const script =
    `const { openGallery } = await import(${JSON.stringify(MODULE)});` +
    `const gallery = await openGallery(${JSON.stringify(path)}, ${JSON.stringify(options)});` +
    `const some = (n) => Array.from({ length: n }, () => ({ identity: "p", embedding: new Float32Array(128).fill(1) }));` +
    `await gallery.add(some(10));` +
    `await gallery.add(some(1000)).catch((error) => console.log(error.code, error.message));` +
    `await gallery.add(some(5)); console.log(gallery.size); await gallery.close();`;
  const command = `ulimit -f 200; exec "$0" --input-type=module -e "$1"`;
  const output = execFileSync("/bin/sh", ["-c", command, process.execPath, script], { encoding: "utf8" });
  expect(output).toMatch(/^E_FILE .*cannot add to the gallery \(nothing was added\): .*\(EFBIG\)\n15\n$/);
  await withGallery(path, {}, (gallery) => {
    expect(gallery.size).toBe(15);
    expect(gallery.droppedBytes).toBe(0);
  });
});

describe("the lock of a process", () => {
  const lock = (path: string, holder: object) =>
    writeFileSync(`${path}.lock`, JSON.stringify({ token: "t", ...holder }));

  test("that has ended is taken over; so is one that was not touched for a minute", async () => {
    const path = await smallGallery();
    const gone = child("process.exit(0)");
    await once(gone, "exit");
    lock(path, { pid: gone.pid, host: hostname() });
    await withGallery(path, {}, ({ size }) => expect(size).toBe(12));
    lock(path, { pid: process.pid, host: hostname() }); // an earlier process of the same number
    await withGallery(path, {}, ({ size }) => expect(size).toBe(12));
    lock(path, { pid: 1, host: "elsewhere" });
    const error = await topofrError(() => openGallery(path));
    expect(error.message).toMatch(
      /process 1 on elsewhere has the gallery open for writing; .*try again in \d+ s, or delete/,
    );
    const past = new Date(Date.now() - 61_000);
    utimesSync(`${path}.lock`, past, past);
    await withGallery(path, {}, ({ size }) => expect(size).toBe(12));
  });

  test("that lost it to another one writes nothing", async () => {
    const { path, gallery } = await newGallery(4);
    lock(path, { pid: 1, host: "elsewhere" });
    const error = await topofrError(() =>
      gallery.add([{ identity: "Ann", embedding: Float32Array.of(1, 0, 0, 0) }]),
    );
    expect(error).toMatchObject({
      code: "E_FILE",
      message: expect.stringContaining("another process has taken over") as string,
    });
    await topofrError(() => gallery.close());
    expect(readdirSync(dirname(path)).sort()).toEqual(["people.gallery", "people.gallery.lock"]);
  });
});
