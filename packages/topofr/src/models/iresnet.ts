// IResNet: the improved residual network of ArcFace, with arcface_torch's parameter names.
// A block is BN-conv-BN-PReLU-conv-BN plus shortcut, with nothing after the sum. The classifier is not part of it.
import { nn, noGrad, type Tensor } from "@topofr/torch";
import { Backbone } from "./backbone.js";
import { finalMapSize, STANDARD_INPUT_SIZE } from "./inputSize.js";
import { ResidualBlock } from "./residualBlock.js";

const CHANNELS = [64, 128, 256, 512] as const;

/** Blocks of each stage, by depth. */
export const IRESNET_BLOCKS = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 14, 3],
  100: [3, 13, 30, 3],
  200: [6, 26, 60, 6],
} as const;

const conv3x3 = (inChannels: number, outChannels: number, stride = 1) =>
  new nn.Conv2d(inChannels, outChannels, 3, { stride, padding: 1, bias: false });

class Downsample extends nn.Module {
  readonly conv: nn.Conv2d;
  readonly bn: nn.BatchNorm2d;

  constructor(inChannels: number, outChannels: number, stride: number) {
    super();
    this.conv = this.child("0", new nn.Conv2d(inChannels, outChannels, 1, { stride, bias: false }));
    this.bn = this.child("1", new nn.BatchNorm2d(outChannels));
  }

  override forward(input: Tensor): Tensor {
    return this.bn.forward(this.conv.forward(input));
  }
}

class Block extends ResidualBlock {
  readonly bn1: nn.BatchNorm2d;
  readonly conv1: nn.Conv2d;
  readonly bn2: nn.BatchNorm2d;
  readonly prelu: nn.PReLU;
  readonly conv2: nn.Conv2d;
  readonly bn3: nn.BatchNorm2d;
  readonly downsample: Downsample | null;

  constructor(inChannels: number, outChannels: number, stride: number) {
    super();
    this.bn1 = this.child("bn1", new nn.BatchNorm2d(inChannels));
    this.conv1 = this.child("conv1", conv3x3(inChannels, outChannels));
    this.bn2 = this.child("bn2", new nn.BatchNorm2d(outChannels));
    this.prelu = this.child("prelu", new nn.PReLU(outChannels));
    this.conv2 = this.child("conv2", conv3x3(outChannels, outChannels, stride));
    this.bn3 = this.child("bn3", new nn.BatchNorm2d(outChannels));
    this.downsample =
      stride === 1 && inChannels === outChannels
        ? null
        : this.child("downsample", new Downsample(inChannels, outChannels, stride));
  }

  protected override compute(input: Tensor): Tensor {
    const inner = this.conv1.forward(this.bn1.forward(input));
    const outer = this.conv2.forward(this.bn2.forward(inner, { prelu: this.prelu }));
    return this.bn3.forward(outer, { residual: this.downsample?.forward(input) ?? input });
  }
}

export interface IResNetOptions {
  /** Default 512. */
  embeddingSize?: number;
  /** Before the last layer. Default 0. */
  dropout?: number;
  /** Height and width of the images, a multiple of 16. Default 112. */
  inputSize?: number;
}

export class IResNet extends Backbone {
  override readonly embeddingSize: number;
  override readonly inputSize: number;
  readonly #conv1: nn.Conv2d;
  readonly #bn1: nn.BatchNorm2d;
  readonly #prelu: nn.PReLU;
  readonly #stages: nn.Sequential[];
  readonly #bn2: nn.BatchNorm2d;
  readonly #dropout: nn.Dropout;
  readonly #flatten: nn.Flatten;
  readonly #fc: nn.Linear;
  readonly #features: nn.BatchNorm1d;

  /** @throws E_MODEL for an input size that is no multiple of 16 */
  constructor(
    depth: keyof typeof IRESNET_BLOCKS,
    { embeddingSize = 512, dropout = 0, inputSize = STANDARD_INPUT_SIZE }: IResNetOptions = {},
  ) {
    super();
    this.embeddingSize = embeddingSize;
    this.inputSize = inputSize;
    const lastMap = CHANNELS[3] * finalMapSize(inputSize) ** 2;
    this.#conv1 = this.child("conv1", conv3x3(3, CHANNELS[0]));
    this.#bn1 = this.child("bn1", new nn.BatchNorm2d(CHANNELS[0]));
    this.#prelu = this.child("prelu", new nn.PReLU(CHANNELS[0]));
    this.#stages = IRESNET_BLOCKS[depth].map((count, stage) => {
      const outChannels = CHANNELS[stage]!;
      const inChannels = CHANNELS[Math.max(0, stage - 1)]!;
      // Every stage halves the resolution in its first block, the first stage too.
      const blocks = Array.from({ length: count }, (_, index) =>
        index === 0 ? new Block(inChannels, outChannels, 2) : new Block(outChannels, outChannels, 1),
      );
      return this.child(`layer${stage + 1}`, new nn.Sequential(...blocks));
    });
    this.#bn2 = this.child("bn2", new nn.BatchNorm2d(CHANNELS[3]));
    this.#dropout = this.child("dropout", new nn.Dropout(dropout));
    this.#flatten = this.child("flatten", new nn.Flatten()); // a child: it must know the memory format
    this.#fc = this.child("fc", new nn.Linear(lastMap, embeddingSize));
    this.#features = this.child("features", new nn.BatchNorm1d(embeddingSize));
    this.#initialise();
  }

  #initialise(): void {
    noGrad(() => {
      for (const module of this.modules())
        if (module instanceof nn.Conv2d) module.weight.normal_({ mean: 0, std: 0.1 }).dispose();
    });
  }

  override forward(images: Tensor): Tensor {
    let value = this.#bn1.forward(this.#conv1.forward(images), { prelu: this.#prelu });
    for (const stage of this.#stages) value = stage.forward(value);
    value = this.#flatten.forward(this.#dropout.forward(this.#bn2.forward(value)));
    // The last layer and its batch norm stay in float32, as arcface_torch has them.
    return this.#features.forward(this.#fc.forward(value.to("float32")));
  }
}
