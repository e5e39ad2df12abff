// Pose, perspective and alignment: from face units to pixels of the 112x112 crop. As with photographs, five points of
// the posed face are found and a similarity carries them onto the ArcFace template.
import { type Point, similarityTransform } from "@topofr/recognizer/align";
import { type GridMesh, surfacePoint } from "./headMesh.js";
import type { Likeness } from "./likeness.js";
import { cosine, radians, sine } from "./numeric.js";

/** x' = a x - b y + tx, y' = b x + a y + ty: rotation, scale and shift. */
interface Similarity {
  a: number;
  b: number;
  tx: number;
  ty: number;
}

/** Carries points of the head to the crop. */
export interface Camera {
  /** Writes [pixel x, pixel y, depth] of each vertex; depth in pixels, larger is nearer. */
  project(positions: Float32Array, screen: Float32Array): void;
  projectPoint(point: readonly [number, number, number]): [number, number, number];
}

/** The neck's top, about which a head turns. */
const PIVOT_Y = 22;
const PIVOT_Z = -46;

/** The five template points of this face, in face units on its surface. */
export function landmarkPoints(face: Likeness, head: GridMesh): [number, number, number][] {
  const { eyes, nose } = face.identity;
  const { mouth } = face;
  const corner = mouth.y - mouth.cornerLift * 0.8;
  return [
    surfacePoint(head, -eyes.spacing, 0),
    surfacePoint(head, eyes.spacing, 0),
    surfacePoint(head, nose.shift, nose.tipY),
    surfacePoint(head, -mouth.width + 1, corner + mouth.slant * mouth.width),
    surfacePoint(head, mouth.width - 1, corner - mouth.slant * mouth.width),
  ];
}

/** The camera of one picture: posed, aligned by the five points of `head`, with the picture's alignment error. */
export function aimCamera(face: Likeness, head: GridMesh): Camera {
  const { pose, misalignment } = face.appearance;
  const yaw = radians(pose.yaw);
  const pitch = radians(pose.pitch);
  const [sinYaw, cosYaw] = [sine(yaw), cosine(yaw)];
  const [sinPitch, cosPitch] = [sine(pitch), cosine(pitch)];
  const { distance } = pose;

  const pose3 = (x: number, y: number, z: number, out: Float64Array): void => {
    const dy = y - PIVOT_Y;
    const dz = z - PIVOT_Z;
    const turnedX = x * cosYaw + dz * sinYaw;
    const turnedZ = dz * cosYaw - x * sinYaw;
    const raisedY = dy * cosPitch - turnedZ * sinPitch;
    const raisedZ = dy * sinPitch + turnedZ * cosPitch + PIVOT_Z;
    const nearness = distance / (distance - raisedZ);
    out[0] = turnedX * nearness;
    out[1] = raisedY * nearness;
    out[2] = raisedZ;
  };

  const scratch = new Float64Array(3);
  const found = landmarkPoints(face, head).map(([x, y, z]): Point => {
    pose3(x, y, z, scratch);
    return [scratch[0]!, scratch[1]!];
  });
  const [a, , tx, b, , ty] = similarityTransform(found);
  const align = misaligned({ a, b, tx, ty }, pose.roll, misalignment);
  const scale = Math.sqrt(align.a * align.a + align.b * align.b);

  return {
    project(positions, screen) {
      for (let at = 0; at < positions.length; at += 3) {
        pose3(positions[at]!, positions[at + 1]!, positions[at + 2]!, scratch);
        const x = scratch[0]!;
        const y = scratch[1]!;
        screen[at] = align.a * x - align.b * y + align.tx;
        screen[at + 1] = align.b * x + align.a * y + align.ty;
        screen[at + 2] = scratch[2]! * scale;
      }
    },
    projectPoint([x, y, z]) {
      pose3(x, y, z, scratch);
      const [px, py, pz] = [scratch[0]!, scratch[1]!, scratch[2]!];
      return [align.a * px - align.b * py + align.tx, align.b * px + align.a * py + align.ty, pz * scale];
    },
  };
}

/** The alignment with the errors of a real detector: turned by `roll` degrees and scaled about the crop's middle, shifted. */
function misaligned(
  align: Similarity,
  roll: number,
  error: { dx: number; dy: number; scale: number },
): Similarity {
  const angle = radians(roll);
  const c = cosine(angle) * error.scale;
  const s = sine(angle) * error.scale;
  const middle = 56;
  const tx = align.tx - middle;
  const ty = align.ty - middle;
  return {
    a: c * align.a - s * align.b,
    b: s * align.a + c * align.b,
    tx: c * tx - s * ty + middle + error.dx,
    ty: s * tx + c * ty + middle + error.dy,
  };
}
