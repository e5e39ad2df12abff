import { expect, test } from "vitest";
import { machineWarnings } from "./machineWarnings.js";

test("bf16 without instructions for it is warned of, before the run", () => {
  const warnings = (precision: "fp32" | "bf16", bfloat16Instructions: boolean | null) =>
    machineWarnings({ precision }, { bfloat16Instructions });
  expect(warnings("bf16", false)).toEqual([expect.stringContaining("--precision fp32")]);
  expect(warnings("fp32", false)).toEqual([]);
  expect(warnings("bf16", true)).toEqual([]);
  expect(warnings("bf16", null)).toEqual([]);
});
