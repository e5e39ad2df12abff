// The layers of each network in the order of its forward pass: the same networks as models/iresnet.ts and models/mobileFaceNet.ts,
// which train them. Every export compares the two on images (compareEngine.ts).
import { IRESNET_BLOCKS } from "../models/iresnet.js";
import type { NetworkName } from "../models/names.js";
import { IMAGES, type Layer, LayerList, type State } from "./layerGraph.js";

/** Residual blocks of MobileFaceNet's stages, of width 64 and 128 times a scale. */
export const MOBILEFACENET_FORMS = {
  mobilefacenet: { blocks: [1, 4, 6, 2], scale: 2 },
  "mobilefacenet-large": { blocks: [2, 8, 12, 4], scale: 4 },
} as const;

/** @throws E_MODEL when `state` is not of this network */
export function networkLayers(network: NetworkName, state: State): Layer[] {
  const list = new LayerList(state);
  if (network === "mobilefacenet" || network === "mobilefacenet-large")
    addMobileFaceNet(list, MOBILEFACENET_FORMS[network].blocks);
  else
    addIResNet(list, IRESNET_BLOCKS[Number(network.slice("iresnet".length)) as keyof typeof IRESNET_BLOCKS]);
  return list.layers;
}

function addIResNet(list: LayerList, stages: readonly number[]): void {
  const stem = list.batchNorm("bn1", list.conv("conv1", IMAGES, { padding: 1 }));
  let value = list.prelu("prelu", stem);
  stages.forEach((count, stage) => {
    for (let block = 0; block < count; block++)
      value = addBlock(list, `layer${stage + 1}.${block}`, value, block === 0);
  });
  const flat = list.flatten("flatten", list.batchNorm("bn2", value));
  list.batchNorm("features", list.linear("fc", flat));
}

/** @param halving the first block of a stage: it halves the resolution, and its shortcut has weights */
function addBlock(list: LayerList, name: string, input: string, halving: boolean): string {
  const stride = halving ? 2 : 1;
  const inner = list.conv(`${name}.conv1`, list.batchNorm(`${name}.bn1`, input), { padding: 1 });
  const active = list.prelu(`${name}.prelu`, list.batchNorm(`${name}.bn2`, inner));
  const outer = list.batchNorm(`${name}.bn3`, list.conv(`${name}.conv2`, active, { stride, padding: 1 }));
  const shortcut = halving
    ? list.batchNorm(`${name}.downsample.1`, list.conv(`${name}.downsample.0`, input, { stride }))
    : input;
  return list.add(`${name}.sum`, outer, shortcut);
}

function addMobileFaceNet(list: LayerList, blocks: readonly [number, number, number, number]): void {
  let value = convBlock(list, "layers.0", IMAGES, { stride: 2, padding: 1 });
  value =
    blocks[0] === 1
      ? convBlock(list, "layers.1", value, { padding: 1, groups: 64 })
      : residual(list, "layers.1", value, blocks[0], 128);
  value = depthWise(list, "layers.2", value, { width: 128, stride: 2 });
  value = residual(list, "layers.3", value, blocks[1], 128);
  value = depthWise(list, "layers.4", value, { width: 256, stride: 2 });
  value = residual(list, "layers.5", value, blocks[2], 256);
  value = depthWise(list, "layers.6", value, { width: 512, stride: 2 });
  value = residual(list, "layers.7", value, blocks[3], 256);
  value = convBlock(list, "conv_sep", value, {});
  value = convBlock(list, "features.layers.0", value, { groups: 512, linear: true });
  value = list.linear("features.layers.2", list.flatten("features.layers.1", value));
  list.batchNorm("features.layers.3", value);
}

interface ConvBlockOptions {
  stride?: number;
  padding?: number;
  groups?: number;
  /** Without PReLU. */
  linear?: boolean;
}

function convBlock(list: LayerList, name: string, input: string, options: ConvBlockOptions): string {
  const { linear = false, ...convolution } = options;
  const value = list.batchNorm(`${name}.layers.1`, list.conv(`${name}.layers.0`, input, convolution));
  return linear ? value : list.prelu(`${name}.layers.2`, value);
}

function depthWise(
  list: LayerList,
  name: string,
  input: string,
  { width, stride }: { width: number; stride: number },
): string {
  const wide = convBlock(list, `${name}.layers.0`, input, {});
  const convolved = convBlock(list, `${name}.layers.1`, wide, { stride, padding: 1, groups: width });
  return convBlock(list, `${name}.layers.2`, convolved, { linear: true });
}

function residual(list: LayerList, name: string, input: string, count: number, width: number): string {
  let value = input;
  for (let block = 0; block < count; block++) {
    const inner = depthWise(list, `${name}.layers.${block}`, value, { width, stride: 1 });
    value = list.add(`${name}.layers.${block}.sum`, inner, value);
  }
  return value;
}
