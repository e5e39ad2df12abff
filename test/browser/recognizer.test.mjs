// @topofr/recognizer in a real browser, on the built package with ONNX Runtime for the web: no bundler, no Node. The same pictures and
// networks go through Node, and must come to the same. Skipped, with a word, where there is no Chromium; real models where they are not.
import { existsSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { openRecognizer } from "@topofr/recognizer";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { detectorOnnx } from "../../packages/recognizer/dist/onnx/detector.test.support.js";
import { halvesOnnx } from "../../packages/recognizer/dist/onnx/onnx.test.support.js";
import {
  findChromium,
  noChromium,
  openPage,
  RECOGNIZER_FOLDERS,
  RECOGNIZER_IMPORTS,
  serveFiles,
} from "./support.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const chromium = findChromium();

const data = resolve(root, "../shared/data");
const real = {
  model: join(data, "models/foamliu_mobilefacenet_112x112.onnx"),
  detector: join(data, "models/yunet_n_320_320.onnx"),
  picture: join(data, "lfw_original/Abel_Pacheco/Abel_Pacheco_0001.jpg"),
};
const missing = Object.values(real).find((path) => !existsSync(path));
const noModels = missing ? ` (skipped: ${relative(root, missing)} is not here)` : "";
const REAL_CARD = { input: { scale: "1/255", mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } };

const SIZE = 16;
const MODEL = halvesOnnx({ size: SIZE });
const DETECTOR = detectorOnnx({ family: "YuNet", size: { width: 96, height: 64 } });

const PAGE = `<!doctype html><meta charset="utf-8"><title>Recognizer</title><link rel="icon" href="data:,">
${RECOGNIZER_IMPORTS}
<script type="module">
  import * as api from "/recognizer/web/index.js";
  // What of a face is compared, as plain lists.
  const plain = ({ box, landmarks, score, of, aligned, embedding }) =>
    ({ box, landmarks: [...landmarks], score, of, aligned: [...aligned.pixels], embedding: [...embedding] });
  const words = ({ code, message }) => ({ code, message });
  window.api = api;
  window.open_ = async (options) => { window.recognizer = await api.openRecognizer(options).catch((error) => words(error)); };
  window.recognize = (image, options) => window.recognizer.recognize(image, options).then((faces) => faces.map(plain), words);
  window.fetchBlob = async (path) => (await fetch(path)).blob();
  window.ready = true;
</script>`;

/** 120x80, larger than the detector's input: two red squares on a slope of grey. */
function pictureWithFaces() {
  const [width, height] = [120, 80];
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const face = [20, 80].some((left) => x >= left && x < left + 10 && y >= 30 && y < 40);
      pixels.set(face ? [255 - x, 0, 0] : [x, 2 * y + 60, 100], (y * width + x) * 3);
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

function expectSameFaces(found, wanted) {
  expect(found.length, JSON.stringify(found).slice(0, 300)).toBe(wanted.length);
  for (const [k, face] of found.entries()) {
    const own = wanted[k];
    expect(face.of).toBe(own.of);
    for (const key of ["x", "y", "width", "height"]) expect(face.box[key]).toBeCloseTo(own.box[key], 2);
    for (const [i, value] of face.landmarks.entries()) expect(value).toBeCloseTo(own.landmarks[i], 2);
    const levels = face.aligned.map((value, i) => Math.abs(value - own.aligned.pixels[i]));
    expect(Math.max(...levels)).toBeLessThanOrEqual(1); // where rounding of a landmark tips a pixel's
    const differences = face.embedding.map((value, i) => Math.abs(value - own.embedding[i]));
    expect(Math.max(...differences)).toBeLessThan(1e-4);
  }
}

describe.skipIf(chromium === null)(
  `the recognizer in a browser${chromium === null ? noChromium : ""}`,
  () => {
    let server;
    let browser;
    let page;
    let problems;
    let recognizer;
    let png;
    const files = {};

    beforeAll(async () => {
      png = await pictureWithFaces().png().toBuffer();
      Object.assign(files, {
        "/page.html": PAGE,
        "/files/model.onnx": MODEL,
        "/files/detector.onnx": DETECTOR,
        "/files/faces.png": png,
        "/files/turned.jpg": await pictureWithFaces()
          .rotate(90)
          .withMetadata({ orientation: 8 })
          .jpeg({ quality: 100, chromaSubsampling: "4:4:4" })
          .toBuffer(),
        "/files/text.jpg": "no image",
        "/files/text.onnx": "no model",
      });
      if (!missing)
        for (const [name, path] of Object.entries(real))
          files[`/files/real-${name}.${path.endsWith("onnx") ? "onnx" : "jpg"}`] = readFileSync(path);
      server = await serveFiles(RECOGNIZER_FOLDERS, files);
      ({ browser, page, problems } = await openPage(chromium));
      await page.goto(`http://127.0.0.1:${server.address().port}/page.html`);
      await page.waitForFunction(() => window.ready);
      await page.evaluate(() =>
        window.open_({ model: "/files/model.onnx", detector: "/files/detector.onnx" }),
      );
      recognizer = await openRecognizer({ model: MODEL, detector: DETECTOR, threads: 1 });
    });
    afterAll(async () => {
      await recognizer?.close();
      await browser?.close();
      server?.close();
    });

    test("it says the same of itself as in Node", async () => {
      const found = await page.evaluate(() => {
        const { dimension, imageSize, model, card, hasDetector, threshold } = window.recognizer;
        return { dimension, imageSize, model, card, hasDetector, threshold };
      });
      const { dimension, imageSize, card } = recognizer;
      const { sha256 } = recognizer.model;
      expect(found).toEqual({
        ...{ dimension, imageSize, card },
        hasDetector: true,
        threshold: null,
        model: { name: "model", sha256 },
      });
    });

    test("faces, landmarks, aligned pixels and embeddings are those of Node", async () => {
      const found = await page.evaluate(async () =>
        window.recognize(await window.fetchBlob("/files/faces.png"), { all: true }),
      );
      const wanted = await recognizer.recognize(png, { all: true });
      expect(wanted).toHaveLength(2);
      expectSameFaces(found, wanted);
    });

    test("an EXIF rotation is honoured", async () => {
      const [face] = await page.evaluate(async () =>
        window.recognize(await window.fetchBlob("/files/turned.jpg")),
      );
      const [wanted] = await recognizer.recognize(files["/files/turned.jpg"]);
      const [upright] = await recognizer.recognize(png);
      expect(face.box.x).toBeCloseTo(wanted.box.x, 1);
      expect(face.box.x).toBeCloseTo(upright.box.x, 1);
      expect(
        await page.evaluate(async () => {
          const { width, height } = await window.recognizer.read(await window.fetchBlob("/files/turned.jpg"));
          return [width, height];
        }),
      ).toEqual([120, 80]);
    });

    test("every source of pictures gives the same pixels", async () => {
      const sizes = await page.evaluate(async () => {
        const blob = await window.fetchBlob("/files/faces.png");
        const bitmap = await createImageBitmap(blob);
        const image = new Image();
        image.src = "/files/faces.png";
        await image.decode();
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
        const context = canvas.getContext("2d");
        context.drawImage(bitmap, 0, 0);
        const offscreen = new OffscreenCanvas(bitmap.width, bitmap.height);
        offscreen.getContext("2d").drawImage(bitmap, 0, 0);
        const sources = {
          blob,
          file: new File([blob], "faces.png"),
          bitmap,
          image,
          canvas,
          offscreen,
          data: context.getImageData(0, 0, canvas.width, canvas.height),
          frame: new VideoFrame(canvas, { timestamp: 0 }),
        };
        const wanted = await window.recognizer.read(blob);
        const largest = {};
        for (const [name, source] of Object.entries(sources)) {
          const { width, height, pixels } = await window.recognizer.read(source);
          const differences = pixels.map((value, i) => Math.abs(value - wanted.pixels[i]));
          largest[name] =
            width === 120 && height === 80 ? differences.reduce((a, b) => Math.max(a, b), 0) : "size";
        }
        sources.frame.close();
        return largest;
      });
      expect(sizes).toEqual({
        blob: 0,
        file: 0,
        bitmap: 0,
        image: 0,
        canvas: 0,
        offscreen: 0,
        data: 0,
        frame: 0,
      });
      const { pixels } = await recognizer.read(png);
      const inPage = await page.evaluate(async () => [
        ...(await window.recognizer.read(await window.fetchBlob("/files/faces.png"))).pixels,
      ]);
      expect(inPage).toEqual([...pixels]);
    });

    test("a frame of a video", async () => {
      const faces = await page.evaluate(async () => {
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [120, 80];
        const context = canvas.getContext("2d");
        const bitmap = await createImageBitmap(await window.fetchBlob("/files/faces.png"));
        const video = document.createElement("video");
        const early = await window.recognize(video);
        video.muted = true;
        video.srcObject = canvas.captureStream(30);
        const loaded = new Promise((resolve) => video.addEventListener("loadeddata", resolve));
        const drawing = setInterval(() => context.drawImage(bitmap, 0, 0), 20);
        await video.play();
        await loaded;
        await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
        clearInterval(drawing);
        const found = await window.recognize(video, { all: true });
        for (const track of video.srcObject.getTracks()) track.stop();
        return { early, found };
      });
      expect(faces.early).toMatchObject({ code: "E_FORMAT" });
      expect(faces.found).toHaveLength(2);
    });

    test("transparent pixels show white, as in Node", async () => {
      const rgba = [200, 0, 0, 0, 200, 0, 0, 51, 10, 20, 30, 255];
      const found = await page.evaluate(async (values) => {
        const data = new ImageData(Uint8ClampedArray.from(values), 3, 1);
        return [...(await window.recognizer.read(data)).pixels];
      }, rgba);
      expect(found).toEqual([255, 255, 255, 244, 204, 204, 10, 20, 30]);
    });

    test("verify and identify, many at once", async () => {
      const { verified, matches, together } = await page.evaluate(async () => {
        const blob = await window.fetchBlob("/files/faces.png");
        const { similarity, same } = await window.recognizer.verify(blob, blob, { threshold: 0.5 });
        const gallery = { dimension: 6, search: async () => [{ identity: "Ann", id: "1", similarity: 0.9 }] };
        const [face] = await window.recognizer.identify(blob, gallery);
        const together = await Promise.all([1, 2, 3].map(() => window.recognize(blob)));
        return { verified: { similarity, same }, matches: face.matches, together };
      });
      expect(verified.same).toBe(true);
      expect(verified.similarity).toBeCloseTo(1, 5);
      expect(matches).toEqual([{ identity: "Ann", id: "1", similarity: 0.9 }]);
      expect(together[1]).toEqual(together[0]);
      expect(together[2]).toEqual(together[0]);
    });

    test("what is wrong is said as in Node", async () => {
      const found = await page.evaluate(async () => {
        const blank = new OffscreenCanvas(100, 50);
        const black = new ImageData(new Uint8ClampedArray(100 * 50 * 4).fill(255), 100, 50);
        const words = (promise) =>
          promise.then(
            () => "no error",
            ({ code, message }) => `${code} ${message}`,
          );
        const all = {};
        all.empty = await words(window.recognizer.recognize(new File([], "empty.jpg")));
        all.text = await words(window.recognizer.recognize(new Blob(["hello"])));
        all.face = await words(window.recognizer.recognize(black));
        all.image = await words(window.recognizer.recognize(new Image()));
        all.kind = await words(window.recognizer.recognize("faces.png"));
        all.canvas = await words(window.recognizer.recognize(blank));
        const small = await window.api.openRecognizer({ model: "/files/model.onnx", maxPixels: 1000 });
        all.large = await words(small.recognize(await window.fetchBlob("/files/faces.png")));
        await small.close();
        all.closed = await words(small.recognize(black));
        all.model = await words(window.api.openRecognizer({ model: "/files/detector.onnx" }));
        all.onnx = await words(window.api.openRecognizer({ model: new TextEncoder().encode("no model") }));
        all.option = await words(window.api.openRecognizer({ model: "/files/model.onnx", cards: {} }));
        return all;
      });
      expect(found).toEqual({
        empty: "E_FORMAT empty.jpg: 0 bytes; not an image",
        text: expect.stringMatching(/^E_FORMAT picture \(Blob\): not an image, damaged/),
        face: expect.stringMatching(/^E_DATA picture \(ImageData\): no face found \(100x50 pixels/),
        image: expect.stringMatching(/^E_FORMAT picture \(HTMLImageElement\): the image has not loaded/),
        kind: expect.stringMatching(/^E_USAGE string: a picture is a Blob/),
        canvas: expect.stringMatching(/^E_DATA picture \(OffscreenCanvas\): no face found/),
        large: expect.stringMatching(
          /^E_DATA picture \(Blob\): 120x80 are 0.0096 million pixels; the limit is 0.001 million/,
        ),
        closed: "E_USAGE the recognizer is closed",
        model: expect.stringMatching(/^E_MODEL \/files\/detector.onnx: .*face detector/),
        onnx: expect.stringMatching(/^E_FORMAT model: ONNX Runtime cannot load it/),
        option: expect.stringMatching(/^E_USAGE unknown option "cards"/),
      });
    });

    test("WebGPU first, WebAssembly where there is none", async () => {
      const faces = await page.evaluate(async () => {
        const [model, detector] = ["/files/model.onnx", "/files/detector.onnx"];
        await window.recognizer.close();
        await window.open_({ model, detector, executionProviders: ["webgpu", "wasm"] });
        return window.recognize(await window.fetchBlob("/files/faces.png"), { all: true });
      });
      expectSameFaces(faces, await recognizer.recognize(png, { all: true }));
    });

    test.skipIf(missing)(
      `YuNet and MobileFaceNet: the same face and embedding as in Node${noModels}`,
      async () => {
        const { model, detector, picture } = real;
        const own = await openRecognizer({ model, detector, card: REAL_CARD, threads: 1 });
        const wanted = await own.recognize(picture, { all: true });
        await own.close();
        const found = await page.evaluate(async (card) => {
          await window.recognizer.close();
          const [model, detector] = ["/files/real-model.onnx", "/files/real-detector.onnx"];
          await window.open_({ model, detector, card });
          return window.recognize(await window.fetchBlob("/files/real-picture.jpg"), { all: true });
        }, REAL_CARD);
        expectSameFaces(found, wanted);
      },
    );

    test("nothing failed to load, and nothing was asked of any other host", async () => {
      expect(problems).toEqual([]);
      const error = await page.evaluate(() =>
        window.api
          .openRecognizer({ model: "/files/none.onnx" })
          .catch(({ code, message }) => `${code} ${message}`),
      );
      expect(error).toBe("E_FILE /files/none.onnx: cannot fetch the model (HTTP 404); check the address");
    });
  },
);
