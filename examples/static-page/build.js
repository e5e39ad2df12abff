// Copies what the page imports from node_modules to site/vendor: the site is then whole, and any web server can serve it. No bundler.
import { cp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const { resolve } = createRequire(import.meta.url);
const vendor = fileURLToPath(new URL("site/vendor/", import.meta.url));
const dist = (name) => join(dirname(resolve(`${name}/package.json`)), "dist");
const runtime = dirname(resolve("onnxruntime-web/wasm"));

const copies = [
  [join(dist("@topofr/formats"), "error.js"), "formats/error.js"],
  [dist("@topofr/recognizer"), "recognizer"],
  [join(runtime, "ort.wasm.bundle.min.mjs"), "onnxruntime-web/ort.wasm.bundle.min.mjs"],
  [join(runtime, "ort-wasm-simd-threaded.wasm"), "onnxruntime-web/ort-wasm-simd-threaded.wasm"],
];
await rm(vendor, { recursive: true, force: true });
for (const [from, to] of copies)
  await cp(from, join(vendor, to), {
    recursive: true,
    dereference: true,
    filter: (path) => !/\.test\.|\.ts$|\.map$/.test(path),
  });
