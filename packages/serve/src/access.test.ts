import { describe, expect, test } from "vitest";
import { checkAccess, isLoopback } from "./access.js";
import { fakeServer, picture } from "./serve.test.support.js";

const TOKEN = "0123456789abcdef";
const jpeg = { "content-type": "image/jpeg" };

test.each([
  ["127.0.0.1", true],
  ["127.8.9.1", true],
  ["localhost", true],
  ["::1", true],
  ["[::1]", true],
  ["0.0.0.0", false],
  ["::", false],
  ["192.168.1.7", false],
  ["faces.example", false],
  ["127.0.0.1.example", false],
  ["", false],
])("%s is loopback: %s", (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

describe("who may use the server is settled when it is made", () => {
  test("an address that others reach needs a token, or --no-auth", () => {
    expect(() => checkAccess({ host: "0.0.0.0", noAuth: false })).toThrow(/0\.0\.0\.0: others can reach/);
    checkAccess({ host: "0.0.0.0", noAuth: true });
    checkAccess({ host: "0.0.0.0", noAuth: false, token: TOKEN });
    checkAccess({ host: "127.0.0.1", noAuth: false });
  });

  test.each([["short"], ["spaces are not allowed"], [""]])('"%s" is no token', (token) => {
    expect(() => checkAccess({ host: "127.0.0.1", noAuth: false, token })).toThrow(/at least 16 characters/);
  });

  test("a token and --no-auth contradict each other", () => {
    expect(() => checkAccess({ host: "0.0.0.0", noAuth: true, token: TOKEN })).toThrow(/contradict/);
  });
});

test("with a token everything that computes or tells about the model needs it; the rest does not", async () => {
  const server = await fakeServer({ host: "0.0.0.0", token: TOKEN, rateLimit: null });
  const guarded = [
    ...(["/v1/detect", "/v1/embed", "/v1/verify", "/v1/identify", "/v1/gallery"] as const).map(
      (url) => ({ method: "POST", url, payload: picture(1), headers: jpeg }) as const,
    ),
    ...(["/v1/model", "/v1/gallery", "/metrics"] as const).map((url) => ({ method: "GET", url }) as const),
    { method: "DELETE", url: "/v1/gallery/x" } as const,
  ];
  for (const request of guarded) {
    const without = await server.inject(request);
    expect([request.url, without.statusCode]).toEqual([request.url, 401]);
    expect(without.json().error).toMatchObject({
      code: "E_UNAUTHORIZED",
      message: expect.stringContaining("authorization: Bearer"),
    });
    for (const value of ["Bearer wrong-wrong-wrong", "Basic abc", TOKEN]) {
      const headers = { ...jpeg, authorization: value };
      expect((await server.inject({ ...request, headers })).statusCode).toBe(401);
    }
    const headers = { ...jpeg, authorization: `bearer ${TOKEN}` };
    expect((await server.inject({ ...request, headers })).statusCode).not.toBe(401);
  }
  for (const url of ["/", "/page/style.css", "/health", "/ready", "/openapi.json"])
    expect((await server.inject(url)).statusCode).toBe(200);
  await server.close();
});

test("without a token, pages of other sites and names that only lead here are refused", async () => {
  const server = await fakeServer();
  const ask = async (headers: Record<string, string>) =>
    (await server.inject({ url: "/v1/model", headers })).statusCode;
  expect(await ask({ host: "localhost:8080" })).toBe(200);
  expect(await ask({ host: "[::1]:8080" })).toBe(200);
  expect(await ask({ host: "127.0.0.1:8080", origin: "http://127.0.0.1:8080" })).toBe(200);
  expect(await ask({ host: "127.0.0.1:8080", origin: "https://evil.example" })).toBe(403);
  expect(await ask({ host: "127.0.0.1:8080", origin: "http://127.0.0.1:9090" })).toBe(403);
  expect(await ask({ host: "127.0.0.1:8080", origin: "null" })).toBe(403);
  expect(await ask({ host: "rebound.example" })).toBe(403);
  await server.close();

  const open = await fakeServer({ host: "0.0.0.0", noAuth: true });
  const there = await open.inject({ url: "/v1/model", headers: { host: "faces.example" } });
  expect(there.statusCode).toBe(200);
  await open.close();
});
