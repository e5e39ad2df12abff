// Weights into a backbone, from whatever holds them: a run's checkpoint, a safetensors file, or a PyTorch state dict of the
// reference code or of arcface_torch.
import { loadTensors, type Tensor } from "@topofr/torch";
import type { Backbone } from "./backbone.js";

/** Prefix of the backbone's tensors in a run's checkpoint, which also holds the classifier and the optimiser. */
export const BACKBONE_PREFIX = "backbone.";
const DATA_PARALLEL_PREFIX = "module."; // torch.nn.DataParallel and DistributedDataParallel
/** The published code keeps the classifier's centres [classes, size] in the network itself. */
const REFERENCE_CLASSIFIER = "weight";

/** The backbone's own tensors by their own names; the rest is left out. */
export function backboneTensors(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const isRun = [...tensors.keys()].some((name) => name.startsWith(BACKBONE_PREFIX));
  const found = new Map<string, Tensor>();
  for (const [name, value] of tensors) {
    if (isRun) {
      if (name.startsWith(BACKBONE_PREFIX)) found.set(name.slice(BACKBONE_PREFIX.length), value);
      continue;
    }
    const plain = name.startsWith(DATA_PARALLEL_PREFIX) ? name.slice(DATA_PARALLEL_PREFIX.length) : name;
    if (plain !== REFERENCE_CLASSIFIER) found.set(plain, value);
  }
  return found;
}

/**
 * @throws E_MODEL when the file holds another network (lists missing and unexpected keys); E_FORMAT or E_FILE when it is
 *   broken or missing
 */
export async function loadWeights(backbone: Backbone, path: string): Promise<void> {
  const { tensors } = await loadTensors(path);
  try {
    backbone.loadStateDict(backboneTensors(tensors), path);
  } finally {
    for (const value of tensors.values()) value.dispose();
  }
}
