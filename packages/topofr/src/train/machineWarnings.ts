// What of a recipe this machine does badly, said before hours go into it.
import { buildInfo } from "@topofr/torch";
import type { Recipe } from "./recipe.js";

/** @param bfloat16Instructions of the processor; null where that is not known */
export function machineWarnings(
  { precision }: Pick<Recipe, "precision">,
  { bfloat16Instructions }: { bfloat16Instructions: boolean | null } = buildInfo(),
): string[] {
  if (precision !== "bf16" || bfloat16Instructions !== false) return [];
  return [
    "precision bf16: this processor has no bfloat16 instructions; fp32 is about twice as fast here (--precision fp32)",
  ];
}
