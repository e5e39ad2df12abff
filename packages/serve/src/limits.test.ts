// What happens when there is too much: batches, queues, rates, time, and closing. Over real connections where that matters.

import { type AddressInfo, connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import type { ServerOptions } from "./options.js";
import { fakeRecognizer, fakeServer, picture, soon, until } from "./serve.test.support.js";

const jpeg = { "content-type": "image/jpeg" };
const embed = (who: number) =>
  ({ method: "POST", url: "/v1/embed", payload: picture(who), headers: jpeg }) as const;

function gate() {
  let open = () => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

type Server = Awaited<ReturnType<typeof fakeServer>>;

/** The number of a metric. */
async function metric(server: Server, name: string): Promise<number> {
  const { body } = await server.inject("/metrics");
  return Number(new RegExp(`^${name} (.*)$`, "m").exec(body)?.[1]);
}

/** A server that embeds the first face only when the gate opens, and the request that waits for it. */
async function busyServer(options: Partial<ServerOptions>) {
  const recognizer = fakeRecognizer();
  const { promise, open } = gate();
  recognizer.gate = promise;
  const server = await fakeServer({
    ...{ recognizer, batchWaitMilliseconds: 0, detections: 10, rateLimit: null },
    ...options,
  });
  const first = Promise.resolve(server.inject(embed(0)));
  await until(() => recognizer.batches.length === 1);
  return { server, first, open };
}

describe("concurrent requests", () => {
  test("what waits while a batch runs is embedded together, and each gets its own", async () => {
    const { server, first, open } = await busyServer({ batchSize: 4 });
    const others = [1, 2, 3, 4, 5, 6].map((who) => Promise.resolve(server.inject(embed(who))));
    await until(async () => (await metric(server, "topofr_queue_faces")) === 6);
    open();
    const answers = await Promise.all([first, ...others]);
    expect(server.fake.batches).toEqual([1, 4, 2]);
    const found = answers.map((answer) => answer.json().faces[0].embedding.indexOf(1));
    expect(found).toEqual([0, 1, 2, 3, 4, 5, 6]);
    await server.close();
  });

  test("faces beyond the queue are answered with 503 and retry-after, the others are served", async () => {
    const { server, first, open } = await busyServer({ mostWaiting: 2 });
    const others = [1, 2].map((who) => Promise.resolve(server.inject(embed(who))));
    await until(async () => (await metric(server, "topofr_queue_faces")) === 2);
    const refused = await server.inject(embed(3));
    expect(refused.statusCode).toBe(503);
    expect(refused.headers["retry-after"]).toBe("1");
    expect(refused.json().error.code).toBe("E_BUSY");
    open();
    const answers = await Promise.all([first, ...others]);
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
    await server.close();
  });

  test("requests beyond the limit are refused before their pictures are read", async () => {
    const { server, first, open } = await busyServer({ mostRequests: 1 });
    expect((await server.inject(embed(1))).statusCode).toBe(503);
    expect((await server.inject("/v1/model")).statusCode).toBe(200);
    open();
    expect((await first).statusCode).toBe(200);
    await until(async () => (await metric(server, "topofr_requests_in_work")) === 0);
    expect((await server.inject(embed(1))).statusCode).toBe(200);
    await server.close();
  });
});

test("a request that takes too long is answered with 503, and its faces are not embedded", async () => {
  const server = await fakeServer({ timeoutSeconds: 0.1, batchWaitMilliseconds: 0 });
  const { promise, open } = gate();
  server.fake.gate = promise;
  const answers = await Promise.all([0, 1].map((who) => server.inject(embed(who))));
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([503, 503]);
  expect(answers[0]!.json().error).toEqual({
    code: "E_TIMEOUT",
    message: "the request took longer than 0.1 seconds",
  });
  open();
  const before = server.fake.batches.length;
  expect((await server.inject(embed(2))).statusCode).toBe(200);
  expect(server.fake.batches.slice(before)).toEqual([1]);
  await server.close();
});

test("more requests of one address than the rate are answered with 429 and retry-after", async () => {
  const server = await fakeServer({ rateLimit: { requests: 2, windowSeconds: 60 } });
  const answers = [];
  for (let k = 0; k < 3; k++) answers.push(await server.inject(embed(1)));
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 429]);
  const last = answers[2]!;
  expect(Number(last.headers["retry-after"])).toBeGreaterThan(50);
  expect(last.json().error.code).toBe("E_RATE_LIMIT");
  expect(last.json().error.message).toMatch(/^more than 2 requests in 60 seconds; go on in \d+ seconds$/);
  const other = await server.inject({ ...embed(1), remoteAddress: "10.0.0.7" });
  expect(other.statusCode).toBe(200);
  expect((await server.inject("/health")).statusCode).toBe(200);
  await server.close();
});

test("wrong tokens count against the rate", async () => {
  const limit = { requests: 2, windowSeconds: 60 };
  const server = await fakeServer({ token: "0123456789abcdef", rateLimit: limit });
  const statuses = [];
  for (let k = 0; k < 3; k++) statuses.push((await server.inject("/v1/model")).statusCode);
  expect(statuses).toEqual([401, 401, 429]);
  await server.close();
});

test("an upload far beyond the limit is answered, though it is still being sent; what is not HTTP too", async () => {
  const server = await fakeServer({ maxUploadBytes: 1000 });
  await server.listen({ host: "127.0.0.1", port: 0 });
  const { port } = server.server.address() as AddressInfo;
  const large = new Blob([new Uint8Array(5e6)]);
  const parts = new FormData();
  parts.append("image", large, "large.jpg");
  for (const [body, headers] of [
    [large, jpeg],
    [parts, {}],
  ] as const) {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/embed`, { method: "POST", body, headers });
    expect(answer.status).toBe(413);
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    expect(error).toMatchObject({ code: "E_TOO_LARGE", message: expect.stringContaining("1,000 bytes") });
  }
  const { socket, text } = open(port);
  socket.write("rubbish\r\n\r\n");
  expect(await text).toMatch(/^HTTP\/1.1 400 Bad Request.*\{"error":\{"code":"E_USAGE"/s);
  await server.close();
});

function open(port: number): { socket: Socket; text: Promise<string> } {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  socket.setEncoding("utf8").on("data", (chunk) => {
    received += chunk;
  });
  const text = new Promise<string>((resolve, reject) => {
    socket.on("close", () => resolve(received)).on("error", reject);
  });
  return { socket, text };
}

describe("closing", () => {
  const head = (length: number) =>
    `POST /v1/embed HTTP/1.1\r\nhost: localhost\r\ncontent-type: image/jpeg\r\ncontent-length: ${length}\r\n\r\n`;

  async function listening() {
    const recognizer = fakeRecognizer();
    const { promise, open: openGate } = gate();
    recognizer.gate = promise;
    const server = await fakeServer({ recognizer, batchWaitMilliseconds: 50 });
    await server.listen({ host: "127.0.0.1", port: 0 });
    const { port } = server.server.address() as AddressInfo;
    return { server, recognizer, port, openGate };
  }

  const body = picture(3);

  test("what is in work is finished, uploads included; new connections are refused", async () => {
    const { server, recognizer, port, openGate } = await listening();
    const [computing, uploading, silent] = [open(port), open(port), open(port)];
    uploading.socket.write(head(body.length));
    uploading.socket.write(body.subarray(0, 5));
    await until(async () => (await metric(server, "topofr_requests_in_work")) === 1);
    computing.socket.write(head(body.length));
    computing.socket.write(body);
    await until(() => recognizer.batches.length === 1);
    const closed = server.close();
    expect(await silent.text).toBe(""); // let go at once
    await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow();
    uploading.socket.write(body.subarray(5));
    openGate();
    for (const { text } of [computing, uploading]) {
      const answer = await text; // the connection ends although it was kept alive
      expect(answer).toMatch(/^HTTP\/1.1 200 OK/);
      expect(answer).toContain('"embedding":[0,0,0,1,0,0,0,0]');
    }
    await closed;
  });

  test("a request that comes later on an open connection is told so", async () => {
    const { server, port, openGate } = await listening();
    openGate();
    const { socket, text } = open(port);
    socket.write(head(body.length));
    socket.write(body);
    await new Promise((resolve) => socket.once("data", resolve));
    const later = head(body.length);
    socket.write(later.slice(0, 30));
    await soon(30); // until the server has it
    const closed = server.close();
    await soon(10);
    socket.write(later.slice(30));
    const answers = await text;
    expect(answers).toContain("HTTP/1.1 503");
    expect(answers).toContain('"code":"E_CLOSING"');
    await closed;
  });

  test("the face of a client that left is not embedded", async () => {
    const { server, recognizer, port, openGate } = await listening();
    openGate();
    const gone = open(port);
    gone.socket.write(head(body.length));
    gone.socket.write(body);
    await until(async () => (await metric(server, "topofr_queue_faces")) === 1);
    gone.socket.destroy();
    await until(async () => (await metric(server, "topofr_queue_faces")) === 0);
    expect(recognizer.batches).toEqual([]);
    await server.close();
  });
});
