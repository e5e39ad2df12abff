// Step 1: what apt gives: libtorch, OpenBLAS, a C++ compiler, cmake. Where nothing may be installed, the error names
// the commands to run.
import { join } from "node:path";
import { logTail, SetupError } from "./host.mjs";
import { findLibtorch } from "./libtorch.mjs";

/**
 * Debian package names of what is missing on this machine; empty when the addon can be built.
 * @param {import("./host.mjs").Host} host
 * @returns {string[]}
 */
export function missingPackages(host) {
  const libtorch = findLibtorch(host);
  const missing = [];
  if (libtorch === null) missing.push("libtorch-dev");
  // libtorch-dev is content with the slow reference BLAS; other builds of libtorch bring a fast one.
  if ((libtorch === null || libtorch.source === "debian") && !hasOpenBlas(host))
    missing.push("libopenblas0-pthread");
  // Debian's libtorch computes with the system's oneDNN; with its headers, so do our kernels.
  if ((libtorch === null || libtorch.source === "debian") && !host.exists("/usr/include/dnnl.hpp"))
    missing.push("libdnnl-dev");
  if (host.which("cmake") === null) missing.push("cmake");
  if (compiler(host) === null) missing.push("g++");
  if (host.which("ninja") === null && host.which("make") === null) missing.push("make");
  return missing;
}

/** Full path of the C++ compiler that cmake will take: $CXX, else c++ or g++. */
export function compiler(host) {
  const asked = host.env.CXX;
  if (asked !== undefined && asked !== "") return host.which(asked) ?? (host.exists(asked) ? asked : null);
  return host.which("c++") ?? host.which("g++") ?? host.which("clang++");
}

function hasOpenBlas(host) {
  return host
    .list("/usr/lib")
    .some((name) => host.list(`/usr/lib/${name}`).some((x) => x.startsWith("openblas-")));
}

/**
 * Installs packages by apt, as root or through sudo.
 * @param {import("./host.mjs").Host} host
 * @param {string[]} packages
 */
export function installPackages(host, packages) {
  const apt = aptCommand(host, packages);
  const log = join(host.root, ".setup/logs/apt.log");
  const call = (...args) =>
    host.run(apt[0], [...apt.slice(1), ...args], { log, env: { DEBIAN_FRONTEND: "noninteractive" } });
  const install = () => call("install", "-y", "--no-install-recommends", ...packages).code === 0;

  const listsPresent = host.list("/var/lib/apt/lists").some((name) => name.includes("_Packages"));
  if (listsPresent && install()) return;
  call("update"); // Missing lists, or old ones that name versions the mirror no longer has.
  if (install()) return;
  throw new SetupError(
    `apt-get could not install ${packages.join(" ")}:\n${logTail(host, log)}\n${withoutApt(host, packages, "If this release has no such package")}`,
  );
}

/** The words that start an apt-get call here; throws where nothing can be installed. */
function aptCommand(host, packages) {
  if (host.which("apt-get") === null) {
    throw new SetupError(
      `missing here: ${packages.join(", ")} (Debian's names), and there is no apt-get to install them.\n` +
        withoutApt(host, packages, systemName(host)),
    );
  }
  const options = ["-o", "DPkg::Lock::Timeout=300"];
  if (host.uid === 0) return ["apt-get", ...options];
  if (host.which("sudo") !== null && host.run("sudo", ["-n", "true"]).code === 0) {
    return ["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...options];
  }
  const sudo = host.which("sudo") === null ? "As root, run:" : "Run this, then start again:";
  const prefix = host.which("sudo") === null ? "" : "sudo ";
  throw new SetupError(
    `these system packages are missing and installing them needs root: ${packages.join(", ")}.\n${sudo}\n` +
      `  ${prefix}apt-get update && ${prefix}apt-get install -y --no-install-recommends ${packages.join(" ")}\n` +
      withoutApt(host, packages, "Without root"),
  );
}

const systemName = ({ platform }) =>
  ({ darwin: "On macOS", win32: "On Windows" })[platform] ?? "On this Linux";

/** What to do where apt cannot serve: the tools by the system's own means, libtorch by LIBTORCH or Python. */
function withoutApt(host, packages, heading) {
  const lines = [];
  if (host.platform === "win32") {
    return `${heading}: use Debian or Ubuntu in WSL 2 (wsl --install -d Debian) and start again there.`;
  }
  const tools = packages.filter((name) => !name.startsWith("lib"));
  if (tools.length > 0) lines.push(`  1. install the build tools:  ${toolsCommand(host, tools)}`);
  if (packages.includes("libtorch-dev")) {
    lines.push(
      `  ${lines.length + 1}. give it a libtorch, either way:`,
      "       LIBTORCH=/path/to/libtorch npm run setup     (an unpacked libtorch: include/, lib/, share/)",
      "       python3 -m pip install torch                 (then: npm run setup)",
    );
  }
  return lines.length === 0 ? "" : `${heading}:\n${lines.join("\n")}`;
}

function toolsCommand(host, tools) {
  if (host.platform === "darwin") return "xcode-select --install; brew install cmake libomp";
  if (host.which("dnf") !== null) return "sudo dnf install cmake gcc-c++ make";
  if (host.which("pacman") !== null) return "sudo pacman -S cmake gcc make";
  if (host.which("zypper") !== null) return "sudo zypper install cmake gcc-c++ make";
  if (host.which("apk") !== null) return "apk add cmake g++ make";
  return `${tools.join(", ")} (by your system's package manager, or in your home folder)`;
}
