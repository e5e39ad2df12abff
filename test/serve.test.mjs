// `topofr serve` as a process: what it says, what it refuses at the start, and that nothing is lost when it is told to stop. The networks
// are made here: a detector of red squares, and an embedding of mean colours.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openGallery } from "../packages/recognizer/dist/gallery/index.js";
import { detectorOnnx } from "../packages/recognizer/dist/onnx/detector.test.support.js";
import { halvesOnnx } from "../packages/recognizer/dist/onnx/onnx.test.support.js";
import { imageOf, patches } from "../packages/recognizer/dist/read/pictures.test.support.js";
import { topofr } from "../packages/topofr/dist/cli/command.test.support.js";

const main = fileURLToPath(new URL("../packages/topofr/dist/cli/main.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "topofr-serve-"));
const file = (name) => join(folder, name);
const running = new Set();
let picture;

beforeAll(async () => {
  writeFileSync(file("model.onnx"), halvesOnnx({ size: 16 }));
  writeFileSync(file("detector.onnx"), detectorOnnx({ family: "YuNet", size: { width: 128, height: 64 } }));
  const red = patches(128, 64, [{ x: 24, y: 24, size: 8, color: [255, 0, 0] }]);
  picture = await imageOf(red).png().toBuffer();
});
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

const MODELS = ["--model", file("model.onnx"), "--detector", file("detector.onnx"), "--threads", "1"];

/** Starts the program; its text so far, and its exit status when it is over. */
function start(...args) {
  const env = { ...process.env, TOPOFR_TOKEN: "" };
  const child = spawn(process.execPath, [main, "serve", ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const run = { child, out: "", err: "", ended: once(child, "close").then(([code]) => code) };
  child.stdout.setEncoding("utf8").on("data", (text) => {
    run.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    run.err += text;
  });
  run.ended.then(() => running.delete(child));
  return run;
}

/** Waits for a text in what it prints, on standard output or error. */
async function until(run, pattern) {
  for (;;) {
    const found = pattern.exec(run.out) ?? pattern.exec(run.err);
    if (found) return found;
    if (run.child.exitCode !== null) throw new Error(`ended before "${pattern}": ${run.out}${run.err}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function serving(...args) {
  const run = start(...MODELS, "--port", "0", "--json", ...args);
  await until(run, /\n\}/);
  const { url, token } = JSON.parse(run.out);
  return { ...run, run, url, token, port: Number(new URL(url).port) };
}

/** Waits until a request is in work. */
async function untilBusy(port, token) {
  for (;;) {
    const headers = { authorization: `Bearer ${token}` };
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
    if (/^topofr_requests_in_work 1$/m.test(metrics)) return;
  }
}

/** An upload on a connection of its own, of which the rest can be sent later. */
function upload(port, path, body, { all, token = "none" }) {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
  });
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: image/png\r\ncontent-length: ${body.length}\r\n` +
      `authorization: Bearer ${token}\r\n\r\n`,
  );
  const half = all ? body.length : body.length >> 1;
  socket.write(body.subarray(0, half));
  const closed = once(socket, "close").then(() => text);
  closed.catch(() => {});
  return { closed, finish: () => socket.write(body.subarray(half)) };
}

test("stopping loses nothing: what was begun is answered, enrolments are on the disk, the status is 0", async () => {
  const gallery = file("people.gallery");
  const { run, child, url, port, token } = await serving("--gallery", gallery);
  expect(token).toBeNull(); // this machine only
  const model = await (await fetch(`${url}/v1/model`)).json();
  expect(model).toMatchObject({ dimension: 6, detector: true, gallery: true });

  const enrolments = ["Ada", "Grace"].map((name) =>
    upload(port, `/v1/gallery?identity=${name}`, picture, { all: false }),
  );
  const embeddings = Array.from({ length: 8 }, () => upload(port, "/v1/embed", picture, { all: true }));
  await until(run, /(?:incoming request.*?){11}/s); // the first was for the model
  child.kill("SIGTERM");
  await until(run, /closing, when the requests in work are done/);
  await expect(fetch(`${url}/health`)).rejects.toThrow();
  for (const { finish } of enrolments) finish();
  for (const { closed } of enrolments) expect(await closed).toMatch(/^HTTP\/1.1 201 Created/);
  for (const { closed } of embeddings) expect(await closed).toMatch(/^HTTP\/1.1 200 OK/);
  expect(await run.ended).toBe(0);
  expect(run.err).not.toMatch(/Ada|Grace/);

  const kept = await openGallery(gallery);
  expect(kept.identities().map(({ identity }) => identity)).toEqual(["Ada", "Grace"]);
  await kept.close();
});

test("others need a token, the threshold is an evaluation's, --quiet logs nothing, a second signal ends it at once", async () => {
  const point = (far, threshold) => ({
    ...{ far, farReached: far, tar: 0.9, threshold, impostors: 3000 },
    note: null,
  });
  const tarAtFar = [point(0.1, 1.6), point(0.001, 1.2), point(1e-4, 1.2)];
  writeFileSync(file("report.json"), JSON.stringify({ kind: "pairs", benchmark: "lfw", tarAtFar }));
  const options = ["--host", "0.0.0.0", "--quiet", "--report", file("report.json")];
  const { run, child, token, port } = await serving(...options);
  expect(token).toMatch(/^[\w-]{32}$/); // a new one, shown once
  const ask = (authorization) =>
    fetch(`http://127.0.0.1:${port}/v1/model`, { headers: { ...(authorization && { authorization }) } });
  expect((await ask()).status).toBe(401);
  expect((await ask("Bearer wrong-wrong-wrong-wrong")).status).toBe(401);
  const { threshold, rates } = await (await ask(`Bearer ${token}`)).json();
  expect(threshold).toBeCloseTo(0.4, 12); // 1 - 1.2 / 2, at the default rate of 0.001
  expect(rates.map((rate) => [rate.far, rate.threshold])).toEqual([
    [0.1, expect.closeTo(0.2, 12)],
    [1e-4, expect.closeTo(0.4, 12)],
  ]);

  const { closed } = upload(port, "/v1/embed", picture, { all: false, token });
  await untilBusy(port, token);
  child.kill("SIGTERM");
  await until(run, /closing/);
  child.kill("SIGINT");
  expect(await run.ended).toBe(130);
  expect(run.err.trim()).toMatch(/^closing[^\n]*$/);
  await closed.catch(() => {});
});

test("what cannot be served is refused at the start, with what to do", async () => {
  writeFileSync(file("broken.onnx"), "not a model");
  writeFileSync(file("token.txt"), "short\n");
  const other = await openGallery(file("other.gallery"), {
    ...{ dimension: 4, model: { name: "other", sha256: "0".repeat(64) } },
    create: true,
  });
  await other.close();
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");

  const detector = ["--detector", file("detector.onnx")];
  const cases = [
    [
      ["--model", file("broken.onnx"), ...detector],
      1,
      /E_FORMAT .*broken\.onnx: ONNX Runtime cannot load it/,
    ],
    [["--model", file("missing.onnx"), ...detector], 1, /E_FILE .*missing\.onnx/],
    [["--model", file("detector.onnx"), ...detector], 1, /E_MODEL .*detector\.onnx/],
    [["--model", file("model.onnx"), "--detector", file("model.onnx")], 1, /E_MODEL .*model\.onnx/],
    [[...MODELS, "--gallery", file("other.gallery")], 1, /E_MODEL .*other\.gallery.* 4 .*6/],
    [[...MODELS, "--gallery", file("broken.onnx")], 1, /E_FORMAT .*broken\.onnx/],
    [[...MODELS, "--token-file", file("token.txt")], 2, /E_USAGE the token must have at least 16 characters/],
    [
      [...MODELS, "--port", String(taken.address().port)],
      1,
      /E_SETUP 127\.0\.0\.1:\d+: the port is taken; .*--port/,
    ],
    [[...MODELS, "--token-file", "t", "--no-auth"], 2, /E_USAGE --token-file and --no-auth contradict/],
    [[...MODELS, "--far", "1e-3"], 2, /E_USAGE --far: goes with --report/],
    [[...MODELS, "--report", file("token.txt")], 1, /E_FORMAT .*token\.txt: not JSON/],
  ];
  for (const [args, status, words] of cases) {
    const printed = await topofr("serve", ...args); // in this process: nothing of it listens
    expect([printed.status, printed.out]).toEqual([status, ""]);
    expect(printed.err).toMatch(words);
  }
  taken.close();
});
