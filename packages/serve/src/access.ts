// Who may use the server: a token, needed unless it is bound to a loopback address; and, without a token, no page of another site.

import { BlockList, isIP } from "node:net";
import bearerAuth from "@fastify/bearer-auth";
import { TopofrError } from "@topofr/formats";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { errorBody, HttpError } from "./errors.js";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether only this machine can reach what listens on `host`. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  if (name === "localhost") return true;
  const version = isIP(name);
  return version !== 0 && loopback.check(name, version === 6 ? "ipv6" : "ipv4");
}

/** Shorter ones can be guessed. */
const SHORTEST_TOKEN = 16;
/** RFC 6750, b64token. */
const TOKEN = /^[\w.~+/-]+=*$/;

export interface Access {
  host: string;
  token?: string;
  noAuth: boolean;
}

/**
 * @throws E_USAGE when others could use the server, or when the token is none
 */
export function checkAccess({ host, token, noAuth }: Access): void {
  if (token === undefined) {
    if (noAuth || isLoopback(host)) return;
    throw new TopofrError(
      "E_USAGE",
      `${host}: others can reach this address; give a token, or listen on 127.0.0.1, or allow everyone (--no-auth)`,
    );
  }
  if (noAuth) throw new TopofrError("E_USAGE", "a token and --no-auth contradict each other; leave one out");
  if (token.length < SHORTEST_TOKEN || !TOKEN.test(token))
    throw new TopofrError(
      "E_USAGE",
      `the token must have at least ${SHORTEST_TOKEN} characters, letters, digits and - . _ ~ + / only`,
    );
}

/** Puts the rules in front of every route of this scope. */
export async function guard(scope: FastifyInstance, access: Access): Promise<void> {
  const { token } = access;
  if (token === undefined) {
    const local = isLoopback(access.host);
    scope.addHook("onRequest", async (request) => refuseOtherSites(request, local));
    return;
  }
  await scope.register(bearerAuth, {
    keys: new Set([token]),
    specCompliance: "rfc6749", // "bearer" in any case
    verifyErrorLogLevel: "debug",
    contentType: "application/json; charset=utf-8",
    // Typed as { error: string } there, sent as given.
    errorResponse: (error) => errorBody("E_UNAUTHORIZED", tokenMessage(error)) as never,
  });
}

const tokenMessage = (error: Error): string =>
  /missing/i.test(error.message)
    ? "a token is needed: send the header authorization: Bearer <token>"
    : "wrong token; the header must be authorization: Bearer <token>";

/**
 * Without a token the browser of someone who may use the server could be used by any page open in it: by a form sent across sites, or
 * under a name that leads to this machine (DNS rebinding).
 */
function refuseOtherSites({ headers }: FastifyRequest, local: boolean): void {
  const host = headers.host ?? "";
  const name = host.replace(/:\d+$/, "");
  if (local && !isLoopback(name))
    throw new HttpError(
      403,
      "E_FORBIDDEN",
      `host ${host}: this server answers only as localhost or 127.0.0.1`,
    );
  if (
    headers.origin !== undefined &&
    headers.origin !== `http://${host}` &&
    headers.origin !== `https://${host}`
  )
    throw new HttpError(403, "E_FORBIDDEN", `origin ${headers.origin}: pages of other sites need a token`);
}
