// The process of one cell when several run at once: `node cellProcess.js <folder> <cell> <threads> <command line>`, forked by runner.ts.
import process from "node:process";
import { TopofrError } from "@topofr/formats";
import { runCell } from "./cell.js";
import { cellsOf } from "./plan.js";
import { type CellMessage, readPlan } from "./runner.js";

const [folder, id, threads, commandLine] = process.argv.slice(2) as [string, string, string, string];
const stop = new AbortController();
process.on("SIGINT", () => {}); // Ctrl-C reaches the whole group; the parent says what to do
process.on("message", () => stop.abort());
process.on("disconnect", () => stop.abort());

const send = (message: CellMessage) =>
  new Promise<void>((resolve) => (process.connected ? process.send!(message, () => resolve()) : resolve()));

try {
  const plan = await readPlan(folder);
  const result = await runCell(folder, plan, cellsOf(plan).find((cell) => cell.id === id)!, {
    threads: Number(threads),
    signal: stop.signal,
    commandLine: JSON.parse(commandLine) as string[],
    onEvent: (event) => void send({ kind: "event", event }),
  });
  await send({ kind: "result", result });
} catch (error) {
  const code = error instanceof TopofrError ? error.code : null;
  await send({ kind: "error", code, message: error instanceof Error ? error.message : String(error) });
}
process.removeAllListeners("disconnect");
if (process.connected) process.disconnect();
process.removeAllListeners("message");
