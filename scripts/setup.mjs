// Sets a fresh checkout up: system packages, npm packages, the native addon, the TypeScript build. `npm run demo` and
// `npm test` call it first. Needs Node and npm only; each step is skipped when its result is up to date.
// This file only checks Node's version, so that an old Node gets a sentence and not a syntax error.
import process from "node:process";

const OLDEST_NODE = [20, 19];

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  console.error(
    `setup: E_SETUP: this is Node ${process.versions.node} (${process.execPath}); ` +
      `TopoFR needs Node ${OLDEST_NODE.join(".")} or newer. Install it from nodejs.org or with your version manager.`,
  );
  process.exit(1);
}

import("./setup/main.mjs").then(({ main }) => {
  process.exitCode = main(process.argv.slice(2));
});
