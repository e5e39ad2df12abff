// Step 2: the npm packages, as package-lock.json names them.
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

/** @param {import("./host.mjs").Host} host */
export function installNpmPackages(host) {
  const log = join(host.root, ".setup/logs/npm.log");
  const command = host.exists(join(host.root, "package-lock.json")) ? "ci" : "install";
  const npm = host.platform === "win32" ? "npm.cmd" : "npm";
  const { code } = host.run(npm, [command, "--no-audit", "--no-fund", "--include=dev"], { log });
  if (code === 0) return;
  throw new SetupError(
    `npm ${command} failed (exit status ${code}):\n${logTail(host, log)}\n` +
      "Check the network and the registry that npm is set to (npm config get registry), then start again.",
  );
}
