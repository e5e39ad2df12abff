// How a recogniser is opened in Node.
import type { CardFields } from "./card/modelCard.js";
import type { BasicRecognizer, CommonOptions } from "./types.js";

/** What `read` takes in Node: a path, a `file:` URL, or the bytes of an image file (a Buffer too). */
export type ImageSource = string | URL | Uint8Array;

export type Recognizer = BasicRecognizer<ImageSource>;

export interface RecognizerOptions extends CommonOptions {
  /** Path or bytes of the embedding network, ONNX. */
  model: string | Uint8Array;
  /** How it wants its input: fields, or the path of a card; default: `<model>.card.yaml` beside the model, where there is one. */
  card?: CardFields | string;
  /** Path or bytes of a five-landmark detector, ONNX, YuNet's or SCRFD's. Without one, pictures must be aligned faces. */
  detector?: string | Uint8Array;
}
