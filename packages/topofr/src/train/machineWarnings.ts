// What of a recipe this machine does badly, said before hours go into it.
import { bfloat16Instructions } from "./processor.js";
import type { Recipe } from "./recipe.js";

/** @param bfloat16 whether the processor has instructions for it; null where that is not known */
export function machineWarnings(
  { precision }: Pick<Recipe, "precision">,
  bfloat16 = bfloat16Instructions(),
): string[] {
  if (precision !== "bf16" || bfloat16 !== false) return [];
  return [
    "precision bf16: this processor has no bfloat16 instructions; fp32 is about twice as fast here (--precision auto takes the faster)",
  ];
}
