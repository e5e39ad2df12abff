// The page of packages/topology/demo in a real browser, on the built package: no bundler, no Node. Skipped, with a word, where there is no
// Chromium (CHROMIUM=<path> names one).
import process from "node:process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium, noChromium, openPage, serveFiles } from "./support.mjs";

const packageRoot = fileURLToPath(new URL("../../packages/topology", import.meta.url));
const chromium = findChromium();

describe.skipIf(chromium === null)(`the page of pasted points${chromium === null ? noChromium : ""}`, () => {
  let server;
  let browser;
  let page;
  let problems;

  beforeAll(async () => {
    server = await serveFiles({ "/": packageRoot });
    ({ browser, page, problems } = await openPage(chromium));
    await page.goto(`http://127.0.0.1:${server.address().port}/demo/index.html`);
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  /** Fills in the form and returns what the page then says. */
  async function draw(text, { kind = "points", degree = "1", threshold = "" } = {}) {
    await page.fill("#input", text);
    await page.selectOption("#kind", kind);
    await page.selectOption("#degree", degree);
    await page.fill("#threshold", threshold);
    await page.click("button[type=submit]");
    return page.textContent("#message");
  }
  const pictures = () => page.locator("#pictures svg").count();

  test("points give a diagram, a barcode and Betti curves; a square has one loop", async () => {
    const said = await draw("0 0\n1 0\n1 1\n0 1\n");
    expect(said).toMatch(/^Classes: 4 in degree 0, 1 in degree 1\. \d+ ms\.$/);
    expect(await pictures()).toBe(3);
    const shown = await page.textContent("#pictures");
    expect(shown).toContain("H0 (4)");
    expect(shown).toContain("H1 (1)");
    expect(await page.locator('#pictures svg[aria-label="Persistence diagram"]').count()).toBe(1);
    // Four points of degree 0 are at (0, 1) three times and never die once; one is of degree 1.
    expect(
      await page.locator('#pictures svg[aria-label="Persistence diagram"] circle[r="2.8"]').count(),
    ).toBe(2);
  });

  test("distance matrices are read, full and as a triangle", async () => {
    const full = await draw("0,1,2\n1,0,1.5\n2,1.5,0", { kind: "distance", degree: "0" });
    expect(full).toContain("Classes: 3 in degree 0.");
    expect(await draw("1\n2 1.5", { kind: "lower-distance", degree: "0" })).toContain(
      "Classes: 3 in degree 0.",
    );
  });

  test("degree 2 of an octahedron is its hollow", async () => {
    const corners = "1 0 0\n-1 0 0\n0 1 0\n0 -1 0\n0 0 1\n0 0 -1";
    expect(await draw(corners, { degree: "2" })).toContain("1 in degree 2");
  });

  test("what is wrong is said in the page, by its line, and the old picture goes", async () => {
    await draw("0 0\n1 0");
    expect(await draw("0 0\nrubbish, <b>1</b>")).toMatch(/points.*line 2.*rubbish/);
    expect(await page.getAttribute("#message", "class")).toBe("error");
    expect(await pictures()).toBe(0);
    expect(await draw("0 0\n1")).toContain("line 2");
    expect(await draw("")).toContain("no text yet");
    expect(await draw("0 1\n3 0", { kind: "distance" })).toContain("symmetric");
    expect(await draw("0 0\n1 0", { threshold: "-1" })).toContain("largest scale");
    expect(await draw("0 0\n1 0")).toContain("2 in degree 0");
  });

  test("the example is a circle with one long bar", async () => {
    await page.click("#example");
    expect(await page.textContent("#message")).toContain("60 in degree 0");
    expect(await pictures()).toBe(3);
    const picture = await page.screenshot({ path: process.env.SCREENSHOT });
    expect(picture.length).toBeGreaterThan(10_000);
  });

  test("nothing failed to load, and nothing was asked of any other host", () => {
    expect(problems).toEqual([]);
  });
});
