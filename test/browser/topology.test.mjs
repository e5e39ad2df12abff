// The page of packages/topology/demo in a real browser, on the built package: no bundler, no Node. Skipped, with a word, where there is no
// Chromium (CHROMIUM=<path> names one).
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const packageRoot = fileURLToPath(new URL("../../packages/topology", import.meta.url));
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8" };
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** @returns {string | null} */
function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  if (existsSync("/usr/bin/chromium")) return "/usr/bin/chromium";
  for (const name of NAMES) {
    const { status, stdout } = spawnSync("which", [name], { encoding: "utf8" });
    if (status === 0) return stdout.trim();
  }
  return null;
}

/** Serves files of the package, and nothing outside it. */
async function serve() {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    const type = TYPES[extname(path)];
    const body = type && (await readFile(join(packageRoot, path)).catch(() => null));
    response.writeHead(body ? 200 : 404, body ? { "content-type": type } : {}).end(body ?? "not found");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

const chromium = findChromium();

describe.skipIf(chromium === null)(
  `the page of pasted points${chromium === null ? " (skipped: no Chromium found; name one with CHROMIUM=<path>)" : ""}`,
  () => {
    let server;
    let browser;
    let page;
    const problems = [];

    beforeAll(async () => {
      const playwright = await import("playwright-core");
      server = await serve();
      browser = await playwright.chromium.launch({
        executablePath: chromium,
        args: ["--no-sandbox", "--disable-gpu"],
      });
      page = await browser.newPage({ viewport: { width: 1120, height: 900 } });
      page.on("pageerror", (error) => problems.push(error.message));
      page.on("requestfailed", (request) => problems.push(`${request.url()} failed`));
      page.on("response", (response) => {
        if (response.status() >= 400) problems.push(`${response.url()}: ${response.status()}`);
      });
      page.on("request", (request) => {
        const { hostname } = new URL(request.url());
        if (hostname !== "127.0.0.1" && hostname !== "") problems.push(`reaches out to ${hostname}`);
      });
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
  },
);
