// A whole world of drawn people, described by a few numbers. Nothing is stored: person i and picture j of a world are
// functions of (seed, i, j), whatever else is drawn, so work can be split over threads and a world can be extended.
import { TopofrError } from "@topofr/formats";
import { RandomStream } from "../../random/stream.js";
import { type Appearance, type Difficulty, drawAppearance, HARD_DIFFICULTIES } from "./appearance.js";
import { drawIdentity, type FaceIdentity } from "./identity.js";
import { renderFace } from "./render.js";

export const DEFAULT_HARD_SHARE = 0.15;

export interface SyntheticWorldOptions {
  /** Another seed, other people. */
  seed: number;
  identities: number;
  imagesPerIdentity: number;
  /** Share of deliberately hard pictures, 0..1. */
  hardShare?: number;
  /** Number of the first person, from 0: two worlds of one seed with disjoint ranges share nobody. */
  firstIdentity?: number;
}

export interface ImageDescription {
  identity: FaceIdentity;
  appearance: Appearance;
  difficulty: Difficulty;
}

/**
 * Who and what picture `imageIndex` (from 0) of person `identityIndex` (from 0, counted from `firstIdentity`) shows.
 *
 * @throws E_USAGE when an option is out of range
 */
export function describeImage(
  options: SyntheticWorldOptions,
  identityIndex: number,
  imageIndex: number,
): ImageDescription {
  const { seed, hardShare, firstIdentity } = checkWorld(options);
  const person = firstIdentity + identityIndex;
  const identity = drawIdentity(new RandomStream(seed, `face/${person}`));
  const stream = new RandomStream(seed, `face/${person}/${imageIndex}`);
  const difficulty = stream.bernoulli(hardShare)
    ? HARD_DIFFICULTIES[stream.integer(HARD_DIFFICULTIES.length)]!
    : "easy";
  return { identity, appearance: drawAppearance(stream, difficulty), difficulty };
}

/** Draws that picture: RGB bytes, [112, 112, 3]. */
export function renderImage(
  options: SyntheticWorldOptions,
  identityIndex: number,
  imageIndex: number,
): Uint8Array {
  const { identity, appearance } = describeImage(options, identityIndex, imageIndex);
  return renderFace(identity, appearance);
}

/** The options with defaults filled in. Throws E_USAGE when one is out of range. */
export function checkWorld(options: SyntheticWorldOptions): Required<SyntheticWorldOptions> {
  const { seed, identities, imagesPerIdentity, hardShare = DEFAULT_HARD_SHARE, firstIdentity = 0 } = options;
  const whole = (name: string, value: number, low: number): void => {
    if (!Number.isSafeInteger(value) || value < low) {
      throw new TopofrError(
        "E_USAGE",
        `synthetic faces: ${name} must be a whole number of at least ${low}, found ${value}`,
      );
    }
  };
  whole("seed", seed, Number.MIN_SAFE_INTEGER);
  whole("identities", identities, 1);
  whole("imagesPerIdentity", imagesPerIdentity, 1);
  whole("firstIdentity", firstIdentity, 0);
  if (!(hardShare >= 0 && hardShare <= 1)) {
    throw new TopofrError("E_USAGE", `synthetic faces: hardShare must be within 0..1, found ${hardShare}`);
  }
  return { seed, identities, imagesPerIdentity, hardShare, firstIdentity };
}
