// The steps of the set-up in their order, and what it prints: a line a step, or one line when nothing was to do.
import { realHost, SetupError } from "./host.mjs";
import { withLock } from "./lock.mjs";
import { buildNative, nativeCurrent } from "./nativeBuild.mjs";
import { installNpmPackages, npmPackagesCurrent } from "./npmPackages.mjs";
import { installPackages, missingPackages } from "./systemPackages.mjs";
import { buildTypescript, typescriptCurrent } from "./typescriptBuild.mjs";

const HELP = `Usage: npm run setup -- [options]

Makes a fresh checkout ready: system packages (libtorch, OpenBLAS, cmake, a C++ compiler; apt, as root or with
sudo), npm packages, the native addon, the TypeScript build. Skips what is up to date.

Options:
  --force      build and install again even what is up to date (system packages only when missing)
  --no-system  install no system package; fail when one is missing
  --help       this text

Environment:
  LIBTORCH          folder of a libtorch to use instead of Debian's, or "python" for the torch that python3 imports
  PYTHON            the Python to ask for its torch (default: python3)
  CXX               C++ compiler
  TOPOFR_CXX_FLAGS  machine flags of the addon (default: -march=native)
`;

/**
 * @param {import("./host.mjs").Host} host
 * @param {{ force: boolean, system: boolean }} options
 * @returns {{ name: string, detail?: () => string, current: () => boolean, work: () => void }[]}
 */
export function steps(host, { force, system }) {
  return [
    {
      name: "system packages",
      detail() {
        const missing = missingPackages(host);
        return `: ${missing.join(" ")}${missing.includes("libtorch-dev") ? " (about 300 MB to download)" : ""}`;
      },
      current: () => missingPackages(host).length === 0,
      work() {
        const missing = missingPackages(host);
        if (!system)
          throw new SetupError(`--no-system was given, and these are missing: ${missing.join(", ")}.`);
        installPackages(host, missing);
        const left = missingPackages(host);
        if (left.length > 0)
          throw new SetupError(`still missing after apt-get succeeded: ${left.join(", ")}.`);
      },
    },
    {
      name: "npm packages",
      current: () => !force && npmPackagesCurrent(host),
      work: () => installNpmPackages(host),
    },
    {
      name: "native build",
      detail: () => " (about a minute the first time)",
      current: () => !force && nativeCurrent(host),
      work: () => buildNative(host, { force }),
    },
    {
      name: "TypeScript build",
      current: () => !force && typescriptCurrent(host),
      work: () => buildTypescript(host, { force }),
    },
  ];
}

/** Runs the steps that are not current; says a line for each and names those it skipped in one line. */
export function runSteps(host, list) {
  const skipped = [];
  for (const { name, detail, current, work } of list) {
    if (current()) {
      skipped.push(name);
      continue;
    }
    host.say(`setup: ${name}${detail?.() ?? ""} …`);
    const start = performance.now();
    try {
      work();
    } catch (error) {
      host.say(" failed\n");
      throw error;
    }
    host.say(` done in ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  }
  if (skipped.length === list.length) {
    host.say(`setup: skipped ${skipped.join(", ")} (all up to date; --force redoes)\n`);
  } else if (skipped.length > 0) {
    host.say(`setup: skipped ${skipped.join(", ")} (up to date)\n`);
  }
}

/**
 * @param {string[]} args
 * @returns {number} exit status
 */
export function main(args) {
  const host = realHost();
  if (args.includes("--help")) {
    host.say(HELP);
    return 0;
  }
  const unknown = args.find((argument) => !["--force", "--no-system"].includes(argument));
  if (unknown !== undefined) {
    console.error(`setup: E_USAGE: unknown argument "${unknown}"; --help lists what there is.`);
    return 2;
  }
  const list = steps(host, { force: args.includes("--force"), system: !args.includes("--no-system") });
  try {
    // Nothing to do is the usual case, and needs no lock.
    if (list.every((step) => step.current())) runSteps(host, list);
    else withLock(host, () => runSteps(host, list));
    return 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`setup: E_SETUP: ${error.message}`);
    return 1;
  }
}
