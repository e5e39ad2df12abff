// What makes a machine fit or unfit for training, judged from plain facts. Gathering the facts: doctor.ts.

import type { BuildInfo } from "./engine.js";

export interface MachineFacts {
  node: string;
  system: string;
  processor: string;
  cores: number;
  memoryBytes: number;
  freeMemoryBytes: number;
  /** null: not known. */
  bfloat16Instructions: boolean | null;
  engine: { info: BuildInfo } | { problem: string };
  /** Version of each npm package that is needed, or why it cannot be loaded. */
  packages: { name: string; version?: string; problem?: string }[];
}

export interface Check {
  name: string;
  status: "ok" | "warning" | "problem";
  found: string;
  /** What to do, unless all is well. */
  remedy?: string;
}

const LOWEST_NODE = [20, 19] as const;
const LOW_MEMORY_GIB = 4; // MobileFaceNet at batch 128 in bf16 fits, IResNet-50 does not

/** One check a line of `topofr doctor`, in the order in which problems should be solved. */
export function diagnose(facts: MachineFacts): Check[] {
  return [
    nodeCheck(facts),
    { name: "processor", status: "ok", found: `${facts.processor}, ${facts.cores} cores (${facts.system})` },
    bfloat16Check(facts),
    memoryCheck(facts),
    ...facts.packages.map(packageCheck),
    ...engineChecks(facts),
  ];
}

function nodeCheck({ node }: MachineFacts): Check {
  const [major = 0, minor = 0] = node.replace(/^v/, "").split(".").map(Number);
  const [lowestMajor, lowestMinor] = LOWEST_NODE;
  const fits = major > lowestMajor || (major === lowestMajor && minor >= lowestMinor);
  if (fits) return { name: "Node.js", status: "ok", found: node };
  const remedy = `install Node ${LOWEST_NODE.join(".")} or newer`;
  return { name: "Node.js", status: "problem", found: node, remedy };
}

function memoryCheck({ memoryBytes, freeMemoryBytes }: MachineFacts): Check {
  const gib = (bytes: number) => bytes / 2 ** 30;
  const found = `${gib(memoryBytes).toFixed(1)} GiB, ${gib(freeMemoryBytes).toFixed(1)} GiB free`;
  if (gib(memoryBytes) >= LOW_MEMORY_GIB) return { name: "memory", status: "ok", found };
  const remedy =
    "enough for MobileFaceNet with a smaller --batch-size (32); larger networks need more memory";
  return { name: "memory", status: "warning", found, remedy };
}

function bfloat16Check({ bfloat16Instructions }: MachineFacts): Check {
  const words = { true: "yes", false: "no (precision fp32 is faster here; auto takes it)", null: "unknown" };
  return { name: "bf16 instructions", status: "ok", found: words[`${bfloat16Instructions}`] };
}

function packageCheck({ name, version, problem }: MachineFacts["packages"][number]): Check {
  if (version !== undefined) return { name, status: "ok", found: version };
  return { name, status: "problem", found: problem ?? "missing", remedy: "run `npm install`" };
}

function engineChecks({ engine, cores }: MachineFacts): Check[] {
  if ("problem" in engine) {
    const remedy = "run `npm run setup`, which builds it and names what it cannot install";
    return [{ name: "libtorch", status: "problem", found: engine.problem, remedy }];
  }
  const { version, threads, cpuCapability, cuda, mkldnn, addonPath, libtorchPath } = engine.info;
  return [
    { name: "libtorch", status: "ok", found: `${version} in ${libtorchPath ?? "an unknown folder"}` },
    { name: "addon", status: "ok", found: addonPath },
    { name: "instruction set", status: "ok", found: cpuCapability },
    oneDnnCheck(mkldnn),
    { name: "CUDA", status: "ok", found: cuda ? "yes" : "no (training uses the processor)" },
    threadsCheck(threads, cores),
  ];
}

function oneDnnCheck(mkldnn: boolean): Check {
  if (mkldnn) return { name: "oneDNN", status: "ok", found: "yes" };
  const remedy = "convolutions will be several times slower; use a libtorch that is built with oneDNN";
  return { name: "oneDNN", status: "warning", found: "no", remedy };
}

function threadsCheck(threads: number, cores: number): Check {
  const found = `${threads} of ${cores}`;
  if (threads <= cores) return { name: "threads", status: "ok", found };
  const remedy = `more threads than cores slow each other down; set OMP_NUM_THREADS=${cores}`;
  return { name: "threads", status: "warning", found, remedy };
}

/** The checks as text, and a last line that says whether training can start. */
export function formatChecks(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const mark = { ok: "  ok     ", warning: "  warning", problem: "  PROBLEM" };
  const lines = checks.flatMap(({ name, status, found, remedy }) => [
    `${mark[status]}  ${name.padEnd(width)}  ${found}`,
    ...(remedy ? [`${" ".repeat(width + 13)}-> ${remedy}`] : []),
  ]);
  const problems = checks.filter(({ status }) => status === "problem");
  const names = problems.map(({ name }) => name).join(", ");
  return [...lines, "", problems.length === 0 ? "ready to train" : `not ready: ${names}`].join("\n");
}
