// topofr enroll: pictures of people into a gallery.

import { TopofrError } from "@topofr/formats";
import type { RecognizedFace } from "@topofr/recognizer";
import type { Gallery, GalleryEntry } from "@topofr/recognizer/gallery";
import type { Command } from "commander";
import { addCommand, print, printJson } from "./command.js";
import { eachPicture } from "./eachPicture.js";
import { addPictureFlag, FacePicture, type PictureFlags } from "./facePicture.js";
import { addGalleryFlags, type GalleryFlags, openGalleryForCommand } from "./galleryFlags.js";
import { noteSome } from "./openedData.js";
import { type ListedPicture, listPictures } from "./pictureList.js";
import { addRecognizerFlags, Chosen, openForCommand, type RecognizerFlags } from "./recognizerFlags.js";
import { counted, people } from "./words.js";

/** Faces that are written together: one flush of the disk. */
const BATCH = 64;
/** From this cosine on, two embeddings are of one picture. */
const SAME_PICTURE = 0.99999;

interface EnrollFlags extends RecognizerFlags, GalleryFlags, PictureFlags {
  identity?: string;
  json?: boolean;
}

export function addEnroll(program: Command): void {
  const command = addCommand(program, "enroll", "Enroll people: add the faces of pictures to a gallery.", [
    "enroll people --gallery people.gallery --model model.onnx --detector yunet.onnx",
    "enroll ann1.jpg ann2.jpg --identity Ann --gallery people.gallery --model model.onnx --detector yunet.onnx",
  ]).argument(
    "<images...>",
    "people/Ann/1.jpg by folder or glob: the folder says who; any pictures with --identity",
  );
  addPictureFlag(addRecognizerFlags(addGalleryFlags(command)))
    .option("--identity <name>", "who is on all these pictures (default: the folder's name)")
    .option("--json", "print what was added as JSON")
    .action(enroll);
}

async function enroll(args: string[], flags: EnrollFlags): Promise<void> {
  const pictures = named(await listPictures(args), flags.identity);
  const recognizer = await openForCommand(flags);
  try {
    const { dimension, model } = recognizer;
    const drawing = await FacePicture.open(flags, recognizer);
    const gallery = await openGalleryForCommand(flags.gallery, flags, { dimension, model, create: true });
    try {
      const enrolled = new Enrolled(gallery);
      const { choice } = flags;
      const chosen = new Chosen(flags);
      const failures = await eachPicture(
        pictures,
        async ({ path }) => (await recognizer.recognize(path, choice === undefined ? {} : { choice }))[0]!,
        async ({ path, name, identity }, face) => {
          chosen.add(path, face);
          await enrolled.push(identity, name, face);
          await drawing.add(path, name, [{ face, lines: [identity] }]);
        },
      ).finally(() => enrolled.flush());
      chosen.note();
      const { added, known } = enrolled;
      const total = `${people(gallery.identities().length)}, ${counted(gallery.size, "template")}`;
      await drawing.writeFaces(`Enrolled in ${flags.gallery}`, total);
      if (flags.json) return printJson({ gallery: gallery.info(), added, known, failures });
      noteSome(known, "already enrolled, left out");
      const persons = new Set(added.map(({ identity }) => identity)).size;
      print(
        `${flags.gallery}: ${counted(added.length, "template")} of ${people(persons)} added; now ${total}`,
      );
    } finally {
      await gallery.close();
    }
  } finally {
    await recognizer.close();
  }
}

/** @throws E_USAGE when nothing says who is on a picture */
function named(pictures: readonly ListedPicture[], given: string | undefined) {
  return pictures.map(({ path, name, identity }) => {
    const who = given ?? identity;
    if (who !== null) return { path, name, identity: who };
    throw new TopofrError(
      "E_USAGE",
      `${path}: who is this? Give --identity, or a folder with a folder for each person: people/Ann/1.jpg`,
    );
  });
}

/** Adds faces in batches; leaves out pictures that an identity has already. */
class Enrolled {
  readonly added: { id: string; identity: string; picture: string }[] = [];
  /** Pictures left out. */
  readonly known: string[] = [];
  readonly #gallery: Gallery;
  #waiting: (GalleryEntry & { note: string })[] = [];

  constructor(gallery: Gallery) {
    this.#gallery = gallery;
  }

  async push(identity: string, picture: string, { embedding }: RecognizedFace): Promise<void> {
    this.#waiting.push({ identity, embedding, note: picture });
    if (this.#waiting.length >= BATCH) await this.flush();
  }

  async flush(): Promise<void> {
    const entries = this.#waiting;
    this.#waiting = [];
    const best = await this.#gallery.searchMany(
      entries.map(({ embedding }) => embedding),
      { top: 1 },
    );
    const isKnown = ({ identity }: GalleryEntry, k: number): boolean => {
      const [match] = best[k]!;
      return match?.identity === identity.normalize("NFC") && match.similarity >= SAME_PICTURE;
    };
    const fresh = entries.filter((entry, k) => !isKnown(entry, k));
    this.known.push(...entries.filter(isKnown).map(({ note }) => note));
    const ids = await this.#gallery.add(fresh);
    for (const [k, { identity, note }] of fresh.entries())
      this.added.push({ id: ids[k]!, identity, picture: note });
  }
}
