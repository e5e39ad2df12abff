// Which of several faces is meant.
import { TopofrError } from "@topofr/formats/error";
import type { Choice, Face, Picture } from "../types.js";

/**
 * @param faces best score first
 * @param name of the picture, for messages
 * @throws E_DATA when there is none, or several and `choice` is "only"
 */
export function chooseFace(
  faces: readonly Face[],
  choice: Choice,
  picture: Picture,
  name: string,
  minScore: number,
): Face {
  const [best, ...others] = faces;
  if (best === undefined)
    throw new TopofrError(
      "E_DATA",
      `${name}: no face found (${picture.width}x${picture.height} pixels, scores from ${minScore}); take a picture in which the ` +
        "face is upright and larger, or lower minScore",
    );
  switch (choice) {
    case "best":
      return best;
    case "largest":
      return lowest(faces, ({ box }) => -box.width * box.height);
    case "center":
      return lowest(faces, ({ box }) =>
        Math.hypot(box.x + (box.width - picture.width) / 2, box.y + (box.height - picture.height) / 2),
      );
    case "only":
      if (others.length === 0) return best;
      throw new TopofrError(
        "E_DATA",
        `${name}: ${faces.length} faces found where one is expected; crop the picture, or choose "largest", "best" or "center"`,
      );
  }
}

/** The first of the lowest value. */
function lowest(faces: readonly Face[], value: (face: Face) => number): Face {
  return faces.reduce((chosen, face) => (value(face) < value(chosen) ? face : chosen));
}
