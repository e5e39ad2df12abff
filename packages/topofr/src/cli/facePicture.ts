// --picture: what a command has found, as one picture. Pixels become JPEG here; the drawing: plots/faceFigure.ts.
import { extname } from "node:path";
import { writeFileAtomic } from "@topofr/formats";
import type { AlignedFace, Picture, RecognizedFace, Recognizer } from "@topofr/recognizer";
import type { Command } from "commander";
import type { DrawnPicture } from "../plots/faceFigure.js";
import { note } from "./command.js";
import { checkWritable, pictureFile } from "./outputFiles.js";

const MOST_PICTURES = 24;

/** A face and what is to be written beside it. */
export interface LabelledFace {
  face: RecognizedFace;
  lines: readonly string[];
}

export interface PictureFlags {
  picture?: string;
}

export function addPictureFlag(command: Command): Command {
  return command.option(
    "--picture <file>",
    "draw what was found: boxes, landmarks, aligned faces (.png or .svg)",
    pictureFile("--picture"),
  );
}

/** Gathers what is drawn at the end. Nothing is kept without the flag. */
export class FacePicture {
  readonly #path: string | null;
  readonly #recognizer: Recognizer;
  readonly #pictures: DrawnPicture[] = [];
  #left = 0;

  private constructor(path: string | null, recognizer: Recognizer) {
    this.#path = path;
    this.#recognizer = recognizer;
  }

  /** @throws E_FILE when the file could not be written */
  static async open({ picture }: PictureFlags, recognizer: Recognizer): Promise<FacePicture> {
    if (picture !== undefined) await checkWritable(picture);
    return new FacePicture(picture ?? null, recognizer);
  }

  async add(path: string, name: string, faces: readonly LabelledFace[]): Promise<void> {
    if (this.#path === null) return;
    if (this.#pictures.length >= MOST_PICTURES) {
      this.#left++;
      return;
    }
    const picture = await this.#recognizer.read(path);
    this.#pictures.push({
      name,
      width: picture.width,
      height: picture.height,
      image: await jpeg(picture),
      faces: await Promise.all(
        faces.map(async ({ face, lines }) => ({
          box: face.box,
          landmarks: face.landmarks,
          aligned: await jpeg(squareOf(face.aligned)),
          lines,
        })),
      ),
    });
  }

  /** Draws a row for each picture. */
  async writeFaces(title: string, subtitle?: string): Promise<void> {
    const notes = this.#left > 0 ? [`${this.#left} more pictures are not drawn`] : [];
    await this.#write(({ facesFigure }) =>
      facesFigure(this.#pictures, { title, notes, ...(subtitle !== undefined && { subtitle }) }),
    );
  }

  /** Draws the two pictures that were added, side by side. */
  async writeComparison(title: string, subtitle: string): Promise<void> {
    const [a, b] = this.#pictures;
    await this.#write(({ comparisonFigure }) => comparisonFigure([a!, b!], { title, subtitle }));
  }

  async #write(draw: (figures: FaceFigures) => string): Promise<void> {
    if (this.#path === null || this.#pictures.length === 0) return;
    const svg = draw(await faceFigures());
    const isPng = extname(this.#path).toLowerCase() === ".png";
    const bytes = isPng ? (await import("../plots/rasterize.js")).rasterize(svg) : Buffer.from(svg);
    await writeFileAtomic(this.#path, [bytes]);
    note(`drawn as ${this.#path}`);
  }
}

type FaceFigures = typeof import("../plots/faceFigure.js");

/** Loaded when something is drawn: commands that draw nothing start sooner without the plot library. */
const faceFigures = (): Promise<FaceFigures> => import("../plots/faceFigure.js");

const squareOf = ({ pixels, size }: AlignedFace): Picture => ({ pixels, width: size, height: size });

/** A data: URI, of a smaller picture where this one is larger than is seen. */
async function jpeg({ pixels, width, height }: Picture): Promise<string> {
  const { default: sharp } = await import("sharp");
  const { SHOWN_SIDE } = await faceFigures();
  const bytes = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .resize(SHOWN_SIDE, SHOWN_SIDE, { fit: "inside", withoutEnlargement: true })
    .jpeg({ quality: 88 })
    .toBuffer();
  return `data:image/jpeg;base64,${bytes.toString("base64")}`;
}
