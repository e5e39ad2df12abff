// State dicts on disk: safetensors in both directions, PyTorch's .pt and .pth in.
import { readSafetensors, readStateDict, TopofrError, writeSafetensors } from "@topofr/formats";
import { type Tensor, tensorFromBytes } from "./tensor.js";

/** Writes `state` atomically: a reader sees the old file or the whole new one. Throws E_FILE (full disk and the like). */
export async function saveTensors(
  path: string,
  state: ReadonlyMap<string, Tensor>,
  metadata: Record<string, string> = {},
): Promise<void> {
  const entries = [...state].map(([name, value]) => ({
    name,
    dtype: value.dtype,
    shape: value.shape,
    data: value.toBytes(),
  }));
  await writeSafetensors(path, entries, metadata);
}

/**
 * Tensors of a .safetensors, .pt or .pth file by name, in the file's order.
 * @throws E_FORMAT for a broken file, or one whose pickle asks for anything beyond tensors.
 */
export async function loadTensors(path: string): Promise<{
  tensors: Map<string, Tensor>;
  metadata: ReadonlyMap<string, string>;
}> {
  const isSafetensors = path.endsWith(".safetensors");
  if (!isSafetensors && !/\.(pt|pth|bin)$/.test(path))
    throw new TopofrError("E_USAGE", `${path}: expected a .safetensors, .pt or .pth file`);
  const file = isSafetensors
    ? await readSafetensors(path)
    : { tensors: await readStateDict(path), metadata: new Map<string, string>() };
  const tensors = new Map<string, Tensor>();
  for (const { name, dtype, shape, data } of file.tensors)
    tensors.set(name, tensorFromBytes(data, dtype, shape));
  return { tensors, metadata: file.metadata };
}
