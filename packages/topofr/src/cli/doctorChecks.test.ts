import { expect, test } from "vitest";
import { diagnose, formatChecks, type MachineFacts } from "./doctorChecks.js";

const healthy: MachineFacts = {
  node: "v20.20.2",
  system: "linux 6.1 x64",
  processor: "A processor",
  cores: 2,
  memoryBytes: 8 * 2 ** 30,
  freeMemoryBytes: 4 * 2 ** 30,
  bfloat16Instructions: true,
  engine: {
    info: {
      version: "1.13.1",
      threads: 2,
      cpuCapability: "AVX512",
      cuda: false,
      mkldnn: true,
      addonPath: "/x/addon.node",
      libtorchPath: "/usr/lib",
      compiler: "12.2.0",
      configuration: "",
    },
  },
  packages: [{ name: "sharp", version: "0.35.0" }],
};

test("a healthy machine is ready, and the text says what was found", () => {
  const checks = diagnose(healthy);
  expect(checks.every(({ status }) => status === "ok")).toBe(true);
  const text = formatChecks(checks);
  for (const word of ["1.13.1", "AVX512", "2 of 2", "CUDA", "ready to train"]) expect(text).toContain(word);
});

test("an engine that is not built is the problem named last, with the command that builds it", () => {
  const checks = diagnose({ ...healthy, engine: { problem: "no addon at /x" } });
  expect(checks.at(-1)).toEqual({
    name: "libtorch",
    status: "problem",
    found: "no addon at /x",
    remedy: "run `npm run setup`, which builds it and names what it cannot install",
  });
  expect(formatChecks(checks)).toMatch(/not ready: libtorch$/);
});

test.each<[string, Partial<MachineFacts>, string, "warning" | "problem"]>([
  ["an old Node", { node: "v20.18.0" }, "Node.js", "problem"],
  ["little memory", { memoryBytes: 2 * 2 ** 30 }, "memory", "warning"],
  [
    "a package without its binary",
    { packages: [{ name: "sharp", problem: "no binary" }] },
    "sharp",
    "problem",
  ],
  [
    "more threads than cores",
    { engine: { info: { ...("info" in healthy.engine ? healthy.engine.info : never()), threads: 8 } } },
    "threads",
    "warning",
  ],
])("%s is noticed, with a remedy", (_what, facts, name, status) => {
  const check = diagnose({ ...healthy, ...facts }).find((candidate) => candidate.name === name);
  expect(check?.status).toBe(status);
  expect(check?.remedy).toBeTruthy();
});

test("a newer Node is fine", () => {
  expect(diagnose({ ...healthy, node: "v22.1.0" })[0]?.status).toBe("ok");
});

function never(): never {
  throw new Error("the healthy machine has an engine");
}
