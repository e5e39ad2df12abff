// topofr identify: who of a gallery is on the pictures.

import { TopofrError } from "@topofr/formats";
import type { IdentifiedFace, Recognizer } from "@topofr/recognizer";
import type { Gallery } from "@topofr/recognizer/gallery";
import type { Command } from "commander";
import { addCommand, note, print, printJson, wholeNumber } from "./command.js";
import { eachPicture } from "./eachPicture.js";
import { addPictureFlag, FacePicture, type PictureFlags } from "./facePicture.js";
import { addGalleryFlags, type GalleryFlags, openGalleryForCommand } from "./galleryFlags.js";
import { listPictures } from "./pictureList.js";
import { addRecognizerFlags, faceFields, openForCommand, type RecognizerFlags } from "./recognizerFlags.js";
import { addThresholdFlags, readThresholds, type ThresholdFlags } from "./thresholdFlags.js";

interface IdentifyFlags extends RecognizerFlags, ThresholdFlags, GalleryFlags, PictureFlags {
  top: number;
  json?: boolean;
}

export function addIdentify(program: Command): void {
  const command = addCommand(program, "identify", "Identify faces: who of a gallery is on the pictures.", [
    "identify party.jpg --gallery people.gallery --model model.onnx --detector yunet.onnx --threshold 0.36 --picture party.png",
    "identify photos --gallery people.gallery --model model.onnx --detector yunet.onnx --json",
  ]).argument("<images...>", "pictures, folders of pictures however deep, globs");
  addPictureFlag(addThresholdFlags(addRecognizerFlags(addGalleryFlags(command), "every face")))
    .option("--top <n>", "people that are named for a face", wholeNumber("--top", { min: 1, max: 1000 }), 3)
    .option("--json", "print what was found as JSON")
    .action(identify);
}

async function identify(args: string[], flags: IdentifyFlags): Promise<void> {
  const { threshold } = await readThresholds(flags);
  const pictures = await listPictures(args);
  const recognizer = await openForCommand(flags);
  try {
    const { dimension, model } = recognizer;
    const options = {
      dimension,
      model,
      readOnly: true,
      ...(flags.threads !== undefined && { threads: flags.threads }),
    };
    const gallery = await openGalleryForCommand(flags.gallery, flags, options);
    try {
      if (gallery.size === 0) note(`warning: ${flags.gallery}: the gallery is empty, so nobody is known`);
      await identifyAll(pictures, { recognizer, gallery, threshold, flags });
    } finally {
      await gallery.close();
    }
  } finally {
    await recognizer.close();
  }
}

interface Work {
  recognizer: Recognizer;
  gallery: Gallery;
  threshold: number | null;
  flags: IdentifyFlags;
}

async function identifyAll(
  pictures: Awaited<ReturnType<typeof listPictures>>,
  { recognizer, gallery, threshold, flags }: Work,
): Promise<void> {
  const { choice, top } = flags;
  const drawing = await FacePicture.open(flags, recognizer);
  const results: object[] = [];
  const failures = await eachPicture(
    pictures,
    async ({ path }) => {
      const options = { top, threshold, ...(choice !== undefined && { choice }) };
      const faces = await recognizer.identify(path, gallery, options);
      if (faces.length > 0) return faces;
      throw new TopofrError("E_DATA", `${path}: no face found; take a larger picture, or lower --min-score`);
    },
    async ({ path, name }, faces, clearLine) => {
      results.push({ path, faces: faces.map((face) => ({ ...faceFields(face), matches: face.matches })) });
      clearLine();
      if (!flags.json) for (const line of linesOf(path, faces)) print(line);
      await drawing.add(
        path,
        name,
        faces.map((face) => ({ face, lines: matchLines(face) })),
      );
    },
  );
  const limit =
    threshold === null
      ? "no threshold: the most alike of the gallery, whoever they are"
      : `from similarity ${threshold.toFixed(4)} on`;
  await drawing.writeFaces(`Found in ${flags.gallery}`, limit);
  if (flags.json)
    printJson({ gallery: gallery.info(), model: recognizer.model, threshold, pictures: results, failures });
}

const matchText = ({ identity, similarity }: { identity: string; similarity: number }) =>
  `${identity} ${similarity.toFixed(4)}`;

const matchLines = ({ matches }: IdentifiedFace): string[] =>
  matches.length === 0 ? ["unknown"] : matches.map(matchText);

/** "a.jpg: Ann 0.7133, Ben 0.2010", or a line for each of several faces. */
function linesOf(path: string, faces: readonly IdentifiedFace[]): string[] {
  const [first] = faces;
  if (faces.length === 1) return [`${path}: ${matchLines(first!).join(", ")}`];
  return [
    `${path}: ${faces.length} faces`,
    ...faces.map((face) => {
      const { x, y, width, height } = face.box;
      const [at, size] = [
        [x, y],
        [width, height],
      ].map((pair) => pair.map(Math.round));
      return `  at ${at!.join(",")}, ${size!.join("x")}: ${matchLines(face).join(", ")}`;
    }),
  ];
}
