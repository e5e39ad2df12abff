// What the rest of the system knows of a network: images in, embeddings out.
import { nn, type Tensor } from "@topofr/torch";
import { STANDARD_INPUT_SIZE } from "./inputSize.js";

/** A face embedding network: [batch, 3, inputSize, inputSize] in [-1, 1], any float dtype -> [batch, embeddingSize] float32, not normalised. */
export abstract class Backbone extends nn.Module {
  abstract readonly embeddingSize: number;
  /** Height and width of the images, in pixels. */
  readonly inputSize: number = STANDARD_INPUT_SIZE;
  abstract override forward(images: Tensor): Tensor;
}
