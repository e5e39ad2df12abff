// Step 3: the addon. cmake builds it in native/build/<key>; the result goes to packages/torch/build/ with a note of what
// it was built from. The folder's key leaves the sources out, so that an edit rebuilds only what it touches.
import { copyFileSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { filesUnder, logTail, SetupError, shortHash } from "./host.mjs";
import { findLibtorch } from "./libtorch.mjs";
import { compiler } from "./systemPackages.mjs";

const SOURCE_LIST = "sources.json"; // in the build folder: a hash of each source that it was built from

const outputFolder = (host) => join(host.root, "packages/torch/build");

/** @param {import("./host.mjs").Host} host */
export function nativeCurrent(host) {
  const libtorch = findLibtorch(host);
  const note = host.read(join(outputFolder(host), "build.json"));
  if (libtorch === null || note === null) return false;
  if (!host.exists(join(outputFolder(host), "topofr_torch.node"))) return false;
  return JSON.parse(note).key === buildKey(host, libtorch).whole;
}

/**
 * @param {import("./host.mjs").Host} host
 * @param {{ force?: boolean }} [options]
 */
export function buildNative(host, { force = false } = {}) {
  const libtorch = findLibtorch(host);
  if (libtorch === null)
    throw new SetupError("no libtorch was found; run without --no-system, or set LIBTORCH=/path.");
  const key = buildKey(host, libtorch);
  const folder = join(host.root, "native/build", key.folder);
  const log = join(folder, "setup.log");
  if (force || hasBackdatedSource(host, folder)) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  rmSync(log, { force: true });

  const flags = host.env.TOPOFR_CXX_FLAGS ?? "-march=native";
  cmake(host, log, ["-S", "native", "-B", folder, ...configuration(host, libtorch, flags)]);
  cmake(host, log, ["--build", folder, "--parallel"]);
  writeFileSync(join(folder, SOURCE_LIST), JSON.stringify(sourceHashes(host)));
  install(host, join(folder, "topofr_torch.node"), {
    key: key.whole,
    libtorchVersion: libtorch.version,
    libtorchPath: libtorch.path,
    libtorchSource: libtorch.source,
    compiler: compilerName(host),
    flags,
    builtAt: new Date().toISOString(),
  });
}

function configuration(host, libtorch, flags) {
  const modules = join(host.root, "node_modules");
  const arguments_ = [
    "-DCMAKE_BUILD_TYPE=Release",
    `-DNODE_API_HEADERS=${join(modules, "node-api-headers/include")}`,
    `-DNODE_ADDON_API=${join(modules, "node-addon-api")}`,
    `-DTOPOFR_CXX_FLAGS=${flags}`,
    `-DCMAKE_CXX_COMPILER=${compiler(host)}`,
    `-DTOPOFR_SYSTEM_ONEDNN=${libtorch.source === "debian" ? "ON" : "OFF"}`,
  ];
  if (libtorch.source !== "debian") arguments_.push(`-DCMAKE_PREFIX_PATH=${libtorch.path}`);
  if (libtorch.torchDir !== null) arguments_.push(`-DTorch_DIR=${libtorch.torchDir}`);
  if (host.which("ninja") !== null) arguments_.push("-G", "Ninja");
  return arguments_;
}

function cmake(host, log, args) {
  const { code } = host.run("cmake", args, { log });
  if (code === 0) return;
  const stage = args[0] === "--build" ? "compiling" : "configuring";
  throw new SetupError(
    `${stage} the native addon failed (cmake exit status ${code}):\n${logTail(host, log)}`,
  );
}

/** Tries the addon in a process of its own, then puts it and its note in place; a running Node keeps the old file. */
function install(host, built, note) {
  const check = host.run(process.execPath, ["-e", "require(process.argv[1])", built]);
  if (check.code !== 0) {
    throw new SetupError(
      `the native addon was built against libtorch ${note.libtorchVersion} (${note.libtorchPath}) but does not load:\n` +
        `${check.output.trim().split("\n").slice(0, 12).join("\n")}`,
    );
  }
  const folder = outputFolder(host);
  mkdirSync(folder, { recursive: true });
  const target = join(folder, "topofr_torch.node");
  copyFileSync(built, `${target}.new`);
  renameSync(`${target}.new`, target);
  writeFileSync(join(folder, "build.json.new"), `${JSON.stringify(note, null, 2)}\n`);
  renameSync(join(folder, "build.json.new"), join(folder, "build.json"));
}

function buildKey(host, libtorch) {
  const machine = {
    libtorch,
    library: libraryStamp(host, libtorch),
    onednn: host.exists("/usr/include/dnnl.hpp"),
    compiler: [compiler(host), host.stamp(compiler(host) ?? "")],
    flags: host.env.TOPOFR_CXX_FLAGS ?? "-march=native",
    instructions: instructionSet(host),
    headers: ["node-api-headers", "node-addon-api"].map((name) =>
      shortHash(host.read(join(host.root, "node_modules", name, "package.json"))),
    ),
  };
  return {
    folder: `${libtorch.version}-${shortHash(machine)}`,
    whole: `${libtorch.version}-${shortHash([machine, sourceHashes(host)])}`,
  };
}

/** Hash of each source's text, by its path in native/. */
function sourceHashes(host) {
  const folder = join(host.root, "native");
  const names = ["CMakeLists.txt", ...filesUnder(join(folder, "src")).map((name) => join("src", name))];
  return Object.fromEntries(names.map((name) => [name, shortHash(host.read(join(folder, name)))]));
}

/** A source that differs from what was built, yet is older than the build, as tar or rsync leave it: make would not see it. */
function hasBackdatedSource(host, folder) {
  const path = join(folder, SOURCE_LIST);
  const built = JSON.parse(host.read(path) ?? "{}");
  const changed = Object.entries(sourceHashes(host)).filter(
    ([name, hash]) => name in built && built[name] !== hash,
  );
  return changed.some(
    ([name]) => statSync(join(host.root, "native", name)).mtimeMs <= statSync(path).mtimeMs,
  );
}

/** Changes when a libtorch is replaced in place, as an upgrade does. */
function libraryStamp(host, libtorch) {
  const folders =
    libtorch.source === "debian"
      ? host.list("/usr/lib").map((name) => `/usr/lib/${name}`)
      : [join(libtorch.path, "lib")];
  const library = folders.map((folder) => join(folder, "libtorch_cpu.so")).find(host.exists);
  return library === undefined ? "absent" : host.stamp(library);
}

/** -march=native follows the processor: a checkout carried to another machine is built again. */
function instructionSet(host) {
  const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(host.read("/proc/cpuinfo") ?? "")?.[1];
  return shortHash([host.platform, process.arch, flags ?? ""]);
}

function compilerName(host) {
  const path = compiler(host);
  const firstLine = host.run(path, ["--version"]).output.split("\n")[0]?.trim();
  return `${path} (${firstLine})`;
}
