// Finds the libtorch to build against. In order: LIBTORCH, Debian's package, a Python torch. Installs nothing.
import { dirname, join, resolve } from "node:path";
import { SetupError } from "./host.mjs";

/**
 * @typedef {object} Libtorch
 * @property {"LIBTORCH" | "debian" | "python"} source
 * @property {string} path folder that holds include/ and lib/
 * @property {string} version as its own header says, "1.13.0"
 * @property {string | null} torchDir folder of TorchConfig.cmake; null where cmake finds it unaided
 */

const VERSION_HEADERS = ["torch/csrc/api/include/torch/version.h", "torch/headeronly/version.h"];

// Finds the package without importing it: that would take seconds. An addon built on a broken one fails its own check.
const PYTHON_PROBE =
  "import importlib.util, os; spec = importlib.util.find_spec('torch'); " +
  "print(os.path.dirname(spec.origin) if spec and spec.origin else '')";

/** @type {WeakMap<object, Libtorch>} what was found does not go away while the set-up runs */
const found = new WeakMap();

/**
 * The libtorch to use, or null when there is none yet (Debian's package can then be installed).
 * `LIBTORCH=python` asks for the Python torch even where Debian's package is installed.
 * @param {import("./host.mjs").Host} host
 * @returns {Libtorch | null}
 */
export function findLibtorch(host) {
  const libtorch = found.get(host) ?? search(host);
  if (libtorch !== null) found.set(host, libtorch);
  return libtorch;
}

function search(host) {
  const asked = host.env.LIBTORCH;
  if (asked === "python") {
    const libtorch = pythonTorch(host);
    if (libtorch !== null) return libtorch;
    throw new SetupError(
      `LIBTORCH=python, but ${pythonCommand(host)} cannot import a torch that brings its own C++ files. ` +
        "Install one for that Python (python3 -m pip install torch), or name another with PYTHON=/path/to/python3.",
    );
  }
  if (asked !== undefined && asked !== "") return askedLibtorch(host, resolve(asked));
  return debianLibtorch(host) ?? pythonTorch(host);
}

function askedLibtorch(host, path) {
  const libtorch = libtorchAt(host, "LIBTORCH", path);
  if (libtorch !== null) return libtorch;
  throw new SetupError(
    `LIBTORCH=${path}: no include/${VERSION_HEADERS[0]} there. It must be the folder of an unpacked libtorch ` +
      "(the one with include/, lib/ and share/), or `python` to use the torch that python3 imports.",
  );
}

function debianLibtorch(host) {
  const library = host
    .list("/usr/lib")
    .map((name) => `/usr/lib/${name}/cmake/Torch`)
    .find((folder) => host.exists(`${folder}/TorchConfig.cmake`));
  if (library === undefined) return null;
  const libtorch = libtorchAt(host, "debian", "/usr");
  return libtorch === null ? null : { ...libtorch, torchDir: library };
}

function pythonTorch(host) {
  const python = pythonCommand(host);
  if (host.which(python) === null && !host.exists(python)) return null;
  const { code, output } = host.run(python, ["-c", PYTHON_PROBE]);
  const path = output.trim().split("\n").at(-1) ?? "";
  if (code !== 0 || path === "") return null;
  // Debian's python3-torch has no C++ files of its own: it is the libtorch package, which counts as Debian's.
  return libtorchAt(host, "python", path);
}

const pythonCommand = (host) => host.env.PYTHON ?? "python3";

function libtorchAt(host, source, path) {
  const version = libtorchVersion(host, path);
  if (version === null) return null;
  const config = join(path, "share/cmake/Torch/TorchConfig.cmake");
  return { source, path, version, torchDir: host.exists(config) ? dirname(config) : null };
}

function libtorchVersion(host, path) {
  for (const header of VERSION_HEADERS) {
    const text = host.read(join(path, "include", header));
    const part = (name) => new RegExp(`#define TORCH_VERSION_${name} (\\d+)`).exec(text ?? "")?.[1];
    const parts = [part("MAJOR"), part("MINOR"), part("PATCH")];
    if (!parts.includes(undefined)) return parts.join(".");
  }
  return null;
}
