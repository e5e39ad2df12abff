import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32c, maskedCrc32c } from "./crc32c.js";
import { TopofrError } from "./error.js";
import { decodeEvent, type EventMessage, encodeEvent } from "./eventMessage.js";
import {
  corruptions,
  fromHex,
  hex,
  refusalsOfCorruptions,
  SEED,
  temporaryFolder,
  topofrError,
} from "./formats.test.helpers.js";
import { openTfEvents, readTfEvents, type TfEventsWriter } from "./tfevents.js";

// Two records put together by hand, checksums by a bitwise CRC-32C elsewhere.
const GOLDEN = fromHex(
  `1800000000000000 a37f4b22
     09 000000000000f83f 1a0d 627261696e2e4576656e743a32
   2a28646c
   1a00000000000000 129bd82d
     09 0000000000000440 10 07 2a0d 0a0b 0a04 6c6f7373 15 0000803e
   a884b989`,
);
const OPTIONS = { wallTimeSeconds: 1.5, host: "host" };

async function readAll(path: string): Promise<EventMessage[]> {
  const events: EventMessage[] = [];
  for await (const event of readTfEvents(path)) events.push(event);
  return events;
}

function write(use: (writer: TfEventsWriter) => void, folder = temporaryFolder(), options = {}): string {
  const writer = openTfEvents(folder, { ...OPTIONS, ...options });
  use(writer);
  writer.close();
  return writer.path;
}

/** A grey PNG, all pixels 0. */
function png(width: number, height: number): Uint8Array {
  const chunk = (type: string, data: Uint8Array) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    return Buffer.concat([length, Buffer.from(type), data, Buffer.alloc(4)]); // checksums do not matter here
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const pixels = deflateSync(Buffer.alloc(height * (width + 1)));
  return Buffer.concat([
    fromHex("89504e470d0a1a0a"),
    chunk("IHDR", header),
    chunk("IDAT", pixels),
    chunk("IEND", header.subarray(13)),
  ]);
}

test("CRC-32C and its mask give the published values", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283); // RFC 3720 and every catalogue of CRCs
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa); // RFC 3720, B.4
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43); // RFC 3720, B.4
  expect(maskedCrc32c(fromHex("1800000000000000"))).toBe(0x224b7fa3);
});

test("records put together by hand are read, and the writer's records mean the same", async () => {
  const path = write((writer) => writer.scalar("loss", 0.25, 7, 2.5));
  const expected = [
    { wallTime: 1.5, step: 0, fileVersion: "brain.Event:2" },
    { wallTime: 2.5, step: 7, summary: { value: [{ tag: "loss", simpleValue: 0.25 }] } },
  ];
  expect(await readAll(path)).toEqual(expected);
  const golden = [GOLDEN.subarray(12, 36), GOLDEN.subarray(52, 78)];
  expect(golden.map((bytes) => decodeEvent(bytes, "golden"))).toEqual(expected);
  // The second record has every field set, so the bytes are equal, checksums included.
  expect(hex(readFileSync(path))).toContain(hex(GOLDEN.subarray(40)));
});

test("values arrive as float32, with NaN, infinity, zero, large steps and any tag", async () => {
  const values = [0, -0, 0.1, Number.NaN, Infinity, -Infinity, 3e38];
  const path = write((writer) => {
    for (const [i, value] of values.entries()) writer.scalar("verlust/größe", value, i * 2 ** 40, 1e9 + i);
  });
  const events = (await readAll(path)).slice(1);
  expect(events.map((event) => event.summary?.value[0]?.simpleValue)).toEqual(values.map(Math.fround));
  expect(events.map((event) => event.step)).toEqual(values.map((_, i) => i * 2 ** 40));
  expect(events.map((event) => event.wallTime)).toEqual(values.map((_, i) => 1e9 + i));
  expect(events[0]?.summary?.value[0]?.tag).toBe("verlust/größe");
});

test("an image keeps its bytes, size and channels", async () => {
  const picture = png(5, 3);
  const path = write((writer) => writer.image("faces", picture, 5, 3, 9, 2));
  const image = (await readAll(path))[1]?.summary?.value[0]?.image;
  expect(image).toMatchObject({ width: 5, height: 3, colorspace: 1 });
  expect(hex(image!.encodedImageString)).toBe(hex(picture));
});

test("an image that is no PNG or of another size is a usage error", async () => {
  const writer = openTfEvents(temporaryFolder(), OPTIONS);
  const other = await topofrError(() => writer.image("faces", png(5, 3), 3, 5, 0, 0));
  expect(other.code).toBe("E_USAGE");
  expect(other.message).toMatch(/image "faces" is a PNG of 5 x 3, expected a PNG of 3 x 5$/);
  expect((await topofrError(() => writer.image("faces", new Uint8Array(40), 3, 5, 0, 0))).message).toMatch(
    /is no PNG/,
  );
  writer.close();
});

test("a resumed run opens a file of its own, which tells TensorBoard from which step on it counts", async () => {
  const folder = temporaryFolder();
  const first = write((writer) => writer.scalar("loss", 1, 120, 1), folder);
  const before = readFileSync(first);
  const second = write((writer) => writer.scalar("loss", 2, 100, 3), folder, { resumeStep: 100 });
  expect(readdirSync(folder)).toEqual([
    "events.out.tfevents.0000000001.host.0",
    "events.out.tfevents.0000000001.host.1",
  ]);
  expect(readFileSync(first).equals(before)).toBe(true);
  expect((await readAll(second))[1]).toEqual({ wallTime: 1.5, step: 100, sessionLog: { status: 1 } });
});

test("flush makes events readable while the file is open; 20,000 events pass through the buffer whole", async () => {
  const writer = openTfEvents(temporaryFolder(), { ...OPTIONS, host: "a b/c" });
  expect(writer.path).toMatch(/0000000001\.a_b_c\.0$/);
  writer.scalar("loss", 1, 1, 1);
  writer.flush();
  expect(await readAll(writer.path)).toHaveLength(2);
  for (let step = 2; step <= 20_000; step++) writer.scalar("loss", step, step, step);
  writer.close();
  writer.close();
  const steps = (await readAll(writer.path)).map((event) => event.step);
  expect(steps).toEqual(Array.from({ length: 20_001 }, (_, step) => step));
  expect((await topofrError(() => writer.scalar("loss", 1, 1, 1))).message).toMatch(
    /the event file is closed/,
  );
});

test("a step that is no integer, and a folder that cannot be made, are refused", async () => {
  const writer = openTfEvents(temporaryFolder(), OPTIONS);
  expect((await topofrError(() => writer.scalar("loss", 1, 1.5, 1))).code).toBe("E_USAGE");
  const below = await topofrError(() => openTfEvents(join(writer.path, "folder"), OPTIONS));
  expect(below.code).toBe("E_FILE");
  expect(below.message).toMatch(/cannot make the folder: a part of the path is a file/);
  writer.close();
});

test("a file that ends inside a record gives the events before it, then says where", async () => {
  const path = join(temporaryFolder(), "torn");
  writeFileSync(path, GOLDEN.subarray(0, -3));
  const events: EventMessage[] = [];
  const error = await topofrError(async () => {
    for await (const event of readTfEvents(path)) events.push(event);
  });
  expect(events).toHaveLength(1);
  expect(error.message).toBe(
    `${path}: record 1 at byte 40: needs 26 bytes of data, the file ends after 23; it is truncated`,
  );
});

test("300 damaged event files are read or refused, never anything else", async () => {
  const path = write((writer) => {
    writer.scalar("loss", 1, 1, 1);
    writer.image("faces", png(2, 2), 2, 2, 1, 1);
  });
  expect(await refusalsOfCorruptions(readFileSync(path), readAll)).toBeGreaterThan(250);
});

test("300 damaged messages behind good checksums are read or refused, never anything else", () => {
  const image = { height: 2, width: 2, colorspace: 1, encodedImageString: png(2, 2) };
  const message = encodeEvent({
    wallTime: 1,
    step: 3,
    summary: {
      value: [
        { tag: "faces", image },
        { tag: "b", simpleValue: 2 },
      ],
    },
  });
  let refused = 0;
  fc.assert(
    fc.property(corruptions(message), (bytes) => {
      try {
        decodeEvent(bytes, "x");
      } catch (error) {
        if (!(error instanceof TopofrError) || error.code !== "E_FORMAT") throw error;
        refused++;
      }
    }),
    { seed: SEED, numRuns: 300 },
  );
  expect(refused).toBeGreaterThan(50);
});
