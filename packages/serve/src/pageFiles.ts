// The files of the page: its own, and the modules that it imports, from where they are installed. What the browser may do with them
// is the content security policy.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

const require = createRequire(import.meta.url);
const packageRoot = fileURLToPath(new URL("..", import.meta.url));
const pageFolder = join(packageRoot, "page");
const indexFile = join(pageFolder, "index.html");

/** Folders of the import map in index.html. */
const MODULES = {
  formats: () => join(dirname(require.resolve("@topofr/formats/package.json")), "dist"),
  recognizer: () => join(dirname(require.resolve("@topofr/recognizer/package.json")), "dist"),
  "onnxruntime-web": () => dirname(require.resolve("onnxruntime-web")),
};

/**
 * Directives of the policy: scripts of this server only, WebAssembly, no inline script but the import map.
 *
 * @param hasPage without a page nothing is allowed
 */
export function pagePolicy(hasPage: boolean): Record<string, string[]> {
  const closed = { defaultSrc: ["'none'"], baseUri: ["'none'"], frameAncestors: ["'none'"] };
  if (!hasPage) return { ...closed, formAction: ["'none'"] };
  return {
    ...closed,
    formAction: ["'self'"],
    scriptSrc: ["'self'", "'wasm-unsafe-eval'", `'sha256-${importMapHash()}'`],
    workerSrc: ["'self'", "blob:"], // threads of ONNX Runtime
    styleSrc: ["'self'"],
    imgSrc: ["'self'", "blob:", "data:"],
    connectSrc: ["'self'"],
  };
}

function importMapHash(): string {
  const [, map] = /<script type="importmap">(.*?)<\/script>/s.exec(readFileSync(indexFile, "utf8"))!;
  return createHash("sha256").update(map!).digest("base64");
}

export async function addPage(server: FastifyInstance): Promise<void> {
  const roots: [prefix: string, root: string | string[]][] = [
    ["/page/", [pageFolder, join(packageRoot, "dist", "page")]],
    ...Object.entries(MODULES).map(([name, folder]): [string, string] => [`/modules/${name}/`, folder()]),
  ];
  for (const [prefix, root] of roots)
    await server.register(fastifyStatic, {
      prefix,
      root,
      decorateReply: false, // server.ts does
      index: false,
      schemaHide: true,
      cacheControl: false, // "no-cache" below: kept, and asked for each time
      allowedPath: (path) => /\.(?:m?js|css|wasm)$/.test(path) && !/\.test\./.test(path),
      setHeaders: (response) => {
        response.setHeader("cache-control", "no-cache");
      },
    });
  server.get("/", { schema: { hide: true } }, async (_, reply) =>
    reply
      .header("cache-control", "no-cache")
      .header("permissions-policy", "camera=(self), microphone=(), geolocation=()")
      .sendFile("index.html", pageFolder, { cacheControl: false }),
  );
}
