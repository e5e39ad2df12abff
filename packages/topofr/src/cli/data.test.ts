// The data commands as a user meets them: what they print, write and refuse. Forms and formats have their tests beside them.

import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { topofr } from "./command.test.support.js";

const MAIN = fileURLToPath(new URL("./main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "cli-data-"));
const at = (...names: string[]) => join(folder, ...names);
const cacheBefore = process.env.XDG_CACHE_HOME;

function write(path: string, bytes: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

/** The command in this process, quickly. */
const data = (...args: string[]) => topofr("data", ...args);

beforeAll(async () => {
  process.env.XDG_CACHE_HOME = at("cache");
  const face = await sharp({ create: { width: 112, height: 112, channels: 3, background: "#345" } })
    .jpeg()
    .toBuffer();
  for (const name of ["ann/1.jpg", "ann/2.jpg", "bob/1.jpg", "bob/2.jpg"]) write(at("faces", name), face);
  write(at("faces", "pairs.txt"), "ann/1.jpg ann/2.jpg 1\nann/1.jpg bob/1.jpg 0\n");
});
afterAll(() => {
  if (cacheBefore === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = cacheBefore;
  rmSync(folder, { recursive: true });
});

test.each(["info", "pack", "align", "pairs", "synthesize"])("%s --help has an example", async (command) => {
  const { status, out } = await data(command, "--help");
  expect(status).toBe(0);
  expect(out).toMatch(new RegExp(`\\nExamples?:\\n {2}\\$ topofr data ${command} `));
});

test("pack: the form by the target's ending, or asked for; back again without asking", async () => {
  const tar = await data("pack", at("faces"), at("faces.tar"));
  expect(tar.status).toBe(0);
  expect(tar.out).toMatch(/^4 images of 2 people, [\d.]+ kB, \d+ img\/s\n.*faces.tar\n$/);
  const which = await data("pack", at("faces"), at("faces-rec"));
  expect(which.status).toBe(2);
  expect(which.err).toMatch(/which format\? End the name with .rec or .tar, or add --format recordio/);
  const rec = await data("pack", at("faces"), at("faces-rec"), "--format", "recordio", "--json");
  expect(JSON.parse(rec.out)).toMatchObject({ format: "recordio", images: 4, identities: 2, broken: [] });
  expect((await data("pack", at("faces-rec"), at("back"))).status).toBe(0);
  expect(readdirSync(at("back"))).toEqual(["ann", "bob"]);
  expect(readFileSync(at("back", "bob", "2.jpg"))).toEqual(readFileSync(at("faces", "bob", "2.jpg")));
  const again = await data("pack", at("faces"), at("faces.tar"));
  expect(again).toMatchObject({
    status: 1,
    err: expect.stringMatching(/E_DATA .*faces.tar: is there already/),
  });
});

test("info: numbers and bars for people, JSON for scripts, status 1 for broken images", async () => {
  const { status, out } = await data("info", at("faces"));
  expect(status).toBe(0);
  expect(out).toMatch(/identities +2\nimages +4\nper identity +least 2, median 2, mean 2.0, most 2\n/);
  expect(out).toMatch(/sizes +112x112 \(4\) of 4 read\n/);
  expect(out).toMatch(/\n {8}2 {8}2 {2}█{40}\n$/);
  write(at("damaged", "ann", "1.jpg"), readFileSync(at("faces", "ann", "1.jpg")).subarray(0, -60));
  write(at("damaged", "ann", "2.jpg"), readFileSync(at("faces", "ann", "1.jpg")));
  const checked = await data("info", at("damaged"), "--check");
  expect(checked.status).toBe(1);
  expect(checked.err).toMatch(/1 broken images:\n {2}.*damaged\/ann\/1.jpg: /);
  const json = JSON.parse((await data("info", at("damaged"), "--check", "--json")).out);
  expect(json).toMatchObject({
    kind: "folder",
    images: 2,
    checked: true,
    broken: [{ image: at("damaged", "ann", "1.jpg") }],
  });
});

test("info --write-index: a lost index is found again and written", async () => {
  await data("pack", at("faces"), at("lost", "train.rec"));
  const index = readFileSync(at("lost", "train.idx"), "utf8").split("\n").sort();
  rmSync(at("lost", "train.idx"));
  const without = await data("info", at("lost"));
  expect(without.err).toMatch(
    /warning: .*train.idx is missing; its records were found by reading the whole file/,
  );
  expect(existsSync(at("lost", "train.idx"))).toBe(false);
  const written = await data("info", at("lost"), "--write-index");
  expect(written.err).toMatch(/index written to .*train.idx/);
  expect(readFileSync(at("lost", "train.idx"), "utf8").split("\n").sort()).toEqual(index);
  expect((await data("info", at("lost"), "--write-index")).err).toBe("the index is right, nothing written\n");
  expect((await data("info", at("faces"), "--write-index")).status).toBe(2);
});

test("align: what was done, and what was skipped", async () => {
  const points = "38 52 73 52 56 72 42 92 71 92";
  write(
    at("points.txt"),
    `ann/1.jpg ${points}\nbob/1.jpg ${points} 0.99\nbob/1.jpg ${points}\nann/2.jpg 1 2\nx.jpg ${points}\n`,
  );
  const { status, out, err } = await data(
    "align",
    at("faces"),
    at("aligned"),
    "--landmarks",
    at("points.txt"),
  );
  expect(status).toBe(0);
  expect(out).toMatch(/^2 faces aligned into .*aligned, \d+ img\/s\n2 images skipped\n$/);
  expect(err).toMatch(/1 lines of landmarks that cannot be used:\n {2}.*points.txt:4: expected/);
  expect(err).toMatch(
    /1 lines about images that have landmarks already:\n {2}.*points.txt:3: bob\/1.jpg is on line 2/,
  );
  expect(err).toMatch(/2 images without landmarks skipped:\n {2}ann\/2.jpg\n/);
  expect(err).toMatch(/1 images with landmarks are not there:\n {2}x.jpg\n/);
  expect(readdirSync(at("aligned"), { recursive: true })).toEqual([
    "ann",
    "bob",
    join("ann", "1.jpg"),
    join("bob", "1.jpg"),
  ]);
});

test("pairs: into a .bin and out of it", async () => {
  const { status, out } = await data("pairs", at("faces"), at("faces.bin"));
  expect(status).toBe(0);
  expect(out).toMatch(/^2 pairs \(1 same\) in .*faces.bin, [\d.]+ kB of images\n$/);
  const back = await data("pairs", at("faces.bin"), at("from-bin"), "--json");
  expect(JSON.parse(back.out)).toMatchObject({ pairs: 2, same: 1 });
  expect(readFileSync(at("from-bin", "images", "000004.jpg"))).toEqual(
    readFileSync(at("faces", "bob", "1.jpg")),
  );
  expect((await data("pairs", at("faces"), at("folder"))).err).toMatch(/expected a folder and a .bin/);
  expect((await data("pairs", at("faces.bin"), at("folder"), "--size", "112")).err).toMatch(
    /--size: is for writing a .bin/,
  );
});

test("a packing that is killed is not taken for a set, and begins again when asked to", async () => {
  const face = readFileSync(at("faces", "ann", "1.jpg"));
  for (let i = 0; i < 800; i++) write(at("many", `p${i % 30}`, `${i}.jpg`), face);
  const targets = [
    { to: at("killed"), args: ["--format", "folder"], begun: () => existsSync(at("killed", "p0")) },
    {
      to: at("killed-rec", "train.rec"),
      args: [],
      begun: () => existsSync(at("killed-rec")) && readdirSync(at("killed-rec")).length > 0,
    },
  ];
  for (const { to, args, begun } of targets) {
    const child = spawn(process.execPath, [MAIN, "data", "pack", at("many"), to, "--size", "100", ...args], {
      stdio: "ignore",
    });
    const ended = new Promise((resolve) => child.once("exit", (_, signal) => resolve(signal)));
    while (!begun()) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGKILL");
    expect(await ended).toBe("SIGKILL"); // else it was faster than the test
    expect((await data("info", to)).status).toBe(1);
    const refused = await data("pack", at("many"), to, ...args);
    expect(refused).toMatchObject({
      status: 1,
      err: expect.stringMatching(/is not complete .*add --overwrite/),
    });
    expect((await data("pack", at("many"), to, "--overwrite", ...args)).status).toBe(0);
    const { images } = JSON.parse((await data("info", to, "--json")).out) as { images: number };
    expect(images).toBe(800);
    expect(readdirSync(dirname(to)).filter((name) => name.includes("tmp-"))).toEqual([]);
  }
});
