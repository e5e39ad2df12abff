// What a server is told, with the defaults of what may be left out.

import { availableParallelism } from "node:os";
import type { Calibration, Recognizer } from "@topofr/recognizer";
import type { Gallery } from "@topofr/recognizer/gallery";

export interface ServerOptions {
  /** Stays the caller's: close it after the server. */
  recognizer: Recognizer;
  /** For enrolment and identification; likewise the caller's. */
  gallery?: Gallery;
  /** Where the server will listen: it decides whether a token is needed. */
  host: string;
  /** Clients must send `authorization: Bearer <token>`. Needed unless `host` is a loopback address. */
  token?: string;
  /** Serve everyone who can reach `host`. Default: false. */
  noAuth?: boolean;
  /** Of one picture. Default: 10 MiB. */
  maxUploadBytes?: number;
  /** Requests of one address; null: any number. Default: 600 in 60 seconds. */
  rateLimit?: { requests: number; windowSeconds: number } | null;
  /** Take the client's address from x-forwarded-for; only behind a proxy that sets it. Default: false. */
  trustProxy?: boolean;
  /** How long a request may take. Default: 30 seconds. */
  timeoutSeconds?: number;
  /** Faces embedded in one call of the network. Default: 32. */
  batchSize?: number;
  /** How long a face waits for others while nothing runs. Default: 3. */
  batchWaitMilliseconds?: number;
  /** Faces that may wait; more are answered with 503. Default: 256. */
  mostWaiting?: number;
  /** Requests in work, uploads included; more are answered with 503. Default: 128. */
  mostRequests?: number;
  /** Pictures decoded and searched for faces at a time. Default: half the cores, at least 1. */
  detections?: number;
  /** How the recogniser was opened, for browsers that compute themselves; left out: they use the API. */
  browser?: BrowserModel;
  /** What thresholds mean, as an evaluation measured it; shown by the page. */
  rates?: readonly Calibration[];
  /** The page at /. Default: true. */
  page?: boolean;
  /** Where lines of JSON go, one or two a request; null: nowhere. Pictures, embeddings, names and queries are never logged. */
  log?: { write(line: string): void } | null;
}

/** Paths of ONNX files that every client may download, and the options that change results. */
export interface BrowserModel {
  model: string;
  detector?: string;
  flip: boolean;
  /** Default: the recogniser's. */
  minScore?: number;
}

type Optional = "gallery" | "token" | "browser";

/** Nothing missing but what may be absent. */
export type Settings = Required<Omit<ServerOptions, Optional | "log">> & Pick<ServerOptions, Optional>;

export function completeOptions(options: ServerOptions): Settings {
  const { log: _, ...given } = options;
  return {
    noAuth: false,
    maxUploadBytes: 10 * 2 ** 20,
    rateLimit: { requests: 600, windowSeconds: 60 },
    trustProxy: false,
    timeoutSeconds: 30,
    batchSize: 32,
    batchWaitMilliseconds: 3,
    mostWaiting: 256,
    mostRequests: 128,
    detections: Math.max(1, availableParallelism() >> 1),
    rates: [],
    page: true,
    ...given,
  };
}
