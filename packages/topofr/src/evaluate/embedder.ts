// What a benchmark needs of a model: images in, one embedding a row out. Our checkpoints: embedderTorch.ts; ONNX files:
// embedderOnnx.ts.
import type { ResizePolicy } from "../data/decodeImage.js";
import type { ImageSource } from "../data/imageSource.js";

export interface EmbedOptions {
  /** Add the embedding of the mirror image (flip test). */
  flip: boolean;
  /** Images a batch; a model with a fixed batch takes its own. */
  batchSize: number;
  /** What happens to an image of another size than the model's. Default "error". */
  resize?: ResizePolicy;
  /** Ends the work between two batches, with the signal's reason. */
  signal?: AbortSignal;
  onProgress?(done: number, total: number): void;
}

export interface Embedder {
  /** What tables call the model. */
  readonly name: string;
  /** Numbers of an embedding. */
  readonly dimension: number;
  /** Height and width of the images that it takes, in pixels. */
  readonly imageSize: number;
  /**
   * One row for each image: [images, dimension], not normalised, plus the mirror image's row with `flip`. Memory beyond the
   * result is that of a few batches.
   *
   * @throws E_DATA at the first unreadable or wrongly sized image
   */
  embed(images: readonly ImageSource[], options: EmbedOptions): Promise<Float32Array>;
  /** Gives weights and threads back. */
  close(): Promise<void>;
}
