// Vietoris-Rips persistence beside Ripser: the same distances, from one file, in processes of their own that take turns. Timed is the
// whole process: start, reading, computing. Peak memory and processor time are read from /proc while it runs (Linux).
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median, parseOptions, positive } from "./options.mjs";
import { writeDistances } from "./ripsData.mjs";

const HELP = `Usage: node bench/rips.mjs --ripser PATH [options]

  --ripser PATH   Ripser, built from its source: g++ -std=c++11 -O3 -DNDEBUG -march=native ripser.cpp -o ripser
                  (Debian's package is slower, its assertions are on, and it stops on --format binary)
  --data LIST     torus (a torus in space), clusters (20 clusters of unit vectors in 512 dimensions)   (torus,clusters)
  --points LIST   (1000)
  --degree LIST   highest degree of homology (1)
  --cores LIST    portable, native (portable)
  --rounds N      turns of each (3)
  --seed N        (2048)
  --json          print JSON alone
`;
const values = parseOptions(
  {
    ripser: { type: "string" },
    data: { type: "string", default: "torus,clusters" },
    points: { type: "string", default: "1000" },
    degree: { type: "string", default: "1" },
    cores: { type: "string", default: "portable" },
    rounds: { type: "string", default: "3" },
    seed: { type: "string", default: "2048" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
  HELP,
);
if (values.ripser === undefined) {
  process.stderr.write(`--ripser is missing\n${HELP}`);
  process.exit(2);
}
const rounds = positive(values, "rounds");
const ours = fileURLToPath(new URL("ripsOurs.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "topofr-bench-rips-"));
const report = { processor: cpus()[0]?.model, cores: cpus().length, load: loadavg()[0], rounds, results: [] };
try {
  for (const data of values.data.split(","))
    for (const points of values.points.split(","))
      for (const degree of values.degree.split(","))
        report.results.push(await measure({ data, points: Number(points), degree }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : table(report));

async function measure({ data, points, degree }) {
  const file = join(folder, "distances");
  writeDistances(file, { data, points, seed: positive(values, "seed") });
  const sides = { ripser: [values.ripser, ["--format", "binary", "--dim", degree, file]] };
  for (const core of values.cores.split(","))
    sides[core] = [process.execPath, [ours, file, String(points), degree, core]];
  const runs = Object.fromEntries(Object.keys(sides).map((side) => [side, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [side, command] of Object.entries(sides)) {
      process.stderr.write(
        `\r\x1b[K${data} ${points}, degree ${degree}: round ${round + 1} of ${rounds}, ${side} …`,
      );
      runs[side].push(await run(...command));
    }
  }
  process.stderr.write("\r\x1b[K");
  const merged = Object.entries(runs).map(([side, list]) => [side, merge(list)]);
  return { data, points, degree, sides: Object.fromEntries(merged) };
}

function run(command, args) {
  return new Promise((resolve, reject) => {
    const start = process.hrtime.bigint();
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
    const used = { peakBytes: 0, processorSeconds: 0 };
    const timer = setInterval(() => look(child.pid, used), 20);
    let bars = 0;
    let rest = "";
    child.stdout.setEncoding("latin1");
    child.stdout.on("data", (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      bars += lines.filter((line) => line.startsWith(" [")).length;
    });
    child.on("error", reject);
    child.on("close", (status) => {
      clearInterval(timer);
      const seconds = Number(process.hrtime.bigint() - start) / 1e9;
      if (status === 0) resolve({ seconds, bars, ...used });
      else reject(new Error(`${command} ${args.join(" ")} ended with status ${status}`));
    });
  });
}

/** What the kernel says about a process; nothing where there is no /proc, or when it has ended. */
function look(pid, used) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    used.peakBytes = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024 || used.peakBytes;
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1].split(" ");
    used.processorSeconds = (Number(fields[11]) + Number(fields[12])) / 100; // clock ticks of 1/100 s
  } catch {}
}

function merge(runs) {
  const of = (name) => median(runs.map((one) => one[name]));
  return {
    seconds: of("seconds"),
    processorSeconds: of("processorSeconds"),
    peakBytes: Math.max(...runs.map((one) => one.peakBytes)),
    bars: runs[0].bars,
  };
}

function table({ results, processor, load }) {
  const lines = [
    "| data | points | degree | core | seconds | processor | memory | bars | time of Ripser's |",
    "|---|---|---|---|---|---|---|---|---|",
  ];
  for (const { data, points, degree, sides } of results) {
    for (const [side, { seconds, processorSeconds, peakBytes, bars }] of Object.entries(sides)) {
      const ratio = `${(seconds / sides.ripser.seconds).toFixed(2)}x`;
      const cells = [
        data,
        points,
        degree,
        side,
        `${seconds.toFixed(2)} s`,
        `${processorSeconds.toFixed(2)} s`,
      ];
      lines.push(`| ${[...cells, `${(peakBytes / 1e6).toFixed(0)} MB`, bars, ratio].join(" | ")} |`);
    }
  }
  return `${lines.join("\n")}\n${processor}; median of ${rounds}; load before ${load.toFixed(1)}\n`;
}
