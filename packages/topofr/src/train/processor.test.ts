import { expect, test } from "vitest";
import { bfloat16Instructions } from "./processor.js";

test("bfloat16 instructions are read from the processor's flags", () => {
  const cpuinfo = (flags: string) =>
    `processor\t: 0\nmodel name\t: avx512_bf16\nflags\t\t: ${flags}\nbugs\t\t:\n`;
  expect(bfloat16Instructions(cpuinfo("fpu avx512f avx512_bf16 amx_bf16"))).toBe(true);
  expect(bfloat16Instructions(cpuinfo("fpu avx512f"))).toBe(false);
  expect(bfloat16Instructions("processor\t: 0\nBogoMIPS\t: 50.00\n")).toBe(null);
  expect(bfloat16Instructions("")).toBe(null);
});
