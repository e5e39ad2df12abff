// What the rest of the system knows of a network: images in, embeddings out.
import { nn, type Tensor } from "@topofr/torch";

/** A face embedding network: [batch, 3, 112, 112] in [-1, 1], any float dtype -> [batch, embeddingSize] float32, not normalised. */
export abstract class Backbone extends nn.Module {
  abstract readonly embeddingSize: number;
  abstract override forward(images: Tensor): Tensor;
}
