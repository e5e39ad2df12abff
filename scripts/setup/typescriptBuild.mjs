// Step 4: TypeScript to dist/. `tsc -b` is incremental itself; this only saves starting it.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { filesUnder, logTail, SetupError, shortHash } from "./host.mjs";

const keyPath = (host) => join(host.root, ".setup/typescript.key");

/** @param {import("./host.mjs").Host} host */
export function typescriptCurrent(host) {
  const built = packageFolders(host).every((folder) => host.exists(join(folder, "dist/.tsbuildinfo")));
  return built && host.read(keyPath(host)) === sourceKey(host);
}

/**
 * @param {import("./host.mjs").Host} host
 * @param {{ force?: boolean }} [options]
 */
export function buildTypescript(host, { force = false } = {}) {
  const log = join(host.root, ".setup/logs/typescript.log");
  const key = sourceKey(host);
  rmSync(log, { force: true });
  for (const folder of packageFolders(host)) removeOrphans(folder);
  const tsc = join(host.root, "node_modules/typescript/bin/tsc");
  const { code } = host.run(process.execPath, [tsc, "-b", ...(force ? ["--force"] : [])], { log });
  if (code !== 0) throw new SetupError(`tsc -b found errors:\n${logTail(host, log)}`);
  mkdirSync(dirname(keyPath(host)), { recursive: true });
  writeFileSync(keyPath(host), key);
}

/** Folders of the packages that tsc builds. */
function packageFolders(host) {
  const folder = join(host.root, "packages");
  return host
    .list(folder)
    .map((name) => join(folder, name))
    .filter((path) => host.exists(join(path, "tsconfig.json")));
}

function sourceKey(host) {
  const configs = ["tsconfig.json", "tsconfig.base.json"].map((name) => join(host.root, name));
  const sources = packageFolders(host).flatMap((folder) => [
    join(folder, "tsconfig.json"),
    join(folder, "package.json"),
    ...filesUnder(join(folder, "src")).map((name) => join(folder, "src", name)),
  ]);
  return shortHash([...configs, ...sources].map((path) => [path, host.stamp(path)]));
}

/** Deletes what a source that no longer exists left in dist: a test there would still be found and run. */
function removeOrphans(folder) {
  const sources = new Set(filesUnder(join(folder, "src")).map((name) => name.replace(/\.tsx?$/, "")));
  for (const name of filesUnder(join(folder, "dist"))) {
    const output = /^(.*?)(\.d\.ts|\.js)(\.map)?$/.exec(name);
    if (output !== null && !sources.has(output[1])) rmSync(join(folder, "dist", name));
  }
}
