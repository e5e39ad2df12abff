// Detection, alignment, embedding and comparison put together, the same for Node and browsers. The two differ in how models are
// opened and pictures read: openRecognizer.ts, web/openRecognizer.ts.
import { TopofrError } from "@topofr/formats/error";
import { alignFace } from "./align/alignFace.js";
import { ARCFACE_TEMPLATE, TEMPLATE_SIZE } from "./align/template.js";
import type { ModelCard } from "./card/modelCard.js";
import { checkChoice, checkCount, checkThreshold, type Settings } from "./checkOptions.js";
import { chooseFace } from "./detect/chooseFace.js";
import type { Detector } from "./detect/detector.js";
import { embedFaces } from "./embedFaces.js";
import type { OnnxModel } from "./onnx/onnxModel.js";
import { checkPicture, isPicture } from "./read/picture.js";
import type {
  AlignedFace,
  BasicRecognizer,
  EmbedOptions,
  Face,
  IdentifyOptions,
  LocatedFace,
  ModelName,
  Picture,
  RecognizeOptions,
  VerifyOptions,
} from "./types.js";
import { similarity } from "./verify/similarity.js";

const TOP = 5;

export interface RecognizerParts<Source> {
  model: OnnxModel;
  name: ModelName;
  card: ModelCard;
  detector: Detector | null;
  settings: Settings;
  readImage(source: Source, maxPixels: number): Promise<Picture>;
  /** How messages call a source. */
  sourceName(source: Source): string;
}

export function createRecognizer<Source>(parts: RecognizerParts<Source>): BasicRecognizer<Source> {
  const { model, detector, settings } = parts;
  const { imageSize, dimension } = model;
  type Image = Source | Picture;
  let threshold = settings.threshold;

  // A network is released when nothing uses it any more.
  const running = new Set<Promise<unknown>>();
  let closing: Promise<void> | null = null;
  function use<Result>(work: () => Promise<Result>): Promise<Result> {
    if (closing !== null) return Promise.reject(new TopofrError("E_USAGE", "the recognizer is closed"));
    const result = work();
    running.add(result);
    const done = () => running.delete(result);
    result.then(done, done);
    return result;
  }

  const read = async (image: Image): Promise<Picture> =>
    isPicture(image) ? checkPicture(image) : parts.readImage(image, settings.maxPixels);
  const nameOf = (image: Image): string =>
    isPicture(image) ? `picture of ${image.width}x${image.height}` : parts.sourceName(image);

  function align(picture: Picture, face: Pick<Face, "landmarks">): AlignedFace {
    const { pixels, width, height } = picture;
    return { pixels: alignFace(pixels, width, height, face.landmarks, imageSize), size: imageSize };
  }

  async function embed(faces: readonly AlignedFace[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    const { flip = settings.flip, batchSize } = options;
    return embedFaces(model, faces, { flip, ...(batchSize !== undefined && { batchSize }) });
  }

  /** Every face of the image, or with a choice the one. */
  async function locate(image: Image, choice: RecognizeOptions["choice"] | null): Promise<LocatedFace[]> {
    const picture = await read(image);
    if (detector === null) return [alignedAlready(picture, nameOf(image))];
    const found = await detector.detect(picture, settings.minScore);
    const faces = choice ? [chooseFace(found, choice, picture, nameOf(image), settings.minScore)] : found;
    return faces.map((face) => ({ ...face, aligned: align(picture, face), of: found.length }));
  }

  function alignedAlready({ width, height, pixels }: Picture, name: string): LocatedFace {
    if (width !== imageSize || height !== imageSize)
      throw new TopofrError(
        "E_DATA",
        `${name}: ${width}x${height} pixels; without a detector pictures must be aligned faces of ${imageSize}x${imageSize}. ` +
          "Open the recognizer with a detector",
      );
    const landmarks = Float32Array.from(
      ARCFACE_TEMPLATE.flat(),
      (value) => (value * imageSize) / TEMPLATE_SIZE,
    );
    return {
      box: { x: 0, y: 0, width, height },
      landmarks,
      score: 1,
      aligned: { pixels, size: imageSize },
      of: 1,
    };
  }

  async function withEmbeddings<Located extends LocatedFace>(faces: readonly Located[]) {
    const embeddings = await embed(faces.map(({ aligned }) => aligned));
    return faces.map((face, k) => ({ ...face, embedding: embeddings[k]! }));
  }

  async function recognize(image: Image, { choice = "largest", all = false }: RecognizeOptions = {}) {
    return withEmbeddings(await locate(image, all ? null : checkChoice(choice)));
  }

  async function verify(first: Image, second: Image, options: VerifyOptions = {}) {
    const choice = checkChoice(options.choice ?? "largest");
    const limit = options.threshold === undefined ? threshold : checkThreshold(options.threshold);
    const located = await Promise.all([locate(first, choice), locate(second, choice)]);
    const [a, b] = await withEmbeddings(located.flat());
    const alike = similarity(a!.embedding, b!.embedding);
    return {
      similarity: alike,
      threshold: limit,
      same: limit === null ? null : alike >= limit,
      a: a!,
      b: b!,
    };
  }

  async function identify(
    image: Image,
    gallery: Parameters<BasicRecognizer<Source>["identify"]>[1],
    options: IdentifyOptions = {},
  ) {
    const { choice } = options;
    const top = checkCount("top", options.top ?? TOP);
    const limit = options.threshold === undefined ? threshold : checkThreshold(options.threshold);
    if (gallery.dimension !== dimension)
      throw new TopofrError(
        "E_MODEL",
        `the gallery has embeddings of ${gallery.dimension} numbers, ${parts.name.name} gives ${dimension}; ` +
          "open the model that the gallery was made with, or enrol its people again",
      );
    const faces = await recognize(image, choice === undefined ? { all: true } : { choice });
    return Promise.all(
      faces.map(async (face) => {
        const matches = await gallery.search(face.embedding, { top });
        return { ...face, matches: matches.filter((match) => limit === null || match.similarity >= limit) };
      }),
    );
  }

  return {
    dimension,
    imageSize,
    model: parts.name,
    card: parts.card,
    hasDetector: detector !== null,
    get threshold() {
      return threshold;
    },
    set threshold(value) {
      threshold = checkThreshold(value);
    },
    read: (source) => use(() => read(source)),
    detect: (image) =>
      use(async () => {
        if (detector === null)
          throw new TopofrError("E_USAGE", "detect: the recognizer was opened without a detector");
        return detector.detect(await read(image), settings.minScore);
      }),
    align: (picture, face) => align(checkPicture(picture), face),
    embed: (faces, options) => use(() => embed(faces, options)),
    locate: (image, { choice = "largest", all = false } = {}) =>
      use(async () => locate(image, all ? null : checkChoice(choice))),
    recognize: (image, options) => use(() => recognize(image, options)),
    verify: (first, second, options) => use(() => verify(first, second, options)),
    identify: (image, gallery, options) => use(() => identify(image, gallery, options)),
    close() {
      closing ??= Promise.allSettled(running).then(async () => {
        await Promise.all([model.close(), detector?.close()]);
      });
      return closing;
    },
  };
}
