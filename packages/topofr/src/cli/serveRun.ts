// The work of topofr serve: opens model, detector and gallery, listens, and finishes what is in work when a signal comes.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { fileError, TopofrError } from "@topofr/formats";
import type { Gallery } from "@topofr/recognizer/gallery";
import { type BrowserModel, createServer, isLoopback, type ServerOptions } from "@topofr/serve";
import { print, printJson } from "./command.js";
import { openGalleryForCommand } from "./galleryFlags.js";
import { interruptible } from "./interrupt.js";
import { findOnnxModel, openForCommand } from "./recognizerFlags.js";
import type { ServeFlags } from "./serve.js";
import { readThresholds } from "./thresholdFlags.js";

const TOKEN_BYTES = 24;
const MEBIBYTE = 2 ** 20;
/** Beyond the time of a request, for closing connections that do not end. */
const CLOSING_SECONDS = 5;

export async function serveCommand(flags: ServeFlags): Promise<void> {
  const access = await chooseAccess(flags);
  const { rates, threshold } = await readThresholds(flags);
  const model = await findOnnxModel(flags.model);
  const recognizer = await openForCommand({ ...flags, model });
  recognizer.threshold = threshold;
  let gallery: Gallery | undefined;
  try {
    const { dimension, model: name } = recognizer;
    if (flags.gallery !== undefined)
      gallery = await openGalleryForCommand(flags.gallery, flags, { dimension, model: name, create: true });
    await serve(flags, access, {
      recognizer,
      rates,
      ...(gallery && { gallery }),
      ...(flags.shareModel && { browser: browserModel(model, flags) }),
    });
  } finally {
    await gallery?.close();
    await recognizer.close();
  }
}

/** How a browser opens the same recogniser. */
function browserModel(model: string, { detector, flip = false, minScore }: ServeFlags): BrowserModel {
  return {
    model,
    flip,
    ...(detector !== undefined && { detector }),
    ...(minScore !== undefined && { minScore }),
  };
}

type Access = Pick<ServerOptions, "token" | "noAuth"> & { isNew: boolean };

/** The token: from a file, from the environment, or a new one where one is needed. */
async function chooseAccess({ tokenFile, auth, host }: ServeFlags): Promise<Access> {
  if (!auth) {
    if (tokenFile !== undefined)
      throw new TopofrError("E_USAGE", "--token-file and --no-auth contradict each other; leave one out");
    return { noAuth: true, isNew: false };
  }
  if (tokenFile !== undefined) {
    const text = await readFile(tokenFile, "utf8").catch((error) => {
      throw fileError(tokenFile, "read the token", error);
    });
    return { token: text.trim(), isNew: false };
  }
  const { TOPOFR_TOKEN } = process.env;
  if (TOPOFR_TOKEN) return { token: TOPOFR_TOKEN, isNew: false };
  if (isLoopback(host)) return { isNew: false };
  return { token: randomBytes(TOKEN_BYTES).toString("base64url"), isNew: true };
}

/** Listens until a signal comes, then finishes what is in work. */
async function serve(
  flags: ServeFlags,
  { isNew, ...access }: Access,
  parts: Pick<ServerOptions, "recognizer" | "gallery" | "rates" | "browser">,
): Promise<void> {
  const { host, port, timeout } = flags;
  const server = await createServer({
    ...parts,
    ...access,
    host,
    maxUploadBytes: Math.floor(flags.maxUpload * MEBIBYTE),
    rateLimit: flags.rate === 0 ? null : { requests: flags.rate, windowSeconds: 60 },
    timeoutSeconds: timeout,
    batchSize: flags.batchSize,
    trustProxy: flags.trustProxy ?? false,
    page: flags.page,
    log: flags.quiet ? null : process.stderr,
  });
  const { signal, release } = interruptible("closing, when the requests in work are done");
  try {
    await server.listen({ host, port }).catch((cause) => {
      throw listenError(host, port, cause);
    });
    announce(flags, server.server.address() as AddressInfo, parts, isNew ? access.token : undefined);
    if (!signal.aborted) await once(signal, "abort");
    const slow = setTimeout(() => server.server.closeAllConnections(), 1000 * (timeout + CLOSING_SECONDS));
    await server.close();
    clearTimeout(slow);
  } finally {
    await server.close();
    release();
  }
}

function announce(
  flags: ServeFlags,
  { port }: AddressInfo,
  { recognizer, gallery }: Pick<ServerOptions, "recognizer" | "gallery">,
  token: string | undefined,
): void {
  const url = `http://${flags.host.includes(":") ? `[${flags.host}]` : flags.host}:${port}`;
  const { model, dimension, threshold } = recognizer;
  if (flags.json) {
    printJson({ url, token: token ?? null, model, threshold });
    return;
  }
  const people = gallery ? `, ${gallery.size} templates in the gallery` : "";
  print(`serving ${model.name}, ${dimension} numbers a face${people}`);
  print(flags.page ? `page  ${url}/${token === undefined ? "" : `#token=${token}`}` : `API   ${url}`);
  if (token !== undefined) print(`token ${token}   (shown once; clients send authorization: Bearer <token>)`);
}

function listenError(host: string, port: number, cause: NodeJS.ErrnoException): unknown {
  const reasons: Record<string, string> = {
    EADDRINUSE: "the port is taken; choose another with --port",
    EACCES: "this user may not listen on it; choose a port above 1023 with --port",
    EADDRNOTAVAIL: "this machine does not have the address; choose another with --host",
    ENOTFOUND: "no such address; choose another with --host",
  };
  const reason = reasons[cause.code ?? ""];
  return reason === undefined ? cause : new TopofrError("E_SETUP", `${host}:${port}: ${reason}`, { cause });
}
