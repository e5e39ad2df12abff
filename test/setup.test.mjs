// The set-up's decisions, on made-up machines: nothing is installed or built here.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { SetupError } from "../scripts/setup/host.mjs";
import { findLibtorch } from "../scripts/setup/libtorch.mjs";
import { withLock } from "../scripts/setup/lock.mjs";
import { runSteps } from "../scripts/setup/main.mjs";
import { installNpmPackages, npmPackagesCurrent } from "../scripts/setup/npmPackages.mjs";
import { installPackages, missingPackages } from "../scripts/setup/systemPackages.mjs";

const HEADER = "include/torch/csrc/api/include/torch/version.h";
const versionHeader = (major, minor) =>
  `#define TORCH_VERSION_MAJOR ${major}\n#define TORCH_VERSION_MINOR ${minor}\n#define TORCH_VERSION_PATCH 0\n`;
const DEBIAN = {
  [`/usr/${HEADER}`]: versionHeader(1, 13),
  "/usr/lib/x86_64-linux-gnu/cmake/Torch/TorchConfig.cmake": "",
  "/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3": "",
  "/usr/include/dnnl.hpp": "",
};
const WHEEL = {
  [`/venv/torch/${HEADER}`]: versionHeader(2, 7),
  "/venv/torch/share/cmake/Torch/TorchConfig.cmake": "",
};
const TOOLS = ["cmake", "c++", "make"];

/** A machine of `files` and `commands`; `answers` maps the start of a command line to what it gives. */
function machine({ files = {}, commands = [], answers = {}, uid = 0, platform = "linux", env = {} } = {}) {
  const ran = [];
  const said = [];
  const below = (path) => Object.keys(files).filter((name) => name.startsWith(`${path}/`));
  return {
    ran,
    said,
    files,
    root: "/repo",
    platform,
    uid,
    env,
    exists: (path) => path in files || below(path).length > 0,
    read: (path) => files[path] ?? null,
    list: (path) => [...new Set(below(path).map((name) => name.slice(path.length + 1).split("/")[0]))].sort(),
    stamp: (path) => files[path] ?? "absent",
    which: (command) => (commands.includes(command) ? `/usr/bin/${command}` : null),
    run(command, args) {
      const line = [command, ...args].join(" ");
      ran.push(line);
      const answer = Object.entries(answers).find(([start]) => line.startsWith(start))?.[1] ?? 0;
      if (typeof answer === "function") return { output: "", code: answer(line) };
      return typeof answer === "number" ? { code: answer, output: "" } : { code: 0, output: answer };
    },
    say: (text) => said.push(text),
  };
}

const messageOf = (work) => {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(SetupError);
    return error.message;
  }
  throw new Error("no error was thrown");
};

const python = { commands: [...TOOLS, "python3"], answers: { python3: "/venv/torch\n" } };

test("LIBTORCH comes before Debian's package, and that before a Python torch", () => {
  const files = { ...DEBIAN, ...WHEEL, [`/opt/libtorch/${HEADER}`]: versionHeader(2, 9) };
  const chosen = (env) => findLibtorch(machine({ ...python, files, env }));
  expect(chosen({ LIBTORCH: "/opt/libtorch" })).toMatchObject({ source: "LIBTORCH", version: "2.9.0" });
  expect(chosen({})).toMatchObject({
    source: "debian",
    path: "/usr",
    version: "1.13.0",
    torchDir: "/usr/lib/x86_64-linux-gnu/cmake/Torch",
  });
  expect(findLibtorch(machine({ ...python, files: WHEEL }))).toMatchObject({
    source: "python",
    path: "/venv/torch",
    version: "2.7.0",
    torchDir: "/venv/torch/share/cmake/Torch",
  });
  expect(findLibtorch(machine())).toBeNull();
});

test("LIBTORCH=python asks for the Python torch beside Debian's", () => {
  const files = { ...DEBIAN, ...WHEEL };
  expect(findLibtorch(machine({ ...python, files, env: { LIBTORCH: "python" } }))?.source).toBe("python");
  const bare = machine({ files: DEBIAN, commands: TOOLS, env: { LIBTORCH: "python" } });
  expect(messageOf(() => findLibtorch(bare))).toContain("cannot import a torch");
});

test("Debian's python3-torch brings no C++ files: it does not count as a Python torch", () => {
  const host = machine({ ...python, answers: { python3: "/usr/lib/python3/dist-packages/torch\n" } });
  expect(findLibtorch(host)).toBeNull();
  expect(missingPackages(host)).toEqual(["libtorch-dev", "libopenblas0-pthread", "libdnnl-dev"]);
});

test("a LIBTORCH that is no libtorch is an error that names the folder and what is missing", () => {
  const message = messageOf(() => findLibtorch(machine({ files: DEBIAN, env: { LIBTORCH: "/opt/none" } })));
  expect(message).toContain("LIBTORCH=/opt/none: no include/torch/csrc/api/include/torch/version.h");
});

test("a bare machine misses everything, a complete one nothing, a Python torch needs no OpenBLAS", () => {
  const everything = ["libtorch-dev", "libopenblas0-pthread", "libdnnl-dev", "cmake", "g++", "make"];
  expect(missingPackages(machine())).toEqual(everything);
  expect(missingPackages(machine({ files: DEBIAN, commands: ["cmake", "g++", "ninja"] }))).toEqual([]);
  expect(missingPackages(machine({ ...python, files: WHEEL }))).toEqual([]);
});

const LISTS = { "/var/lib/apt/lists/deb_dists_bookworm_main_binary-amd64_Packages": "" };

test("root installs by apt-get, without recommended packages", () => {
  const host = machine({ commands: ["apt-get"], files: LISTS });
  installPackages(host, ["cmake"]);
  expect(host.ran).toEqual(["apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends cmake"]);
});

test("apt's lists are fetched when there are none, and again when an install fails", () => {
  const verbs = (host) => host.ran.map((line) => /(install|update)/.exec(line)[1]);
  const fresh = machine({ commands: ["apt-get"] });
  installPackages(fresh, ["cmake"]);
  expect(verbs(fresh)).toEqual(["update", "install"]);

  let tries = 0;
  const first = (line) => (line.includes(" install ") && tries++ === 0 ? 100 : 0);
  const stale = machine({ commands: ["apt-get"], files: LISTS, answers: { "apt-get": first } });
  installPackages(stale, ["cmake"]);
  expect(verbs(stale)).toEqual(["install", "update", "install"]);
});

test("a user with sudo that asks for no password installs through it", () => {
  const host = machine({ commands: ["apt-get", "sudo"], files: LISTS, uid: 1000 });
  installPackages(host, ["g++"]);
  expect(host.ran[1]).toMatch(/^sudo -n env DEBIAN_FRONTEND=noninteractive apt-get .*install -y .*g\+\+$/);
});

test("without root the exact command is named, and the way without root", () => {
  const host = machine({ commands: ["apt-get", "sudo"], uid: 1000, answers: { sudo: 1 } });
  const message = messageOf(() => installPackages(host, ["libtorch-dev", "cmake"]));
  expect(message).toContain(
    "sudo apt-get update && sudo apt-get install -y --no-install-recommends libtorch-dev cmake",
  );
  expect(message).toContain("LIBTORCH=/path/to/libtorch");
  expect(message).toContain("python3 -m pip install torch");

  const noSudo = machine({ commands: ["apt-get"], uid: 1000 });
  expect(messageOf(() => installPackages(noSudo, ["cmake"]))).toMatch(
    /As root, run:\n {2}apt-get update && apt-get/,
  );
});

test("without apt-get the system's own commands are named", () => {
  const message = (options) =>
    messageOf(() => installPackages(machine(options), ["libtorch-dev", "cmake", "g++"]));
  expect(message({ commands: ["dnf"] })).toContain("sudo dnf install cmake gcc-c++ make");
  expect(message({ platform: "darwin" })).toContain("brew install cmake");
  expect(message({ platform: "win32" })).toContain("WSL 2");
  expect(message({})).toContain("no apt-get");
});

test("an apt that does not know a package: its log's tail and the other ways", () => {
  const host = machine({
    commands: ["apt-get"],
    answers: { "apt-get": 100 },
    files: { "/repo/.setup/logs/apt.log": "E: Unable to locate package libtorch-dev\n" },
  });
  const message = messageOf(() => installPackages(host, ["libtorch-dev"]));
  expect(message).toContain("Unable to locate package libtorch-dev");
  expect(message).toContain("/repo/.setup/logs/apt.log");
  expect(message).toContain("LIBTORCH=/path/to/libtorch");
});

test("npm packages are current when each locked version is installed", () => {
  const lock = (packages) => JSON.stringify({ packages });
  const zod = { "node_modules/zod": { version: "4.0.0" } };
  const current = (wanted, installed) =>
    npmPackagesCurrent(
      machine({
        files: {
          "/repo/package-lock.json": lock(wanted),
          ...(installed && { "/repo/node_modules/.package-lock.json": lock(installed) }),
        },
      }),
    );
  expect(current(zod, zod)).toBe(true);
  expect(current(zod, null)).toBe(false);
  expect(current(zod, { "node_modules/zod": { version: "3.9.0" } })).toBe(false);
  expect(current({ ...zod, "node_modules/b": { version: "1.0.0" } }, zod)).toBe(false);
  expect(current({ ...zod, "node_modules/other-os": { version: "1.0.0", optional: true } }, zod)).toBe(true);
});

test("npm ci that refuses the lock file is followed by npm install, any other failure is not", () => {
  const refusing = (text) =>
    machine({
      answers: { "npm ci": 1 },
      files: { "/repo/package-lock.json": "{}", "/repo/.setup/logs/npm.log": text },
    });
  const refused = refusing("npm error code EUSAGE\n");
  installNpmPackages(refused);
  expect(refused.ran.map((line) => line.split(" ")[1])).toEqual(["ci", "install"]);

  const message = messageOf(() => installNpmPackages(refusing("npm error code ENOTFOUND\n")));
  expect(message).toContain("npm error code ENOTFOUND");
  expect(message).toContain("npm config get registry");
});

const step = (name, current, work = () => {}) => ({ name, current: () => current, work });

test("a run with nothing to do says so in one line", () => {
  const host = machine();
  runSteps(host, [step("npm packages", true), step("native build", true)]);
  expect(host.said).toEqual(["setup: skipped npm packages, native build (all up to date; --force redoes)\n"]);
});

test("a step that runs gets a line with its seconds, and the skipped ones are named", () => {
  const host = machine();
  runSteps(host, [step("npm packages", true), step("native build", false)]);
  expect(host.said.join("")).toMatch(
    /^setup: native build … done in \d+\.\d s\nsetup: skipped npm packages \(up to date\)\n$/,
  );
});

test("steps after a failed one do not run", () => {
  const host = machine();
  const fail = () => {
    throw new SetupError("no");
  };
  const late = step("late", false, () => host.said.push("late ran"));
  expect(() => runSteps(host, [step("early", false, fail), late])).toThrow("no");
  expect(host.said.join("")).toBe("setup: early … failed\n");
});

const folders = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function checkout() {
  const root = mkdtempSync(join(tmpdir(), "setup-test-"));
  folders.push(root);
  return { ...machine(), root };
}

test("the lock is released after success and after an error, and a dead owner's is taken over", async () => {
  const host = checkout();
  const path = join(host.root, ".setup/lock");
  expect(withLock(host, () => existsSync(path))).toBe(true);
  expect(existsSync(path)).toBe(false);
  expect(() =>
    withLock(host, () => {
      throw new Error("broken");
    }),
  ).toThrow("broken");
  expect(existsSync(path)).toBe(false);

  const dead = spawn(process.execPath, ["-e", ""]);
  await once(dead, "exit");
  writeFileSync(path, String(dead.pid));
  expect(withLock(host, () => "taken")).toBe("taken");
});

test("a second set-up waits for the first", async () => {
  const host = checkout();
  const script = `
    import { withLock } from ${JSON.stringify(new URL("../scripts/setup/lock.mjs", import.meta.url).href)};
    withLock({ root: ${JSON.stringify(host.root)}, say() {} }, () => {
      process.stdout.write("held\\n");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);
    });`;
  const first = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(first.stdout, "data");
  const start = performance.now();
  withLock(host, () => {});
  expect(performance.now() - start).toBeGreaterThan(300);
  expect(host.said.join("")).toContain(`waiting for another set-up (process ${first.pid})`);
  if (first.exitCode === null) await once(first, "exit");
});
