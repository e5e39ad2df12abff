// From PyTorch to a web page: files that Python's torch saved as a training script does (prefix `module.`, class centres inside) are
// exported by `topofr export`, and PyTorch, the training engine, the recognizer in Node and the recognizer in Chromium must come to the
// same embeddings of the same pictures. The two cheap networks always, all six (several minutes, 2 GB of disk) when asked:
// ROUND_TRIP=1 npx vitest run test/browser/roundTrip.test.mjs. Skipped, with a word, where Python's torch or Chromium is absent.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { openRecognizer } from "@topofr/recognizer";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findPython, runScript } from "../../bench/children.mjs";
import { topofr } from "../../packages/topofr/dist/cli/command.test.support.js";
import { imageFile } from "../../packages/topofr/dist/data/imageSource.js";
import { openTorchEmbedder } from "../../packages/topofr/dist/evaluate/embedderTorch.js";
import { RandomStream } from "../../packages/topofr/dist/random/stream.js";
import {
  findChromium,
  noChromium,
  openPage,
  RECOGNIZER_FOLDERS,
  RECOGNIZER_IMPORTS,
  serveFiles,
} from "./support.mjs";

const CHEAP = ["mobilefacenet", "iresnet18"];
const ALL = [...CHEAP, "iresnet34", "iresnet50", "iresnet100", "iresnet200"];
const networks = process.env.ROUND_TRIP ? ALL : CHEAP;
const MOST_TIME = 10 * 60_000;

const SIZE = 112;
const PICTURES = 2;
const DIMENSION = 512;
/** Largest difference of two numbers of embeddings of length 1: what `topofr export` demands of float32. */
const LIMIT = 1e-4;

const chromium = findChromium();
const python = chromium && findPython("torch");
const reason = chromium === null ? noChromium : python === null ? " (skipped: no Python with torch)" : "";

const PAGE = `<!doctype html><meta charset="utf-8"><title>Round trip</title><link rel="icon" href="data:,">
${RECOGNIZER_IMPORTS}
<script type="module">
  import { openRecognizer } from "/recognizer/web/index.js";
  window.embed = async (model, pictures) => {
    const recognizer = await openRecognizer({ model });
    const rows = [];
    for (const picture of pictures) {
      const [face] = await recognizer.recognize(await (await fetch(picture)).blob());
      rows.push([...face.embedding]);
    }
    await recognizer.close();
    return rows;
  };
  window.ready = true;
</script>`;

describe.skipIf(reason !== "")(`PyTorch -> ONNX -> Node and browser${reason}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "topofr-round-trip-"));
  const file = (name) => join(folder, name);
  const pictures = Array.from({ length: PICTURES }, (_, k) => `${k}.png`);
  let server;
  let browser;
  let page;
  let problems;

  beforeAll(async () => {
    const stream = new RandomStream(0, "round trip");
    const pixels = Uint8Array.from({ length: PICTURES * SIZE * SIZE * 3 }, () => stream.integer(256));
    writeFileSync(file("pixels"), pixels);
    for (const [k, name] of pictures.entries()) {
      const one = pixels.subarray((k * pixels.length) / PICTURES, ((k + 1) * pixels.length) / PICTURES);
      await sharp(one, { raw: { width: SIZE, height: SIZE, channels: 3 } })
        .png()
        .toFile(file(name));
    }
    server = await serveFiles({ ...RECOGNIZER_FOLDERS, "/files/": folder }, { "/page.html": PAGE });
    ({ browser, page, problems } = await openPage(chromium));
    page.setDefaultTimeout(MOST_TIME);
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(folder, { recursive: true });
  });

  test.each(networks)(
    "%s",
    async (network) => {
      const [weights, model] = [file(`${network}.pt`), file(`${network}.onnx`)];
      const { rows } = runScript(python, "reference/stateDict.py", [
        ...[network, weights, file("pixels"), String(PICTURES)],
      ]);
      const expected = rows.map(unit);
      // Two pictures, two embeddings: a network that ignores its input would agree with itself everywhere.
      expect(difference([expected[0]], [expected[1]])).toBeGreaterThan(100 * LIMIT);

      const { status, out, err } = await topofr("export", weights, "--to", model, "--json");
      expect(err).toBe("");
      expect(status).toBe(0);
      expect(JSON.parse(out)).toMatchObject({ network, embeddingSize: DIMENSION, inputSize: SIZE });

      const found = {
        engine: await withEngine(network, weights),
        node: await withNode(model),
        browser: await withBrowser(`/files/${network}.onnx`),
      };
      const differences = Object.fromEntries(
        Object.entries(found).map(([where, embeddings]) => [where, difference(embeddings, expected)]),
      );
      if (process.env.ROUND_TRIP) process.stderr.write(`${network}: ${JSON.stringify(differences)}\n`);
      for (const [where, largest] of Object.entries(differences)) expect(largest, where).toBeLessThan(LIMIT);
      expect(problems).toEqual([]);
      for (const path of [weights, model]) rmSync(path);
    },
    MOST_TIME,
  );

  async function withEngine(network, weights) {
    const embedder = await openTorchEmbedder({
      ...{ name: network, weights, network, embeddingSize: DIMENSION, threads: null },
    });
    const images = pictures.map((name) => imageFile(file(name)));
    const rows = await embedder.embed(images, { flip: false, batchSize: PICTURES });
    await embedder.close();
    return pictures.map((_, k) => unit(rows.subarray(k * DIMENSION, (k + 1) * DIMENSION)));
  }

  async function withNode(model) {
    const recognizer = await openRecognizer({ model });
    const embeddings = [];
    for (const name of pictures) {
      const [face] = await recognizer.recognize(file(name));
      embeddings.push(face.embedding);
    }
    await recognizer.close();
    return embeddings;
  }

  /** In a page of its own: what one network took of WebAssembly's memory is not given back. */
  async function withBrowser(address) {
    await page.goto(`http://127.0.0.1:${server.address().port}/page.html`);
    await page.waitForFunction(() => window.ready);
    return page.evaluate(
      ([model, images]) => window.embed(model, images),
      [address, pictures.map((name) => `/files/${name}`)],
    );
  }
});

function unit(row) {
  const length = Math.hypot(...row);
  return Array.from(row, (value) => value / length);
}

/** Largest difference of two numbers; NaN when one is. */
function difference(found, expected) {
  const all = expected.flatMap((row, k) => row.map((value, i) => Math.abs(value - found[k][i])));
  return all.reduce((most, value) => Math.max(most, value), 0);
}
