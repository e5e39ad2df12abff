// The values that go through a recogniser, and the recogniser itself. Nothing of Node or of a browser here: `Source` is what the
// two can read pictures from (read/readImage.ts, web/readImage.ts).
import type { ModelCard } from "./card/modelCard.js";
import type { GalleryMatch, GallerySearch } from "./gallerySearch.js";

/** Upright (an EXIF rotation is applied), 8-bit sRGB. */
export interface Picture {
  width: number;
  height: number;
  /** [height, width, 3] RGB, 0..255. */
  pixels: Uint8Array;
}

/**
 * [10] x0, y0 … x4, y4 in pixels of the picture, of which (0, 0) is the centre of the first: eye on the picture's left, eye on its
 * right, nose, mouth corner on the left, on the right.
 */
export type Landmarks = Float32Array;

export interface Face {
  /** Pixels of the picture; may reach beyond its edges. */
  box: { x: number; y: number; width: number; height: number };
  landmarks: Landmarks;
  /** 0..1 */
  score: number;
}

/** A face on the ArcFace template. */
export interface AlignedFace {
  /** [size, size, 3] RGB, 0..255. */
  pixels: Uint8Array;
  size: number;
}

/** Which of several faces: the one of the largest box, of the best score, nearest to the picture's centre; or an error when there are several. */
export type Choice = "largest" | "best" | "only" | "center";

/** A face found and aligned, not embedded yet. */
export interface LocatedFace extends Face {
  aligned: AlignedFace;
  /** How many faces the picture has. */
  of: number;
}

export interface RecognizedFace extends LocatedFace {
  /** [dimension], L2-normalised. */
  embedding: Float32Array;
}

export interface IdentifiedFace extends RecognizedFace {
  /** Best first; those below the threshold are left out. */
  matches: GalleryMatch[];
}

export interface Verification {
  /** Cosine, -1..1. */
  similarity: number;
  threshold: number | null;
  /** Whether the similarity reaches the threshold; null without one. */
  same: boolean | null;
  a: RecognizedFace;
  b: RecognizedFace;
}

/** What both runtimes are told; what a model is read from: index.ts (Node), web/index.ts (browser). */
export interface CommonOptions {
  /** Add the mirror image's embedding: slower by half, a little more accurate. Default: false. */
  flip?: boolean;
  /** Cosine from which two faces are one person's; default: none, and `same` is null. See `calibrateThreshold`. */
  threshold?: number | null;
  /** Faces of a lower score are not faces. Default: 0.6. */
  minScore?: number;
  /** Larger pictures are refused before they are decoded. Default: 64 million. */
  maxPixels?: number;
  /** Of the runtime; default: its own choice. */
  threads?: number;
  /** ONNX Runtime's, in order of preference: "cpu", "cuda" … in Node, "wasm", "webgpu" in browsers. Default: cpu, wasm. */
  executionProviders?: readonly string[];
}

export interface EmbedOptions {
  /** Default: as the recogniser was opened. */
  flip?: boolean;
  /** Faces in one call of the network, where it leaves that open. Default: 32. */
  batchSize?: number;
}

export interface RecognizeOptions {
  /** Default: "largest". */
  choice?: Choice;
  /** Every face, best score first, instead of one; none is then no error. */
  all?: boolean;
}

export interface VerifyOptions {
  threshold?: number | null;
  choice?: Choice;
}

export interface IdentifyOptions {
  /** Matches of a face. Default: 5. */
  top?: number;
  threshold?: number | null;
  /** One face; default: every face. */
  choice?: Choice;
}

export interface ModelName {
  name: string;
  /** Of the file, 64 hexadecimal digits; empty in a page that is neither from https nor localhost, where browsers do not hash. */
  sha256: string;
}

/**
 * Errors of every method are `TopofrError`s: E_FILE a source that cannot be read, E_FORMAT one that is not a picture or damaged,
 * E_DATA a picture that is too large, without a face, or with several where one is asked for, E_MODEL a network that fails or does
 * not fit, E_USAGE wrong arguments, a closed recogniser.
 */
export interface BasicRecognizer<Source> {
  readonly dimension: number;
  /** Side of an aligned face, in pixels. */
  readonly imageSize: number;
  readonly model: ModelName;
  /** How the model's input is made, complete; `card` of another recogniser takes it as it is. */
  readonly card: ModelCard;
  readonly hasDetector: boolean;
  threshold: number | null;
  read(source: Source): Promise<Picture>;
  /** Every face, best score first. E_USAGE without a detector. */
  detect(image: Source | Picture): Promise<Face[]>;
  align(picture: Picture, face: Pick<Face, "landmarks">): AlignedFace;
  /** One [dimension] for each face, L2-normalised. */
  embed(faces: readonly AlignedFace[], options?: EmbedOptions): Promise<Float32Array[]>;
  /** As `recognize`, without the embedding: for callers that embed the faces of several pictures together. */
  locate(image: Source | Picture, options?: RecognizeOptions): Promise<LocatedFace[]>;
  /** Detects, aligns, embeds. Without a detector the picture must be an aligned face of `imageSize`. */
  recognize(image: Source | Picture, options?: RecognizeOptions): Promise<RecognizedFace[]>;
  verify(a: Source | Picture, b: Source | Picture, options?: VerifyOptions): Promise<Verification>;
  identify(
    image: Source | Picture,
    gallery: GallerySearch,
    options?: IdentifyOptions,
  ): Promise<IdentifiedFace[]>;
  close(): Promise<void>;
}
