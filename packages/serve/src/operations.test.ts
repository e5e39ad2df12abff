import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import * as schemas from "./schemas.js";
import { fakeGallery, fakeRecognizer, fakeServer, form, picture } from "./serve.test.support.js";

const jpeg = { "content-type": "image/jpeg" };

test("health, readiness and metrics", async () => {
  const server = await fakeServer({ gallery: fakeGallery() });
  expect((await server.inject("/health")).json()).toEqual({ status: "ok" });
  expect((await server.inject("/ready")).json()).toEqual({ status: "ready" });
  await server.inject({ method: "POST", url: "/v1/embed", payload: picture(1, 2), headers: jpeg });
  await server.inject({ method: "POST", url: "/v1/embed", payload: Buffer.from("x"), headers: jpeg });
  await server.inject({
    ...{ method: "POST", url: "/v1/gallery" },
    ...form({ image: picture(1), identity: "Ada" }),
  });
  await server.inject({ method: "DELETE", url: "/v1/gallery/Ada" });
  const response = await server.inject("/metrics");
  expect(response.headers["content-type"]).toContain("text/plain");
  const { body } = response;
  expect(body).toContain('topofr_requests_total{method="POST",route="/v1/embed",status="200"} 1');
  expect(body).toContain('topofr_requests_total{method="POST",route="/v1/embed",status="400"} 1');
  expect(body).toContain('topofr_request_seconds_count{route="/v1/embed"} 2');
  expect(body).toContain("topofr_faces_total 3");
  expect(body).toContain('topofr_embed_batch_faces_bucket{le="2"} 2');
  expect(body).toContain("topofr_requests_in_work 0");
  expect(body).toContain("topofr_gallery_templates 0");
  expect(body).not.toContain("Ada");
  await server.close();
});

test("the log holds no name, no query, no picture and no embedding", async () => {
  const lines: string[] = [];
  const server = await fakeServer({ gallery: fakeGallery(), log: { write: (line) => lines.push(line) } });
  await server.inject({
    ...{ method: "POST", url: "/v1/gallery?note=Lovelace" },
    ...form({ image: picture(1), identity: "Ada" }),
  });
  await server.inject({ method: "DELETE", url: "/v1/gallery/Ada" });
  await server.inject({ method: "DELETE", url: "/v1/gallery/Ada" });
  await server.inject({ method: "POST", url: "/v1/embed?choice=Ada", payload: picture(1), headers: jpeg });
  await server.inject("/Ada?x=Lovelace");
  await server.close();
  const log = lines.join("");
  expect(log).toContain('"route":"/v1/gallery/:identity"');
  expect(log).toContain('"statusCode":201');
  expect(log).not.toMatch(/Ada|Lovelace|picture 640|embedding/);
});

test("a gallery of another model stops the start", async () => {
  const gallery = Object.create(fakeGallery(), { dimension: { value: 512 } });
  await expect(fakeServer({ gallery })).rejects.toThrow(
    /gallery has embeddings of 512 numbers, the model fake gives 8/,
  );
});

describe("the OpenAPI document", () => {
  const operationSchema = z.looseObject({
    summary: z.string(),
    responses: z.record(z.string(), z.looseObject({ description: z.string() })),
    requestBody: z
      .looseObject({ content: z.record(z.string(), z.looseObject({ schema: z.looseObject({}) })) })
      .optional(),
    parameters: z.array(z.looseObject({ name: z.string(), in: z.string() })).optional(),
    security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  });
  const documentSchema = z.looseObject({
    openapi: z.literal("3.1.0"),
    paths: z.record(z.string(), z.record(z.string(), operationSchema)),
    components: z.looseObject({ securitySchemes: z.looseObject({}).optional() }),
  });
  const read = async (options = {}) => {
    const server = await fakeServer(options);
    const document = documentSchema.parse((await server.inject("/openapi.json")).json());
    await server.close();
    return document;
  };

  test("has every operation, with its bodies, options and errors", async () => {
    const { paths } = await read();
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(operations.sort()).toEqual([
      ...["delete /v1/gallery/{identity}", "get /health", "get /metrics", "get /ready", "get /v1/gallery"],
      ...["get /v1/model", "post /v1/detect", "post /v1/embed", "post /v1/gallery", "post /v1/identify"],
      "post /v1/verify",
    ]);
    const { requestBody, parameters, responses } = paths["/v1/identify"]!.post!;
    expect(Object.keys(requestBody!.content)).toEqual([
      ...["image/*", "application/octet-stream", "multipart/form-data", "application/json"],
    ]);
    expect(requestBody!.content["application/json"]!.schema).toMatchObject({
      required: ["image"],
      properties: { image: { type: "string" }, top: { type: "integer", default: 5 } },
    });
    expect(parameters!.map(({ name }) => name)).toEqual(["choice", "threshold", "top"]);
    expect(Object.keys(responses).sort()).toEqual(["200", "400", "413", "415", "422", "501"]);
    expect(Object.keys(paths["/v1/verify"]!.post!.requestBody!.content)).toEqual([
      ...["multipart/form-data", "application/json"],
    ]);
    expect(paths["/v1/gallery"]!.post!.responses["201"]).toBeDefined();
    expect(paths["/v1/gallery"]!.post!.parameters!.find(({ name }) => name === "identity")).toMatchObject({
      required: false, // a form or JSON may have it
    });
  });

  test("names the token where there is one", async () => {
    const { paths, components } = await read({ token: "0123456789abcdef" });
    expect(components.securitySchemes).toEqual({ token: { type: "http", scheme: "bearer" } });
    expect(paths["/v1/embed"]!.post!.security).toEqual([{ token: [] }]);
    expect(Object.keys(paths["/v1/embed"]!.post!.responses)).toContain("401");
    expect(paths["/health"]!.get!.security).toBeUndefined();
  });
});

describe("what a browser needs to compute itself", () => {
  test("files are given with a tag, and only where the server shares them", async () => {
    const folder = await mkdtemp(join(tmpdir(), "topofr-serve-"));
    const [model, detector] = [join(folder, "my model.onnx"), join(folder, "find.onnx")];
    await writeFile(model, "weights");
    await writeFile(detector, "detector");
    const rates = [
      { threshold: 0.3, far: 1e-3, farReached: 9e-4, tar: 0.98, impostors: 3000, genuines: 3000, note: null },
    ];
    const browser = { model, detector, flip: true, minScore: 0.6 };
    const server = await fakeServer({ browser, rates });
    const answer = schemas.modelAnswer.parse((await server.inject("/v1/model")).json());
    expect(answer).toMatchObject({
      ...{ model: { name: "fake" }, dimension: 8, imageSize: 112, threshold: 0.5, gallery: false },
      browser: { model: "/models/model.onnx", detector: "/models/detector.onnx", flip: true },
      rates: [{ threshold: 0.3, far: 9e-4, tar: 0.98 }],
    });
    const file = await server.inject("/models/model.onnx");
    expect(file.body).toBe("weights");
    expect((await server.inject("/models/detector.onnx")).body).toBe("detector");
    expect(file.headers["cache-control"]).toBe("private, no-cache");
    const again = { "if-none-match": String(file.headers.etag) };
    expect((await server.inject({ url: "/models/model.onnx", headers: again })).statusCode).toBe(304);
    expect((await server.inject("/models/my%20model.onnx")).statusCode).toBe(404);
    await server.close();

    const private_ = await fakeServer({ recognizer: fakeRecognizer() });
    expect((await private_.inject("/v1/model")).json().browser).toBeNull();
    expect((await private_.inject("/models/model.onnx")).statusCode).toBe(404);
    await private_.close();
    await rm(folder, { recursive: true });
  });
});

describe("the page", () => {
  test("is served with a policy that allows WebAssembly and the import map, and no other inline script", async () => {
    const server = await fakeServer();
    const page = await server.inject("/");
    expect(page.headers["content-type"]).toContain("text/html");
    const policy = String(page.headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/script-src 'self' 'wasm-unsafe-eval' 'sha256-[\w+/]+='/);
    expect(policy).not.toMatch(/unsafe-inline|unsafe-eval'.*unsafe-eval|http/);
    expect(page.headers["x-content-type-options"]).toBe("nosniff");
    expect(page.headers["cross-origin-embedder-policy"]).toBe("require-corp");
    const map = /<script type="importmap">(.*?)<\/script>/s.exec(page.body)![1]!;
    const targets = Object.values(JSON.parse(map).imports as Record<string, string>);
    for (const path of ["/page/main.js", "/page/style.css", ...targets.map((target) => target.slice(1))])
      expect([path, (await server.inject({ method: "HEAD", url: path })).statusCode]).toEqual([path, 200]);
    for (const path of [
      ...["/page/index.html", "/page/rates.test.js", "/page/main.js.map", "/page/../package.json"],
      ...["/modules/recognizer/index.d.ts", "/modules/recognizer/%2e%2e/package.json"],
    ])
      expect([path, (await server.inject(path)).statusCode]).toEqual([path, 404]);
    await server.close();
  });

  test("can be left out", async () => {
    const server = await fakeServer({ page: false });
    const answer = await server.inject("/");
    expect(answer.statusCode).toBe(404);
    expect(answer.headers["content-security-policy"]).not.toContain("'self'");
    await server.close();
  });
});
