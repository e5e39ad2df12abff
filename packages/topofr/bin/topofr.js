#!/usr/bin/env node
// In the repository from the start, so that npm can link the command before the first build.
import { existsSync } from "node:fs";

const main = new URL("../dist/cli/main.js", import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  console.error('topofr: E_SETUP not built yet; run "npm run setup" in the repository');
  process.exitCode = 1;
}
