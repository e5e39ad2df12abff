// topofr serve: what the command takes. The work: serveRun.ts, loaded when it runs.

import type { Command } from "commander";
import { addCommand, realNumber, wholeNumber } from "./command.js";
import { addProtectionFlags, type ProtectionFlags } from "./galleryFlags.js";
import { addModelFlags, type RecognizerFlags } from "./recognizerFlags.js";
import { addThresholdFlags, type ThresholdFlags } from "./thresholdFlags.js";

const HOST = "127.0.0.1";
const PORT = 8080;

export interface ServeFlags extends Omit<RecognizerFlags, "choice">, ThresholdFlags, ProtectionFlags {
  gallery?: string;
  host: string;
  port: number;
  tokenFile?: string;
  auth: boolean;
  maxUpload: number;
  rate: number;
  timeout: number;
  batchSize: number;
  trustProxy?: boolean;
  page: boolean;
  shareModel: boolean;
  quiet?: boolean;
  json?: boolean;
}

export function addServe(program: Command): void {
  const command = addCommand(
    program,
    "serve",
    "Serve a recogniser over HTTP, with a page that compares two pictures.",
    [
      "serve --model model.onnx --detector yunet.onnx",
      "serve --model model.onnx --detector yunet.onnx --gallery people.gallery --report lfw.json --far 1e-3",
      "serve --model model.onnx --detector yunet.onnx --host 0.0.0.0 --token-file token.txt",
    ],
  ).option("--gallery <file>", "for enrolment and identification; made when it is not there");
  addThresholdFlags(addProtectionFlags(addModelFlags(command)))
    .option("--host <address>", "to listen on; others than this machine need a token", HOST)
    .option("--port <n>", "0: any that is free", wholeNumber("--port", { max: 65535 }), PORT)
    .option(
      "--token-file <file>",
      "the token that clients must send (default: TOPOFR_TOKEN, or a new one where one is needed)",
    )
    .option("--no-auth", "let everyone in who can reach the address")
    .option("--max-upload <MiB>", "of a picture", realNumber("--max-upload", { min: 0.001, max: 1024 }), 10)
    .option("--rate <n>", "requests a minute of one address; 0: any number", wholeNumber("--rate"), 600)
    .option("--timeout <seconds>", "of a request", realNumber("--timeout", { min: 0.1, max: 3600 }), 30)
    .option(
      "--batch-size <n>",
      "faces embedded together, at most",
      wholeNumber("--batch-size", { min: 1 }),
      32,
    )
    .option("--trust-proxy", "take clients' addresses from x-forwarded-for; behind a proxy that sets it")
    .option("--no-page", "only the API")
    .option("--no-share-model", "do not give the model to browsers; the page then uses the API")
    .option("--quiet", "no log of requests")
    .option("--json", "print address and token as JSON")
    .action(async (flags: ServeFlags) => (await import("./serveRun.js")).serveCommand(flags));
}
