// Runs the program in the test's own process and catches what it prints.
import { vi } from "vitest";
import { runProgram } from "./command.js";
import { topofrProgram } from "./program.js";

export interface Printed {
  status: number;
  out: string;
  err: string;
}

/** @param args without "topofr" */
export async function topofr(...args: string[]): Promise<Printed> {
  const text = { out: "", err: "" };
  const capture = (key: "out" | "err") => (chunk: string | Uint8Array) => {
    text[key] += String(chunk);
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation(capture("out")),
    vi.spyOn(process.stderr, "write").mockImplementation(capture("err")),
  ];
  try {
    return { status: await runProgram(topofrProgram("0.0.0"), args), ...text };
  } finally {
    process.exitCode = 0; // a command may set it; the test's own process must not end with it
    for (const spy of spies) spy.mockRestore();
  }
}
