// topofr embed: pictures to embeddings in a file.

import { TopofrError } from "@topofr/formats";
import type { RecognizedFace } from "@topofr/recognizer";
import { type EmbeddingRow, tableEnding, writeEmbeddingTable } from "@topofr/recognizer/gallery";
import type { Command } from "commander";
import { addCommand, print, printJson } from "./command.js";
import { eachPicture } from "./eachPicture.js";
import { addPictureFlag, FacePicture, type PictureFlags } from "./facePicture.js";
import { checkWritable } from "./outputFiles.js";
import { listPictures } from "./pictureList.js";
import {
  addRecognizerFlags,
  Chosen,
  faceFields,
  openForCommand,
  type RecognizerFlags,
} from "./recognizerFlags.js";
import { counted } from "./words.js";

const COLUMNS = ["name", "face", "faces", "score", "x", "y", "width", "height"];

interface EmbedFlags extends RecognizerFlags, PictureFlags {
  out: string;
  all?: boolean;
  json?: boolean;
}

export function addEmbed(program: Command): void {
  const command = addCommand(program, "embed", "Embed faces: pictures to vectors in a file.", [
    "embed photos --model model.onnx --detector yunet.onnx --out faces.npz",
    "embed 'photos/**/*.jpg' group.jpg --all --model runs/first --detector yunet.onnx --out faces.csv",
  ])
    .argument("<images...>", "pictures, folders of pictures however deep, globs")
    .requiredOption("--out <file>", ".npz (embeddings, names …), .csv or .jsonl");
  addPictureFlag(addRecognizerFlags(command))
    .option("--all", "every face of a picture (default: one)")
    .option("--json", "print what was found as JSON")
    .action(embed);
}

async function embed(args: string[], flags: EmbedFlags): Promise<void> {
  tableEnding(flags.out);
  if (flags.all && flags.choice !== undefined)
    throw new TopofrError("E_USAGE", "--all and --choice contradict each other; give one");
  await checkWritable(flags.out);
  const pictures = await listPictures(args);
  const recognizer = await openForCommand(flags);
  try {
    const drawing = await FacePicture.open(flags, recognizer);
    const rows: EmbeddingRow[] = [];
    const found: object[] = [];
    const chosen = new Chosen(flags);
    const started = performance.now();
    const failures = await eachPicture(
      pictures,
      async ({ path }) => facesOrError(path, await recognizer.recognize(path, recognizeOptions(flags))),
      async ({ path, name }, faces) => {
        if (!flags.all) chosen.add(path, faces[0]!);
        for (const [k, face] of faces.entries()) {
          const fields = faceFields(face);
          const { x, y, width, height } = fields.box;
          // Names tell rows apart: topofr evaluate finds rows by them.
          const row = k === 0 ? name : `${name}#${k + 1}`;
          const values = [row, k + 1, face.of, fields.score, x, y, width, height];
          rows.push({ values, embedding: face.embedding });
          found.push({ name: row, path, ...fields });
        }
        const labelled = faces.map((face, k) => ({
          face,
          lines: [`face ${k + 1}, score ${face.score.toFixed(2)}`],
        }));
        await drawing.add(path, name, labelled);
      },
    );
    chosen.note();
    if (rows.length === 0) throw new TopofrError("E_DATA", "no picture gave a face; nothing is written");
    const { dimension } = recognizer;
    await writeEmbeddingTable(flags.out, { dimension, columns: COLUMNS, rows });
    const summary = `${counted(rows.length, "face")} of ${counted(pictures.length - failures.length, "picture")}`;
    await drawing.writeFaces(summary);
    if (flags.json)
      return printJson({
        out: flags.out,
        model: recognizer.model,
        dimension,
        flip: flags.flip ?? false,
        faces: found,
        failures,
      });
    const perSecond = (1000 * pictures.length) / Math.max(1, performance.now() - started);
    print(`${flags.out}: ${summary}, ${dimension} numbers each, ${perSecond.toFixed(1)} pictures/s`);
  } finally {
    await recognizer.close();
  }
}

const recognizeOptions = ({ all, choice }: EmbedFlags) =>
  all ? { all } : choice === undefined ? {} : { choice };

function facesOrError(path: string, faces: RecognizedFace[]): RecognizedFace[] {
  if (faces.length > 0) return faces;
  throw new TopofrError("E_DATA", `${path}: no face found; take a larger picture, or lower --min-score`);
}
