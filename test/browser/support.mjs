// What the tests in a real browser share: finding Chromium, and serving files to it.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Folders for `serveFiles` and an import map, with which a page without a bundler imports /recognizer/web/index.js. */
export const RECOGNIZER_FOLDERS = {
  "/recognizer/": join(root, "packages/recognizer/dist"),
  "/formats/": join(root, "packages/formats/dist"),
  "/ort/": join(root, "node_modules/onnxruntime-web/dist"),
};
export const RECOGNIZER_IMPORTS = `<script type="importmap">${JSON.stringify({
  imports: {
    "@topofr/formats/error": "/formats/error.js",
    "onnxruntime-web/wasm": "/ort/ort.wasm.bundle.min.mjs",
    "onnxruntime-web/webgpu": "/ort/ort.webgpu.bundle.min.mjs",
  },
})}</script>`;

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
  ".onnx": "application/octet-stream",
  ".jpg": "image/jpeg",
  ".png": "image/png",
};

/** Path of a Chromium, CHROMIUM=<path> first. @returns {string | null} */
export function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  if (existsSync("/usr/bin/chromium")) return "/usr/bin/chromium";
  for (const name of NAMES) {
    const { status, stdout } = spawnSync("which", [name], { encoding: "utf8" });
    if (status === 0) return stdout.trim();
  }
  return null;
}

/** For the name of a suite that cannot run. */
export const noChromium = " (skipped: no Chromium found; name one with CHROMIUM=<path>)";

/**
 * Serves files by the first part of the address, and nothing outside of their folders.
 *
 * @param {Record<string, string>} folders by their address, such as { "/demo/": "/path/to/demo" }; "/" for everything else
 * @param {Record<string, string | Uint8Array>} contents of single addresses
 */
export async function serveFiles(folders, contents = {}) {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    const type = TYPES[extname(path)];
    const body = type && (contents[path] ?? (await readFrom(folders, path)));
    response.writeHead(body ? 200 : 404, body ? { "content-type": type } : {}).end(body || "not found");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

async function readFrom(folders, path) {
  const found = Object.entries(folders).find(([address]) => path.startsWith(address));
  if (!found) return null;
  const [address, folder] = found;
  return readFile(join(folder, path.slice(address.length))).catch(() => null);
}

/**
 * A page in a fresh browser; `problems` collects errors, failed requests, and requests to anywhere but this machine.
 *
 * @param {string} executablePath
 */
export async function openPage(executablePath, viewport = { width: 1120, height: 900 }) {
  const playwright = await import("playwright-core");
  const browser = await playwright.chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu"],
  });
  const page = await browser.newPage({ viewport });
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("requestfailed", (request) => problems.push(`${request.url()} failed`));
  page.on("response", (response) => {
    if (response.status() >= 400) problems.push(`${response.url()}: ${response.status()}`);
  });
  page.on("request", (request) => {
    const { hostname } = new URL(request.url());
    if (hostname !== "127.0.0.1" && hostname !== "") problems.push(`reaches out to ${hostname}`);
  });
  return { browser, page, problems };
}
