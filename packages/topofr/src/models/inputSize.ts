// The size of the images that a network takes. Each network halves it four times and looks at the map that is left as a whole, so the
// shapes of its weights say which size they are of.
import { TopofrError } from "@topofr/formats";
import { TEMPLATE_SIZE } from "@topofr/recognizer/align";

/** Of every network of the paper, in pixels. */
export const STANDARD_INPUT_SIZE = TEMPLATE_SIZE;
export const SMALLEST_INPUT_SIZE = 32;
/** What an input is divided by on the way through: sizes are multiples of it. */
export const INPUT_STEP = 16;

/** Height and width of the last map. @throws E_MODEL for a size that cannot be halved four times */
export function finalMapSize(inputSize: number): number {
  if (Number.isInteger(inputSize / INPUT_STEP) && inputSize >= SMALLEST_INPUT_SIZE)
    return inputSize / INPUT_STEP;
  throw new TopofrError(
    "E_MODEL",
    `input size ${inputSize}: expected a multiple of ${INPUT_STEP}, at least ${SMALLEST_INPUT_SIZE} (112 is the usual one)`,
  );
}

type Shapes = ReadonlyMap<string, { readonly shape: readonly number[] }>;

/** The input size that a backbone's tensors are of; null when they are of none of our networks. */
export function inputSizeOf(tensors: Shapes): number | null {
  const channels = tensors.get("bn2.weight")?.shape[0];
  const inputs = tensors.get("fc.weight")?.shape[1];
  const side =
    channels === undefined || inputs === undefined
      ? tensors.get("features.layers.0.layers.0.weight")?.shape[3]
      : Math.sqrt(inputs / channels);
  return side === undefined || !Number.isInteger(side) || side * INPUT_STEP < SMALLEST_INPUT_SIZE
    ? null
    : side * INPUT_STEP;
}
