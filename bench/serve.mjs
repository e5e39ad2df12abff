// Requests a second of `topofr serve` under concurrent load, and their times at the median and the 99th percentile, with and without
// batching, beside the recogniser alone in a loop. Then the server is told to stop in the middle of the load: nothing may be lost.
// The server is a process of its own; this one makes the load.
// Run: node bench/serve.mjs --model model.onnx --detector yunet.onnx --images folder [--operation embed] [--concurrency 1,8,32]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { loadavg } from "node:os";
import { extname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { openRecognizer } from "../packages/recognizer/dist/index.js";
import { parseOptions, positive } from "./options.mjs";

const OPTIONS = {
  model: { type: "string" },
  card: { type: "string" },
  detector: { type: "string" },
  images: { type: "string" },
  operation: { type: "string", default: "embed" },
  concurrency: { type: "string", default: "1,8,32" },
  seconds: { type: "string", default: "5" },
  "batch-size": { type: "string", default: "32" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};
const HELP =
  "usage: node bench/serve.mjs --model model.onnx [--card file] [--detector yunet.onnx] --images folder\n" +
  "         [--operation embed|detect|verify] [--concurrency 1,8,32] [--seconds 5] [--batch-size 32] [--json]\n" +
  "  without --detector the images must be aligned faces\n";
const MOST_IMAGES = 64;
const WARM_UP = 8; // requests

const values = parseOptions(OPTIONS, HELP);
const seconds = positive(values, "seconds");
const levels = values.concurrency.split(",").map(Number);
if (!values.model || !values.images || !levels.every((n) => Number.isInteger(n) && n > 0)) {
  process.stderr.write(HELP);
  process.exit(2);
}
const pictures = readdirSync(values.images, { recursive: true })
  .filter((name) => [".jpg", ".jpeg", ".png"].includes(extname(name).toLowerCase()))
  .sort()
  .slice(0, MOST_IMAGES)
  .map((name) => readFileSync(join(values.images, name)));
const bodies = values.operation === "verify" ? pictures.map(pair) : pictures.map((body) => ({ body }));

const report = {
  operation: values.operation,
  load: loadavg()[0],
  images: pictures.length,
  alone: await recognizerAlone(),
  sides: {},
};
for (const [side, batchSize] of [
  ["batched", positive(values, "batch-size")],
  ["one by one", 1],
]) {
  const server = await startServer(batchSize);
  const rows = [];
  await generateLoad(server, { concurrency: 1, until: (sent) => sent >= WARM_UP });
  for (const concurrency of levels) {
    const end = performance.now() + 1000 * seconds;
    const before = await batchCounts(server);
    const { times, refused, lost } = await generateLoad(server, {
      concurrency,
      until: () => performance.now() > end,
    });
    const after = await batchCounts(server);
    const batches = after.batches - before.batches;
    rows.push({
      concurrency,
      requestsPerSecond: times.length / seconds,
      p50: percentile(times, 0.5),
      p99: percentile(times, 0.99),
      facesPerBatch: batches === 0 ? null : (after.faces - before.faces) / batches,
      ...{ answered: times.length, refused, lost },
    });
  }
  report.sides[side] = { rows, stop: await stopUnderLoad(server, Math.max(...levels)) };
}
process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : describe(report));

/** Form with the picture twice. */
function pair(picture) {
  const boundary = "topofr-bench";
  const parts = ["a", "b"].map((name) =>
    Buffer.concat([
      Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="${name}"; filename="x"\r\n\r\n`),
      picture,
      Buffer.from("\r\n"),
    ]),
  );
  const body = Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]);
  return { body, type: `multipart/form-data; boundary=${boundary}` };
}

/** Pictures a second of the library in this process, one after the other: decoded, searched, embedded. */
async function recognizerAlone() {
  const { model, card, detector } = values;
  const recognizer = await openRecognizer({ model, ...(detector && { detector }), ...(card && { card }) });
  const one = (k) =>
    values.operation === "detect"
      ? recognizer.detect(pictures[k % pictures.length])
      : recognizer.recognize(pictures[k % pictures.length], { all: true });
  for (let k = 0; k < WARM_UP; k++) await one(k);
  const started = performance.now();
  let count = 0;
  for (; performance.now() < started + 1000 * seconds; count++) await one(count);
  const rate = (1000 * count) / (performance.now() - started);
  await recognizer.close();
  return { picturesPerSecond: rate };
}

async function startServer(batchSize) {
  const main = fileURLToPath(new URL("../packages/topofr/dist/cli/main.js", import.meta.url));
  const { model, card, detector } = values;
  const args = [
    "--model",
    model,
    "--port",
    "0",
    "--json",
    "--quiet",
    "--rate",
    "0",
    "--batch-size",
    String(batchSize),
  ];
  if (detector) args.push("--detector", detector);
  if (card) args.push("--card", card);
  const env = { ...process.env, TOPOFR_TOKEN: "" };
  const child = spawn(process.execPath, [main, "serve", ...args], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) {
    text += chunk;
    if (text.includes("\n}")) break;
  }
  if (!text.includes("\n}")) process.exit(1); // it has said why
  return { child, port: Number(new URL(JSON.parse(text).url).port) };
}

/** Sends requests, `concurrency` at a time, until told to stop, and waits for the last answers. */
async function generateLoad({ port }, { concurrency, until }) {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const result = { times: [], refused: 0, lost: 0, notConnected: 0 };
  let sent = 0;
  const worker = async () => {
    while (!until(sent)) {
      const started = performance.now();
      const outcome = await send(port, agent, bodies[sent++ % bodies.length]);
      if (outcome === 200) result.times.push(performance.now() - started);
      else if (outcome === "not connected") result.notConnected++;
      else if (outcome === 503) result.refused++;
      else result.lost++; // another status, or no answer to what was sent
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  agent.destroy();
  return result;
}

/** The status, "not connected", or "lost": sent and not answered. */
function send(port, agent, { body, type = "image/jpeg" }) {
  const path = `/v1/${values.operation}`;
  const headers = { "content-type": type, "content-length": body.length };
  return new Promise((resolve) => {
    const outgoing = request(
      { port, host: "127.0.0.1", path, method: "POST", headers, agent },
      (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode));
        response.on("error", () => resolve("lost"));
      },
    );
    // A kept connection that the server closed before it read anything is no loss: clients send again.
    outgoing.on("error", ({ code }) =>
      resolve(code === "ECONNREFUSED" || outgoing.reusedSocket ? "not connected" : "lost"),
    );
    outgoing.end(body);
  });
}

/** Tells the server to stop while requests run, and counts what became of them. */
async function stopUnderLoad(server, concurrency) {
  let stopped = false;
  const exit = once(server.child, "close");
  setTimeout(() => server.child.kill("SIGTERM"), 1000);
  exit.then(() => {
    stopped = true;
  });
  const { times, refused, lost, notConnected } = await generateLoad(server, {
    concurrency,
    until: () => stopped || server.child.exitCode !== null,
  });
  const [status] = await exit;
  return { status, answered: times.length, refused, lost, notConnected };
}

async function batchCounts({ port }) {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const read = (name) => Number(new RegExp(`^topofr_embed_batch_faces_${name} (.*)$`, "m").exec(text)[1]);
  return { faces: read("sum"), batches: read("count") };
}

function percentile(times, share) {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? null;
}

function describe({ operation, load, images, alone, sides }) {
  const lines = [
    `${operation}, ${images} pictures; load before ${load.toFixed(1)}`,
    `recogniser alone, one after the other: ${alone.picturesPerSecond.toFixed(1)} pictures/s`,
  ];
  for (const [side, { rows, stop }] of Object.entries(sides)) {
    lines.push(`${side}:`);
    for (const row of rows)
      lines.push(
        `  ${String(row.concurrency).padStart(3)} at a time: ${row.requestsPerSecond.toFixed(1).padStart(7)} requests/s, ` +
          `p50 ${row.p50?.toFixed(0)} ms, p99 ${row.p99?.toFixed(0)} ms, ` +
          `${row.facesPerBatch?.toFixed(1) ?? "no"} faces a batch; ${row.answered} answered, ${row.refused} refused, ${row.lost} lost`,
      );
    lines.push(
      `  stopped under load: status ${stop.status}, ${stop.answered} answered, ${stop.refused} refused, ${stop.lost} lost`,
    );
  }
  return `${lines.join("\n")}\n`;
}
