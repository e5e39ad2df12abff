// The page of @topofr/serve in a real browser, under its own content security policy: two pictures, computed here and by the server. The
// networks are made in the test: a detector of red squares, and an embedding of mean colours. Skipped, with a word, without Chromium.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRecognizer } from "@topofr/recognizer";
import { createServer } from "@topofr/serve";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { detectorOnnx } from "../../packages/recognizer/dist/onnx/detector.test.support.js";
import { halvesOnnx } from "../../packages/recognizer/dist/onnx/onnx.test.support.js";
import { imageOf, patches } from "../../packages/recognizer/dist/read/pictures.test.support.js";
import { findChromium, noChromium, openPage } from "./support.mjs";

const chromium = findChromium();
const TOKEN = "a-token-of-the-test";
const WIDTH = 128;
const HEIGHT = 64;
const RATES = [
  { threshold: 0.2, far: 1e-2, farReached: 1e-2, tar: 0.99, impostors: 3000, genuines: 3000, note: null },
  { threshold: 0.4, far: 1e-3, farReached: 1e-3, tar: 0.9, impostors: 3000, genuines: 3000, note: null },
];

const square = (x, color = [255, 0, 0]) => ({ x, y: 24, size: 8, color });
/** Beside the red square, within the face's box, a coloured one: it decides the embedding. */
const face = (x, color) => [square(x), { x: x + 8, y: 16, size: 12, color }];

async function pictureFile(name, list) {
  const buffer = await imageOf(patches(WIDTH, HEIGHT, list))
    .png()
    .toBuffer();
  return { name, mimeType: "image/png", buffer };
}

describe.skipIf(chromium === null)(`the page of topofr serve${chromium === null ? noChromium : ""}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "topofr-page-"));
  const [model, detector] = [join(folder, "model.onnx"), join(folder, "detector.onnx")];
  const posts = [];
  const files = {};
  let recognizer;
  let servers;
  let browser;
  let page;
  let problems;

  beforeAll(async () => {
    writeFileSync(model, halvesOnnx({ size: 16 }));
    writeFileSync(detector, detectorOnnx({ family: "YuNet", size: { width: WIDTH, height: HEIGHT } }));
    files.one = await pictureFile("one.png", face(24, [0, 0, 255]));
    files.two = await pictureFile("two.png", [...face(24, [0, 0, 255]), ...face(88, [255, 255, 0])]);
    files.none = await pictureFile("none.png", []);
    files.broken = { name: "broken.png", mimeType: "image/png", buffer: Buffer.from("not an image") };
    recognizer = await openRecognizer({ model, detector, threads: 1, threshold: 0.4 });
    const common = { recognizer, host: "127.0.0.1", rateLimit: null, rates: RATES };
    servers = {
      shared: await createServer({ ...common, browser: { model, detector, flip: false } }),
      closed: await createServer({ ...common, token: TOKEN, rates: [] }),
    };
    for (const server of Object.values(servers)) await server.listen({ host: "127.0.0.1", port: 0 });
    ({ browser, page, problems } = await openPage(chromium));
    page.on("request", (request) => {
      if (request.method() === "POST") posts.push(new URL(request.url()).pathname);
    });
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
  });
  afterAll(async () => {
    await browser?.close();
    for (const server of Object.values(servers ?? {})) await server.close();
    await recognizer?.close();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    posts.length = 0;
    problems.length = 0;
  });

  const address = (name) => `http://127.0.0.1:${servers[name].server.address().port}/`;
  const give = (side, file) => page.setInputFiles(`#panel-${side} .file`, file);
  const text = (selector) => page.textContent(selector);
  const until = (selector, pattern) =>
    page.waitForFunction(
      ([where, source]) => new RegExp(source).test(document.querySelector(where).textContent),
      [selector, pattern.source],
      { timeout: 15_000 },
    );
  const similarity = async () => Number(/Similarity (-?[\d.]+)/.exec(await text("#verdict-detail"))[1]);

  test("two pictures are compared in the browser, and no picture leaves it", async () => {
    await page.goto(address("shared"));
    await until("#place", /Computed in this browser \(.*\)\. Nothing left this browser\./);
    expect(await text("#state")).toBe("Model model, 6 numbers a face.");
    expect(await page.evaluate(() => window.crossOriginIsolated)).toBe(true); // threads of WebAssembly
    await give("a", files.one);
    await give("b", files.one);
    await until("#verdict-detail", /Similarity 1\.000, at or above the threshold of 0\.400\./);
    expect(await text("#verdict-word")).toBe("Same person");
    expect(await text("#panel-a .message")).toMatch(/^1 face, in \d+ ms\.$/);
    expect(await page.locator(".aligned canvas").count()).toBe(2);
    expect(await page.getAttribute("#panel-a .picture", "aria-label")).toBe("First picture, 1 face found");
    expect([posts, problems]).toEqual([[], []]);
  });

  test("of several faces one is chosen, by number or by a click on it; Node finds the same", async () => {
    await give("b", files.two);
    await until("#panel-b .message", /^2 faces/);
    const found = await recognizer.recognize(files.two.buffer, { all: true });
    const [own] = await recognizer.recognize(files.one.buffer);
    const wanted = found.map(({ embedding }) =>
      embedding.reduce((sum, value, k) => sum + value * own.embedding[k], 0),
    );
    expect(Math.abs(wanted[0] - wanted[1])).toBeGreaterThan(0.1);
    expect(await similarity()).toBeCloseTo(wanted[0], 2);
    await page.check("#panel-b .faces label:nth-of-type(2) input");
    expect(await similarity()).toBeCloseTo(wanted[1], 2);
    const { x } = found[0].box;
    const canvas = page.locator("#panel-b .picture");
    const scale = (await canvas.boundingBox()).width / WIDTH;
    await canvas.click({ position: { x: (x + 5) * scale, y: (HEIGHT / 2) * scale } });
    expect(await similarity()).toBeCloseTo(wanted[0], 2);
    expect(await page.isChecked("#panel-b .faces label:nth-of-type(1) input")).toBe(true);
  });

  test("the threshold moves with the keyboard, says what it means, and decides", async () => {
    await page.getByRole("button", { name: "FAR 1 in 100" }).click();
    expect(await text("#threshold-value")).toBe("0.200");
    expect(await text("#threshold-meaning")).toMatch(/^1 in 100 pairs of different people .* 99\.0 %/);
    await page.focus("#threshold");
    await page.keyboard.press("ArrowRight");
    expect(await text("#threshold-value")).toBe("0.210");
    expect(await text("#threshold-meaning")).toMatch(/^Between 1 in 1,000 and 1 in 100 pairs/);
    await give("b", files.two);
    await until("#panel-b .message", /^2 faces/);
    await page.check("#panel-b .faces label:nth-of-type(2) input");
    const between = await similarity();
    for (const [key, word, limit] of [
      ["End", "Different people", 1],
      ["Home", "Same person", -0.2],
    ]) {
      await page.press("#threshold", key);
      expect(await text("#verdict-word")).toBe(word);
      expect(Number(await text("#threshold-value"))).toBe(limit);
    }
    expect(await similarity()).toBe(between);
  });

  test("what is no picture, or has no face, is said where it happened", async () => {
    await give("a", files.broken);
    await until("#panel-a .message", /not a picture/);
    expect(await text("#verdict-word")).toBe("Two pictures are needed.");
    await give("a", files.none);
    await until("#panel-a .message", /^No face found\.$/);
    expect(await page.getAttribute("#panel-a .message", "class")).toContain("error");
    await page.click("#panel-a .clear");
    expect(await text("#panel-a .message")).toBe("");
    await page.click("#panel-a .photograph"); // there is no camera here
    await until("#panel-a .message", /camera cannot be used/);
  });

  test("pictures can be pasted and dropped", async () => {
    const act = (kind, selector, bytes) =>
      page.evaluate(
        ([type, where, data]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([Uint8Array.from(data)], "x.png", { type: "image/png" }));
          const options = { bubbles: true, cancelable: true };
          const event =
            type === "paste"
              ? new ClipboardEvent("paste", { ...options, clipboardData: transfer })
              : new DragEvent("drop", { ...options, dataTransfer: transfer });
          document.querySelector(where).dispatchEvent(event);
        },
        [kind, selector, [...bytes]],
      );
    await act("paste", "body", files.one.buffer);
    await until("#panel-a .message", /^1 face/); // the empty one
    await act("drop", "#panel-b .drop", files.one.buffer);
    await until("#panel-b .message", /^1 face/);
    expect(await similarity()).toBe(1);
  });

  test("everything has a name, and stands out in light and in dark", async () => {
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll("button, input, canvas, progress")]
        .filter((element) => !element.closest("[hidden]"))
        .filter(
          (element) =>
            !(element.labels?.length || element.getAttribute("aria-label") || element.textContent.trim()),
        )
        .map((element) => element.outerHTML),
    );
    expect(nameless).toEqual([]);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      const faint = await page.evaluate(() => {
        const channels = (color) => color.match(/[\d.]+/g).map(Number);
        const luminance = (color) =>
          channels(color)
            .slice(0, 3)
            .map((value) => value / 255)
            .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
            .reduce((sum, value, k) => sum + value * [0.2126, 0.7152, 0.0722][k], 0);
        const behind = (element) => {
          const { backgroundColor } = getComputedStyle(element);
          const clear = (channels(backgroundColor)[3] ?? 1) === 0;
          return clear && element.parentElement ? behind(element.parentElement) : backgroundColor;
        };
        return [...document.querySelectorAll("h1, h2, p, button, .button, label, legend, figcaption")]
          .map((element) => {
            const [a, b] = [getComputedStyle(element).color, behind(element)].map(luminance);
            return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.outerHTML.slice(0, 80)];
          })
          .filter(([contrast]) => contrast < 4.5);
      });
      expect([colorScheme, faint]).toEqual([colorScheme, []]);
    }
  });

  test("a server that keeps its model computes itself, after its token; the page says so first", async () => {
    await page.goto(address("closed"));
    await until("#state", /needs its token/);
    await page.fill("#token", "wrong");
    await page.keyboard.press("Enter");
    await until("#state", /The token is wrong/);
    await page.fill("#token", TOKEN);
    await page.keyboard.press("Enter");
    await until("#place", /Computed by the server: the pictures are sent to it.*server keeps its model/);
    expect(await page.isDisabled("input[value=browser]")).toBe(true);
    expect(await text("#threshold-meaning")).toContain("not known");
    await give("a", files.one);
    await give("b", files.two);
    await until("#panel-b .message", /^2 faces/);
    await until("#panel-a .message", /^1 face/);
    expect(posts).toEqual(["/v1/embed", "/v1/embed"]);
    const [first] = await recognizer.recognize(files.one.buffer);
    const [second] = await recognizer.recognize(files.two.buffer, { choice: "best" });
    const wanted = first.embedding.reduce((sum, value, k) => sum + value * second.embedding[k], 0);
    expect(await similarity()).toBeCloseTo(wanted, 3);
  });

  test("a token in the address is used and taken out of it", async () => {
    await page.evaluate(() => sessionStorage.clear());
    await page.goto("about:blank");
    await page.goto(`${address("closed")}#token=${TOKEN}`);
    await until("#place", /Computed by the server/);
    expect(page.url()).toBe(address("closed"));
    expect(problems).toEqual([]);
  });
});
