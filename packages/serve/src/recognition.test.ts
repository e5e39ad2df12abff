import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as schemas from "./schemas.js";
import { DIMENSION, fakeGallery, fakeRecognizer, fakeServer, form, picture } from "./serve.test.support.js";

const MAX_BYTES = 2000;
const jpeg = { "content-type": "image/jpeg" };
let server: FastifyInstance;

beforeAll(async () => {
  server = await fakeServer({ gallery: fakeGallery(), maxUploadBytes: MAX_BYTES });
});
afterAll(() => server.close());

const post = (url: string, payload: Buffer | object, headers: Record<string, string> = {}) =>
  server.inject({ method: "POST", url, payload, headers });
const base64 = (...faces: number[]) => picture(...faces).toString("base64");

describe("one picture", () => {
  test("detect gives boxes and landmarks of every face", async () => {
    const response = await post("/v1/detect", picture(3, 7), jpeg);
    expect(response.statusCode).toBe(200);
    const answer = schemas.detectAnswer.parse(response.json());
    expect(answer).toMatchObject({ width: 640, height: 480 });
    expect(answer.faces.map(({ score }) => score)).toEqual([0.9, 0.8]);
    expect(answer.faces[1]).toMatchObject({ box: { x: 110, y: 20, width: 80, height: 90 } });
    expect(answer.faces[1]!.landmarks[0]).toEqual([100, 101]);
    expect(response.headers["cache-control"]).toBe("no-store");
  });

  test("the body may be the picture, a form, or JSON with base64 or a data: URL", async () => {
    const bodies: [Buffer | object, Record<string, string>][] = [
      [picture(3), jpeg],
      [picture(3), { "content-type": "application/octet-stream" }],
      [form({ image: picture(3) }).payload, form({}).headers],
      [{ image: base64(3) }, {}],
      [{ image: `data:image/jpeg;base64,${base64(3)}` }, {}],
    ];
    for (const [payload, headers] of bodies) {
      const answer = (await post("/v1/embed", payload, headers)).json();
      expect(schemas.embedAnswer.parse(answer).faces).toHaveLength(1);
      const { embedding } = answer.faces[0];
      expect(embedding).toEqual(Array.from({ length: DIMENSION }, (_, k) => (k === 3 ? 1 : 0)));
    }
  });

  test("embed gives every face, or the chosen one and how many there are", async () => {
    const all = (await post("/v1/embed", picture(3, 7, 1), jpeg)).json();
    expect(all).toMatchObject({ of: 3, model: { name: "fake" } });
    expect(all.faces).toHaveLength(3);
    const one = (await post("/v1/embed?choice=best", picture(3, 7, 1), jpeg)).json();
    expect(one.of).toBe(3);
    expect(one.faces).toHaveLength(1);
    const none = (await post("/v1/embed", picture(), jpeg)).json();
    expect(none).toMatchObject({ of: 0, faces: [] });
  });
});

describe("two pictures", () => {
  test("verify compares them, with the server's threshold or another", async () => {
    const same = await post("/v1/verify", { a: base64(3), b: base64(3) });
    expect(schemas.verifyAnswer.parse(same.json())).toMatchObject({
      similarity: 1,
      threshold: 0.5,
      same: true,
    });
    const other = form({ a: picture(3), b: picture(4), threshold: "-0.5" });
    const answer = (await server.inject({ method: "POST", url: "/v1/verify", ...other })).json();
    expect(answer).toMatchObject({ similarity: 0, threshold: -0.5, same: true, a: { of: 1 }, b: { of: 1 } });
  });

  test("one picture is too few, and the message says how to send two", async () => {
    for (const response of [
      await post("/v1/verify", picture(3), jpeg),
      await post("/v1/verify", { a: base64(3) }),
      await server.inject({ method: "POST", url: "/v1/verify", ...form({ a: picture(3) }) }),
    ]) {
      expect(response.statusCode).toBe(400);
      expect(response.json().error.message).toContain("parts a and b of a form");
    }
  });

  test("an error says which of them is wrong", async () => {
    const response = await post("/v1/verify", { a: base64(3), b: base64() });
    expect(response.statusCode).toBe(422);
    expect(response.json()).toEqual({ error: { code: "E_DATA", message: "b: no face found" } });
  });
});

describe("gallery", () => {
  test("enrol, identify, list and remove", async () => {
    const enrolled = await server.inject({
      ...{ method: "POST", url: "/v1/gallery" },
      ...form({ image: picture(5), identity: "007", note: "badge" }),
    });
    expect(enrolled.statusCode).toBe(201);
    expect(schemas.enrolAnswer.parse(enrolled.json())).toMatchObject({ identity: "007", id: "t0" });
    await post("/v1/gallery", { image: base64(6), identity: "Ada Löve/lace" });

    const found = schemas.identifyAnswer.parse(
      (await post("/v1/identify?top=1", picture(6, 2), jpeg)).json(),
    );
    expect(found.threshold).toBe(0.5);
    expect(found.faces.map(({ matches }) => matches)).toEqual([
      [{ identity: "Ada Löve/lace", id: "t1", similarity: 1 }],
      [], // below the threshold
    ]);
    const near = (await post("/v1/identify?threshold=-1&choice=largest", picture(6, 2), jpeg)).json();
    expect(near.faces).toHaveLength(1);
    expect(near.faces[0].matches).toHaveLength(2);

    const list = schemas.listAnswer.parse((await server.inject("/v1/gallery?limit=1&offset=1")).json());
    expect(list).toEqual({
      ...{ templates: 2, total: 2 },
      identities: [{ identity: "Ada Löve/lace", templates: 1 }],
    });

    const url = `/v1/gallery/${encodeURIComponent("Ada Löve/lace")}`;
    const removed = await server.inject({ method: "DELETE", url });
    expect(removed.json()).toEqual({ identity: "Ada Löve/lace", removed: 1 });
    expect((await server.inject({ method: "DELETE", url })).statusCode).toBe(404);
  });

  test("enrolment of a picture with several faces is refused unless one is chosen", async () => {
    const several = await post("/v1/gallery?identity=x", picture(1, 2), jpeg);
    expect(several.statusCode).toBe(422);
    expect(several.json().error.message).toBe("image: 2 faces found where one is expected");
    expect((await post("/v1/gallery?identity=x&choice=largest", picture(1, 2), jpeg)).statusCode).toBe(201);
  });

  test.each([
    ["no name", ""],
    ["an empty name", "?identity="],
    ["a name with control characters", "?identity=a%0Ab"],
    ["a name that is too long", `?identity=${"a".repeat(501)}`],
  ])("%s is refused", async (_, query) => {
    const response = await post(`/v1/gallery${query}`, picture(1), jpeg);
    expect(response.statusCode).toBe(400);
    expect(response.json().error.message).toContain("identity");
  });

  test("without a gallery or a detector the server says so", async () => {
    const bare = await fakeServer({ recognizer: fakeRecognizer({ hasDetector: false }) });
    const ask = (method: "GET" | "POST" | "DELETE", url: string) =>
      bare.inject({ method, url, ...(method === "POST" && { payload: picture(1), headers: jpeg }) });
    const answers = [
      await ask("GET", "/v1/gallery"),
      await ask("DELETE", "/v1/gallery/x"),
      await ask("POST", "/v1/gallery?identity=x"),
      await ask("POST", "/v1/identify"),
      await ask("POST", "/v1/detect"),
    ];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([501, 501, 501, 501, 501]);
    expect(answers.at(-1)!.json().error.code).toBe("E_NO_DETECTOR");
    await bare.close();
  });
});

describe("what is wrong is said in one shape", () => {
  const cases: [
    what: string,
    url: string,
    payload: Buffer | object,
    headers: object,
    status: number,
    words: RegExp,
  ][] = [
    ["not an image", "/v1/detect", Buffer.from("rubbish"), jpeg, 400, /^image: .*not an image/],
    ["0 bytes", "/v1/detect", Buffer.alloc(0), jpeg, 400, /image: has 0 bytes/],
    [
      "0 bytes in a form",
      "/v1/detect",
      form({ image: Buffer.alloc(0) }).payload,
      form({}).headers,
      400,
      /0 bytes/,
    ],
    ["0 bytes in JSON", "/v1/detect", { image: "" }, {}, 400, /0 bytes/],
    ["no base64", "/v1/detect", { image: "#".repeat(40) }, {}, 400, /image: not base64/],
    ["no text", "/v1/detect", { image: 7 }, {}, 400, /image: expected base64 text, found number/],
    ["no picture", "/v1/detect", {}, {}, 400, /image: missing; send the picture as the body/],
    ["a list", "/v1/detect", [], {}, 400, /no picture/],
    ["broken JSON", "/v1/detect", Buffer.from("{"), { "content-type": "application/json" }, 400, /./],
    [
      "text",
      "/v1/detect",
      Buffer.from("x"),
      { "content-type": "text/plain" },
      415,
      /send a picture as image/,
    ],
    [
      "too many pixels",
      "/v1/detect",
      Buffer.from("picture 9999x9999 faces 1"),
      jpeg,
      413,
      /limit is 1000000 pixels/,
    ],
    ["too many pixels, to embed", "/v1/embed", Buffer.from("picture 9999x9999 faces 1"), jpeg, 413, /pixels/],
    ["too many bytes", "/v1/detect", Buffer.alloc(MAX_BYTES + 1), jpeg, 413, /larger than 2,000 bytes/],
    [
      "too many in a form",
      "/v1/detect",
      form({ image: Buffer.alloc(3000) }).payload,
      form({}).headers,
      413,
      /2,000/,
    ],
    ["too many in JSON", "/v1/detect", { image: Buffer.alloc(3000).toString("base64") }, {}, 413, /2,000/],
    ["far too many in JSON", "/v1/detect", { image: "A".repeat(90_000) }, {}, 413, /2,000/],
    ["no face", "/v1/embed?choice=largest", picture(), jpeg, 422, /image: no face/],
    ["several faces", "/v1/embed?choice=only", picture(1, 2), jpeg, 422, /2 faces found/],
    ["a wrong choice", "/v1/embed?choice=any", picture(1), jpeg, 400, /choice: .*largest/],
    [
      "an unknown option",
      "/v1/embed?size=3",
      picture(1),
      jpeg,
      400,
      /unknown option size; known here: choice/,
    ],
    ["a wrong number", "/v1/identify?top=many", picture(1), jpeg, 400, /top: /],
    ["an empty number", "/v1/identify?threshold=", picture(1), jpeg, 400, /threshold: /],
    [
      "another file",
      "/v1/detect",
      form({ photo: picture(1) }).payload,
      form({}).headers,
      400,
      /photo: unexpected file/,
    ],
    ["text for a file", "/v1/detect", form({ image: "x" }).payload, form({}).headers, 400, /came as text/],
  ];
  test.each(cases)("%s", async (_, url, payload, headers, status, words) => {
    const response = await post(url, payload, headers as Record<string, string>);
    const { error, ...rest } = response.json();
    expect([response.statusCode, rest]).toEqual([status, {}]);
    expect(error.code).toMatch(/^E_/);
    expect(error.message).toMatch(words);
  });

  test("an unknown path", async () => {
    const response = await server.inject("/v2/detect?x=1");
    expect(response.statusCode).toBe(404);
    expect(response.json()).toEqual({ error: { code: "E_NOT_FOUND", message: "GET /v2/detect: not here" } });
  });

  test("an address that cannot be decoded", async () => {
    const response = await server.inject({ method: "DELETE", url: "/v1/gallery/%E0%A4%A" });
    expect([response.statusCode, response.json().error.code]).toEqual([400, "E_USAGE"]);
  });

  test("what fails inside the server is not told to clients, only logged", async () => {
    const lines: string[] = [];
    const broken = await fakeServer({
      recognizer: fakeRecognizer({ read: () => Promise.reject(new Error("/secret/path")) }),
      log: { write: (line) => lines.push(line) },
    });
    const response = await broken.inject({
      method: "POST",
      url: "/v1/embed",
      payload: picture(1),
      headers: jpeg,
    });
    expect(response.statusCode).toBe(500);
    expect(response.json().error).toEqual({
      code: "E_INTERNAL",
      message: "the server failed; its log says why",
    });
    expect(lines.join("")).toContain("/secret/path");
    await broken.close();
  });
});
