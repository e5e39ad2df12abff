// MobileFaceNet (Chen et al., 2018) as insightface builds it, with its parameter names.
import { nn, noGrad, type Tensor } from "@topofr/torch";
import { Backbone } from "./backbone.js";
import { finalMapSize, STANDARD_INPUT_SIZE } from "./inputSize.js";
import { ResidualBlock } from "./residualBlock.js";

interface ConvOptions {
  kernel: number;
  stride?: number;
  padding?: number;
  groups?: number;
}

/** Convolution and batch norm, then PReLU unless `linear`. */
class ConvBlock extends nn.Module {
  readonly #conv: nn.Conv2d;
  readonly #bn: nn.BatchNorm2d;
  readonly #prelu: nn.PReLU | null;

  constructor(inChannels: number, outChannels: number, { kernel, ...options }: ConvOptions, linear = false) {
    super();
    this.#conv = this.child(
      "layers.0",
      new nn.Conv2d(inChannels, outChannels, kernel, { ...options, bias: false }),
    );
    this.#bn = this.child("layers.1", new nn.BatchNorm2d(outChannels));
    this.#prelu = linear ? null : this.child("layers.2", new nn.PReLU(outChannels));
  }

  override forward(input: Tensor, residual?: Tensor): Tensor {
    return this.#bn.forward(this.#conv.forward(input), {
      ...(this.#prelu && { prelu: this.#prelu }),
      ...(residual && { residual }),
    });
  }
}

/** Widen by 1x1, convolve each channel by 3x3, narrow by 1x1; plus the input when `residual`. */
class DepthWise extends ResidualBlock {
  readonly #widen: ConvBlock;
  readonly #convolve: ConvBlock;
  readonly #narrow: ConvBlock;

  constructor(
    inChannels: number,
    outChannels: number,
    width: number,
    readonly options: { stride: number; residual: boolean },
  ) {
    super();
    const { stride } = options;
    this.#widen = this.child("layers.0", new ConvBlock(inChannels, width, { kernel: 1 }));
    this.#convolve = this.child(
      "layers.1",
      new ConvBlock(width, width, { kernel: 3, stride, padding: 1, groups: width }),
    );
    this.#narrow = this.child("layers.2", new ConvBlock(width, outChannels, { kernel: 1 }, true));
  }

  protected override compute(input: Tensor): Tensor {
    const wide = this.#convolve.forward(this.#widen.forward(input));
    return this.#narrow.forward(wide, this.options.residual ? input : undefined);
  }
}

/** `count` residual DepthWise modules in a row. */
class Residual extends nn.Module {
  readonly #blocks: DepthWise[];

  constructor(channels: number, width: number, count: number) {
    super();
    this.#blocks = Array.from({ length: count }, (_, index) =>
      this.child(`layers.${index}`, new DepthWise(channels, channels, width, { stride: 1, residual: true })),
    );
  }

  override forward(input: Tensor): Tensor {
    return this.#blocks.reduce((value, block) => block.forward(value), input);
  }
}

/** A convolution of each channel over the whole map (7x7 of 112), then a linear layer and batch norm. */
class Features extends nn.Module {
  readonly #convolve: ConvBlock;
  readonly #flatten: nn.Flatten;
  readonly #linear: nn.Linear;
  readonly #bn: nn.BatchNorm1d;

  constructor(embeddingSize: number, kernel: number) {
    super();
    this.#convolve = this.child("layers.0", new ConvBlock(512, 512, { kernel, groups: 512 }, true));
    this.#flatten = this.child("layers.1", new nn.Flatten()); // a child: it must know the memory format
    this.#linear = this.child("layers.2", new nn.Linear(512, embeddingSize, { bias: false }));
    this.#bn = this.child("layers.3", new nn.BatchNorm1d(embeddingSize));
  }

  override forward(input: Tensor): Tensor {
    const flat = this.#flatten.forward(this.#convolve.forward(input));
    return this.#bn.forward(this.#linear.forward(flat.to("float32")));
  }
}

export interface MobileFaceNetOptions {
  /** Default 512. */
  embeddingSize?: number;
  /** Residual blocks of each stage. Default [1, 4, 6, 2]. */
  blocks?: readonly [number, number, number, number];
  /** Width multiplier of 64 and 128 channels. Default 2. */
  scale?: number;
  /** Height and width of the images, a multiple of 16. Default 112. */
  inputSize?: number;
}

export class MobileFaceNet extends Backbone {
  override readonly embeddingSize: number;
  override readonly inputSize: number;
  readonly #layers: nn.Module[];
  readonly #separable: ConvBlock;
  readonly #features: Features;

  /** @throws E_MODEL for an input size that is no multiple of 16 */
  constructor(options: MobileFaceNetOptions = {}) {
    super();
    const {
      embeddingSize = 512,
      blocks = [1, 4, 6, 2],
      scale = 2,
      inputSize = STANDARD_INPUT_SIZE,
    } = options;
    this.embeddingSize = embeddingSize;
    this.inputSize = inputSize;
    const thin = 64 * scale;
    const wide = 128 * scale;
    const layers = [
      new ConvBlock(3, thin, { kernel: 3, stride: 2, padding: 1 }),
      blocks[0] === 1
        ? new ConvBlock(thin, thin, { kernel: 3, padding: 1, groups: 64 })
        : new Residual(thin, 128, blocks[0]),
      new DepthWise(thin, thin, 128, { stride: 2, residual: false }),
      new Residual(thin, 128, blocks[1]),
      new DepthWise(thin, wide, 256, { stride: 2, residual: false }),
      new Residual(wide, 256, blocks[2]),
      new DepthWise(wide, wide, 512, { stride: 2, residual: false }),
      new Residual(wide, 256, blocks[3]),
    ];
    this.#layers = layers.map((layer, index) => this.child(`layers.${index}`, layer));
    this.#separable = this.child("conv_sep", new ConvBlock(wide, 512, { kernel: 1 }));
    this.#features = this.child("features", new Features(embeddingSize, finalMapSize(inputSize)));
    this.#initialise();
  }

  /** Kaiming normal, fan out, for convolutions and the linear layer. */
  #initialise(): void {
    noGrad(() => {
      for (const module of this.modules()) {
        if (!(module instanceof nn.Conv2d || module instanceof nn.Linear)) continue;
        const [outChannels, , ...kernel] = module.weight.shape;
        const fanOut = kernel.reduce((product, size) => product * size, outChannels!);
        module.weight.normal_({ mean: 0, std: Math.sqrt(2 / fanOut) }).dispose();
      }
    });
  }

  override forward(images: Tensor): Tensor {
    const map = this.#layers.reduce((value, layer) => layer.forward(value), images);
    return this.#features.forward(this.#separable.forward(map));
  }
}
