// The example projects, as a user would have them: copied out of this repository, with the dependencies of their package.json and no
// others, and tiny networks made here (a detector of red squares, an embedding of mean colours). The page is skipped, with a word, where
// there is no Chromium.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { detectorOnnx } from "../packages/recognizer/dist/onnx/detector.test.support.js";
import { halvesOnnx } from "../packages/recognizer/dist/onnx/onnx.test.support.js";
import { imageOf, patches } from "../packages/recognizer/dist/read/pictures.test.support.js";
import { findChromium, noChromium, openPage, serveFiles } from "./browser/support.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const examples = join(root, "examples");
const folder = mkdtempSync(join(tmpdir(), "topofr-examples-"));
afterAll(() => rmSync(folder, { recursive: true }));

const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));
const manifest = (name) => readJson(join(examples, name, "package.json"));

/** Copies a project, and links the packages that it names. */
function copyExample(name) {
  const copy = join(folder, name);
  const own = (path) => !/node_modules|vendor|models/.test(path.slice(examples.length));
  cpSync(join(examples, name), copy, { recursive: true, filter: own });
  for (const dependency of Object.keys(manifest(name).dependencies)) {
    const link = join(copy, "node_modules", dependency);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", dependency), link, "dir");
  }
  return copy;
}

/** A picture of 128x64 with a red square, a face, on each of the places; the grey beside it depends on `shade`. */
const picture = (faces, shade = 0) => {
  const squares = faces.map((x) => ({ x, y: 24, size: 8, color: [255, 0, 0] }));
  const other = { x: 0, y: 0, size: 24, color: [shade, 200, shade] };
  return imageOf(patches(128, 64, [other, ...squares]))
    .png()
    .toBuffer();
};

const networks = {
  "model.onnx": halvesOnnx({ size: 16 }),
  "detector.onnx": detectorOnnx({ family: "YuNet", size: { width: 128, height: 64 } }),
};
function writeNetworks(to) {
  mkdirSync(to, { recursive: true });
  for (const [name, bytes] of Object.entries(networks)) writeFileSync(join(to, name), bytes);
}

describe.each(["node-service", "static-page"])("%s", (name) => {
  test("asks for the packages of this repository in their versions, and for others that are installed", () => {
    for (const [dependency, range] of Object.entries(manifest(name).dependencies)) {
      const { version } = readJson(join(root, "node_modules", dependency, "package.json"));
      const exact = dependency.startsWith("@topofr/");
      const [major, minor] = version.split(".");
      const expected = { "^": `^${major}.`, "~": `~${major}.${minor}.` }[range[0]];
      expect(exact ? range === version : range.startsWith(expected), `${dependency} ${range}`).toBe(true);
    }
  });

  test("imports nothing of this repository by its place", () => {
    const sources = readdirSync(join(examples, name), { recursive: true, encoding: "utf8" }).filter((path) =>
      /^(?!.*(?:node_modules|vendor)).*\.(?:js|html)$/.test(path),
    );
    expect(sources.length).toBeGreaterThan(0);
    for (const path of sources)
      expect(readFileSync(join(examples, name, path), "utf8")).not.toContain("packages/");
  });
});

describe("node-service", () => {
  let service;
  let address;
  let said = "";

  beforeAll(async () => {
    const copy = copyExample("node-service");
    writeNetworks(copy);
    const env = { ...process.env, PORT: "0", THRESHOLD: "0.99" };
    service = spawn(process.execPath, ["server.js"], { cwd: copy, env, stdio: ["ignore", "pipe", "pipe"] });
    service.stderr.on("data", (text) => {
      said += text;
    });
    for await (const text of service.stdout) {
      [, address] = /^(http:\S+): model, 6 numbers a face/.exec(String(text)) ?? [];
      break;
    }
    expect(address, said).toBeDefined();
  });
  afterAll(() => service?.kill("SIGKILL"));

  async function compare(parts) {
    const form = new FormData();
    for (const [name, bytes] of Object.entries(parts)) form.set(name, new Blob([bytes]), `${name}.png`);
    const response = await fetch(address, { method: "POST", body: form });
    return { status: response.status, ...(await response.json()) };
  }

  test("two pictures of one face, and of two", async () => {
    const [a, b] = [await picture([24]), await picture([24, 72])];
    const same = await compare({ a, b: a });
    expect(same).toMatchObject({ status: 200, threshold: 0.99, same: true, faces: { a: { of: 1 } } });
    expect(same.similarity).toBeCloseTo(1, 5);
    expect(await compare({ a, b })).toMatchObject({ status: 200, faces: { a: { of: 1 }, b: { of: 2 } } });
  });

  test("what is wrong is said", async () => {
    const a = await picture([24]);
    expect(await compare({ a })).toMatchObject({ status: 400, code: "E_USAGE" });
    expect(await compare({ a, b: Buffer.from("no picture") })).toMatchObject({
      status: 400,
      code: "E_FORMAT",
    });
    const nobody = await compare({ a, b: await picture([]) });
    expect(nobody).toMatchObject({
      status: 422,
      code: "E_DATA",
      message: expect.stringContaining("no face"),
    });
    const large = await compare({ a, b: Buffer.alloc(11 * 2 ** 20) });
    expect(large).toMatchObject({ status: 413 });
    expect(said).toBe("");
  });

  test("it ends when told to", async () => {
    const ended = once(service, "close");
    service.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  });
});

const chromium = findChromium();
describe.skipIf(chromium === null)(`static-page${chromium === null ? noChromium : ""}`, () => {
  let server;
  let browser;
  let page;
  let problems;

  beforeAll(async () => {
    const copy = copyExample("static-page");
    const built = spawnSync(process.execPath, ["build.js"], { cwd: copy, encoding: "utf8" });
    expect(built.stderr).toBe("");
    writeNetworks(join(copy, "site/models"));
    server = await serveFiles({ "/": join(copy, "site") });
    ({ browser, page, problems } = await openPage(chromium));
    await page.goto(`http://127.0.0.1:${server.address().port}/index.html`);
    await says("Choose two pictures.");
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  const says = (text) => page.locator("#result").filter({ hasText: text }).waitFor();
  const choose = (which, buffer, name = "face.png") =>
    page.locator("input").nth(which).setInputFiles({ name, mimeType: "image/png", buffer });

  test("two pictures give a similarity, and the face is drawn", async () => {
    await choose(0, await picture([24]));
    await says("Choose the other picture.");
    await choose(1, await picture([24]));
    await says("Similarity 1.000");
    const sizes = await page
      .locator("canvas")
      .evaluateAll((all) => all.map(({ width, height }) => [width, height]));
    expect(sizes).toEqual([
      [128, 64],
      [128, 64],
    ]);
  });

  test("a picture without a face, and what is none, are named", async () => {
    await choose(1, await picture([]), "nobody.png");
    await says("nobody.png: no face found");
    await choose(1, Buffer.from("text"), "text.png");
    await says("text.png: not an image");
    await choose(1, await picture([24]));
    await says("Similarity 1.000");
  });

  test("everything came from this site, and no test or type with it", async () => {
    expect(problems).toEqual([]);
    const files = readdirSync(join(folder, "static-page/site/vendor"), { recursive: true, encoding: "utf8" });
    expect(files.filter((path) => /\.test\.|\.ts$|\.map$/.test(path))).toEqual([]);
  });
});
