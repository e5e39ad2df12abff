// Distances of two persistence diagrams beside GUDHI's (bottleneck exact, and Hera's Wasserstein) on the same points.
// GUDHI runs in a Python that has it (Debian: python3-gudhi; another one by PYTHON=/path); else only our times are shown.
//
//   node bench/diagramDistances.mjs --points 5000

import { loadavg } from "node:os";
import { bottleneckDistance, wassersteinDistance } from "../packages/topology/dist/index.js";
import { findPython, runScript } from "./children.mjs";
import { median, parseOptions, positive } from "./options.mjs";

const HELP = `node bench/diagramDistances.mjs [--points 5000] [--repeats 3] [--json]

Times in seconds of processor time (all threads), so that other work on the machine counts less; the median of the
repeats. Three kinds of diagrams: uniform above the diagonal; short bars with 1% long ones; whole numbers (ties).
`;

const values = parseOptions(
  {
    points: { type: "string", default: "5000" },
    repeats: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
  HELP,
);
const points = positive(values, "points");
const repeats = positive(values, "repeats");

/** k * root and k² * root modulo 1: the same numbers in bench/reference/diagramDistances.py. */
function makeDiagram(count, square, kind) {
  const root = Math.sqrt(square);
  const births = new Float64Array(count);
  const deaths = new Float64Array(count);
  for (let k = 0; k < count; k++) {
    const [x, y] = [((k + 1) * root) % 1, ((k + 1) * (k + 1) * root) % 1];
    births[k] = kind === "grid" ? Math.floor(6 * x) : x;
    if (kind === "uniform") deaths[k] = x + y;
    else if (kind === "grid") deaths[k] = births[k] + 1 + Math.floor(4 * y);
    else deaths[k] = x + (k % 100 === 0 ? y : 0.05 * y);
  }
  return { dimension: 1, births, deaths };
}

const TASKS = {
  "bottleneck, exact": (a, b) => bottleneckDistance(a, b),
  "bottleneck, 1%": (a, b) => bottleneckDistance(a, b, { relativeError: 0.01 }),
  "Wasserstein 1, 1%": (a, b) => wassersteinDistance(a, b, { relativeError: 0.01 }),
  "Wasserstein 1, exact": (a, b) => wassersteinDistance(a, b),
  "Wasserstein 2, 1%": (a, b) => wassersteinDistance(a, b, { p: 2, relativeError: 0.01 }),
  "Wasserstein 2, exact": (a, b) => wassersteinDistance(a, b, { p: 2 }),
};

const load = loadavg()[0]; // of the last minute: more than a few tenths means that others use the machine
const python = findPython("gudhi");
const peer = python === null ? {} : gudhiTimes();

function gudhiTimes() {
  try {
    return runScript(python, "reference/diagramDistances.py", [String(points), String(repeats)]);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

const rows = [];
for (const kind of ["uniform", "noise", "grid"]) {
  const [a, b] = [makeDiagram(points, 2, kind), makeDiagram(points, 3, kind)];
  for (const [task, run] of Object.entries(TASKS)) {
    let result;
    const seconds = Array.from({ length: repeats }, () => {
      const before = process.cpuUsage();
      result = run(a, b);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1e6;
    });
    const reference = peer[kind]?.[task];
    rows.push({
      kind,
      task,
      seconds: median(seconds),
      distance: result.distance,
      ...(reference && {
        gudhiSeconds: reference.seconds,
        gudhiDistance: reference.distance,
        ratio: median(seconds) / reference.seconds,
      }),
    });
  }
}
if (values.json)
  process.stdout.write(`${JSON.stringify({ points, repeats, load, gudhi: peer.version ?? null, rows })}\n`);
else {
  process.stdout.write(
    `${points} points each; seconds of processor time, load ${load.toFixed(1)}; GUDHI ${peer.version ?? "not found"}\n`,
  );
  for (const row of rows) {
    const beside =
      row.ratio === undefined ? "" : `  GUDHI ${row.gudhiSeconds.toFixed(2)}  ratio ${row.ratio.toFixed(2)}`;
    process.stdout.write(`${row.kind.padEnd(8)} ${row.task.padEnd(21)} ${row.seconds.toFixed(2)}${beside}\n`);
  }
}
