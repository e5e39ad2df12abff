// Step 2: the npm packages, as package-lock.json names them.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { logTail, SetupError } from "./host.mjs";

/**
 * True when node_modules holds the locked versions. npm writes what it installed to node_modules/.package-lock.json.
 * Optional packages are not asked for: which of them are installed depends on the platform.
 * @param {import("./host.mjs").Host} host
 */
export function npmPackagesCurrent(host) {
  const wanted = parseLock(host.read(join(host.root, "package-lock.json")));
  const installed = parseLock(host.read(join(host.root, "node_modules/.package-lock.json")));
  if (installed === null) return false;
  if (wanted === null) return true;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.startsWith("node_modules/") || entry.optional === true) return true;
    const found = installed[path];
    return found !== undefined && found.version === entry.version && found.resolved === entry.resolved;
  });
}

function parseLock(text) {
  try {
    return text === null ? null : JSON.parse(text).packages;
  } catch {
    return null; // A broken file is as good as none: npm ci reports or replaces it.
  }
}

/** onnxruntime-node would fetch its CUDA libraries from elsewhere than the registry. */
const SKIPPED_DOWNLOADS = { ONNXRUNTIME_NODE_INSTALL: "skip" };

/** @param {import("./host.mjs").Host} host */
export function installNpmPackages(host) {
  const log = join(host.root, ".setup/logs/npm.log");
  rmSync(log, { force: true });
  const npm = (...args) =>
    host.run(
      host.platform === "win32" ? "npm.cmd" : "npm",
      [...args, "--no-audit", "--no-fund", "--include=dev"],
      { log, env: SKIPPED_DOWNLOADS },
    ).code;

  const locked = host.exists(join(host.root, "package-lock.json"));
  let code = locked ? npm("ci") : npm("install");
  // npm ci refuses a lock file written where the registry lacked an optional package of another platform.
  // npm install still takes the locked versions of all others.
  if (code !== 0 && locked && host.read(log)?.includes("npm error code EUSAGE"))
    code = npm("install", "--no-save");
  if (code === 0) return;
  throw new SetupError(
    `npm could not install the packages (exit status ${code}):\n${logTail(host, log)}\n` +
      "Check the network and the registry that npm is set to (npm config get registry), then start again.",
  );
}
