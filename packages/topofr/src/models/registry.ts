// Networks by name.
import { TopofrError } from "@topofr/formats";
import type { Backbone } from "./backbone.js";
import { IResNet } from "./iresnet.js";
import { MobileFaceNet } from "./mobileFaceNet.js";
import { NETWORKS, type NetworkName } from "./names.js";

export interface BackboneOptions {
  embeddingSize?: number;
  /** IResNet only. */
  dropout?: number;
  /** Height and width of the images, a multiple of 16. Default 112. */
  inputSize?: number;
}

const BACKBONES: Readonly<Record<NetworkName, (options: BackboneOptions) => Backbone>> = {
  mobilefacenet: ({ dropout: _, ...options }: BackboneOptions) => new MobileFaceNet(options),
  "mobilefacenet-large": ({ dropout: _, ...options }: BackboneOptions) =>
    new MobileFaceNet({ ...options, blocks: [2, 8, 12, 4], scale: 4 }),
  iresnet18: (options: BackboneOptions) => new IResNet(18, options),
  iresnet34: (options: BackboneOptions) => new IResNet(34, options),
  iresnet50: (options: BackboneOptions) => new IResNet(50, options),
  iresnet100: (options: BackboneOptions) => new IResNet(100, options),
  iresnet200: (options: BackboneOptions) => new IResNet(200, options),
};

/**
 * A network with fresh weights, drawn from the default generator (see `manualSeed`).
 * @throws E_MODEL for an unknown name, or an input size that is no multiple of 16.
 */
export function createBackbone(name: NetworkName, options: BackboneOptions = {}): Backbone {
  const create = BACKBONES[name];
  if (create === undefined)
    throw new TopofrError("E_MODEL", `unknown network "${name}"; known: ${NETWORKS.join(", ")}`);
  return create(options);
}
