// A network with the weights of a file, in the size of images that the weights are of.
import { loadTensors } from "@topofr/torch";
import type { Backbone } from "./backbone.js";
import { inputSizeOf } from "./inputSize.js";
import { backboneTensors } from "./loadWeights.js";
import type { NetworkName } from "./names.js";
import { type BackboneOptions, createBackbone } from "./registry.js";

/**
 * @param options but the input size
 * @throws E_MODEL when the file holds another network (lists missing and unexpected keys); E_FORMAT or E_FILE when it is broken or
 *   missing
 */
export async function openBackbone(
  path: string,
  network: NetworkName,
  options: Omit<BackboneOptions, "inputSize">,
): Promise<Backbone> {
  const { tensors } = await loadTensors(path);
  try {
    const own = backboneTensors(tensors);
    const inputSize = inputSizeOf(own);
    const backbone = createBackbone(network, { ...options, ...(inputSize !== null && { inputSize }) });
    try {
      backbone.loadStateDict(own, path);
    } catch (error) {
      backbone.dispose();
      throw error;
    }
    return backbone;
  } finally {
    for (const value of tensors.values()) value.dispose();
  }
}
