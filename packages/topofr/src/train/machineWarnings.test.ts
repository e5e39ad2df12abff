import { expect, test } from "vitest";
import { machineWarnings } from "./machineWarnings.js";

test("bf16 without instructions for it is warned of, before the run", () => {
  const warnings = (precision: "fp32" | "bf16", bfloat16: boolean | null) =>
    machineWarnings({ precision }, bfloat16);
  expect(warnings("bf16", false)).toEqual([expect.stringContaining("--precision auto")]);
  expect(warnings("fp32", false)).toEqual([]);
  expect(warnings("bf16", true)).toEqual([]);
  expect(warnings("bf16", null)).toEqual([]);
});
