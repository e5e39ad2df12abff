// Glasses and sunglasses, laid over the lit face: they are partly see-through, so they come after everything behind them.
import type { Eyewear } from "./appearance.js";
import type { Camera } from "./camera.js";
import { type GridMesh, surfacePoint } from "./headMesh.js";
import { ambientLevel } from "./lighting.js";
import type { Likeness } from "./likeness.js";
import { clamp, mix, ramp, smoothNoise } from "./numeric.js";
import { CROP_SIZE, type Fragment, gridNormals, SAMPLES, SampleBuffer } from "./raster.js";

const buffer = new SampleBuffer();

/** Draws glasses into the linear picture, hidden where `scene` is nearer. */
export function drawEyewear(
  picture: Float32Array,
  scene: SampleBuffer,
  face: Likeness,
  head: GridMesh,
  camera: Camera,
  eyewear: Eyewear,
): void {
  const front = frontMesh(face, head);
  buffer.clear();
  for (const mesh of [front, templeMesh(face, head, -1), templeMesh(face, head, 1)]) {
    const screen = new Float32Array(mesh.positions.length);
    camera.project(mesh.positions, screen);
    buffer.draw({ material: "mask", mesh, screen, normals: gridNormals(mesh, screen), doubleSided: true });
  }
  const level = ambientLevel(face.light);
  const look = lookOf(face, eyewear);
  const [lightX, lightY] = face.appearance.light.direction;
  const fragment = { a: 0, b: 0 } as Fragment;
  for (let y = 0; y < CROP_SIZE; y++) {
    for (let x = 0; x < CROP_SIZE; x++) {
      let rim = 0;
      let lens = 0;
      let shadow = 0;
      let a = 0;
      let b = 0;
      for (let k = 0; k < 4; k++) {
        const at = (2 * y + (k >> 1)) * SAMPLES + 2 * x + (k & 1);
        if (buffer.owner[at] === 0 || buffer.depth[at]! < scene.depth[at]!) continue;
        buffer.read(at, fragment);
        a = fragment.a;
        b = fragment.b;
        if (buffer.owner[at]! > 1) {
          rim += 0.25;
          continue;
        }
        rim += 0.25 * look.rim(a, b);
        lens += 0.25 * look.lens(a, b);
        shadow += 0.25 * look.rim(a + 1.6 * lightX, b + 1.6 * lightY - 0.6);
      }
      if (rim + lens + shadow < 0.01) continue;
      const at = (y * CROP_SIZE + x) * 3;
      const sheen = look.sheen(a, b);
      for (let k = 0; k < 3; k++) {
        let value = picture[at + k]! * (1 - 0.3 * shadow * (1 - lens * look.darkness));
        const glass = eyewear.lens[k]! * eyewear.lens[k]! * level[k]! * look.shade(b);
        value = mix(value, glass, lens * look.darkness) + lens * sheen * level[k]!;
        const frame = eyewear.frame[k]!;
        picture[at + k] = mix(
          value,
          level[k]! * (frame * frame * 0.8 + 0.03 * ramp(0.5, 1, sheen * 10)),
          clamp(rim, 0, 1),
        );
      }
    }
  }
}

/** Where rim and lenses are, in face units on the glasses' front. */
function lookOf(face: Likeness, eyewear: Eyewear) {
  const { width, height, rim, roundness } = eyewear;
  const sun = eyewear.kind === "sun";
  const centreX = Math.max(face.identity.eyes.spacing - 0.3, width + 1.6);
  const centreY = 1.6;
  const reach = Math.min(width, height);
  const edge = (x: number, y: number): number => {
    const u = (x < 0 ? -x : x) - centreX;
    const v = y - centreY;
    const p = (u / width) * (u / width);
    const q = (v / (v > 0 ? height : height * 0.92)) * (v / (v > 0 ? height : height * 0.92));
    const round = Math.sqrt(p + q);
    const square = Math.sqrt(Math.sqrt(p * p + q * q));
    return (mix(square, round, roundness) - 1) * reach; // about the distance from the lens's edge
  };
  const seed = face.appearance.hair.seed % 97;
  return {
    darkness: sun ? 0.94 : 0.05,
    rim(x: number, y: number): number {
      const off = edge(x, y);
      const hoop = ramp(rim * 0.5 + 0.45, rim * 0.5 - 0.35, off < 0 ? -off : off);
      const side = x < 0 ? -x : x;
      const bridge =
        side < centreX - width + 1.5
          ? ramp(rim * 0.5 + 0.5, rim * 0.5 - 0.3, Math.abs(y + 2.6 - 0.06 * side * side))
          : 0;
      return Math.max(hoop, bridge);
    },
    lens(x: number, y: number): number {
      return ramp(0.5, -0.5, edge(x, y));
    },
    shade(y: number): number {
      return sun ? 1 + 2.2 * ramp(-6, 12, y) : 1;
    },
    sheen(x: number, y: number): number {
      const streak = ramp(0.6, 0.9, smoothNoise((x + 0.7 * y) * 0.11 + seed, 3.5));
      return (sun ? 0.09 : 0.07) * streak * ramp(8, -8, y);
    },
  };
}

/** The plane of the lenses, bent a little round the face. */
function frontMesh(face: Likeness, head: GridMesh): GridMesh {
  const rows = 9;
  const columns = 25;
  const z = surfacePoint(head, 0, 3)[2] + 1.4;
  const positions = new Float32Array(rows * columns * 3);
  const features = new Float32Array(rows * columns * 2);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const x = -38 + (76 * column) / (columns - 1);
      const y = -14 + (32 * row) / (rows - 1);
      const vertex = row * columns + column;
      positions[vertex * 3] = x;
      positions[vertex * 3 + 1] = y - 0.02 * face.identity.eyes.tilt * x;
      positions[vertex * 3 + 2] = z - 0.0045 * x * x - 0.06 * y;
      features[vertex * 2] = x;
      features[vertex * 2 + 1] = y;
    }
  }
  return { rows, columns, positions, features };
}

/** The arm that goes back over one ear. */
function templeMesh(face: Likeness, head: GridMesh, side: -1 | 1): GridMesh {
  const { eyewear } = face.appearance;
  const z = surfacePoint(head, 0, 3)[2] + 1.4;
  const { spacing } = face.identity.eyes;
  const lensWidth = eyewear?.width ?? 13;
  const hinge = Math.max(spacing - 0.3, lensWidth + 1.6) + lensWidth - 0.5;
  const thick = Math.max(0.9, (eyewear?.rim ?? 1) * 0.8);
  const ear = face.identity.head.cheekWidth + 0.8;
  const positions = new Float32Array(2 * 6 * 3);
  for (let i = 0; i < 6; i++) {
    const t = i / 5;
    for (let row = 0; row < 2; row++) {
      const at = (row * 6 + i) * 3;
      positions[at] = side * mix(hinge, ear, Math.sqrt(t));
      positions[at + 1] = -2.5 + 1.5 * t + (row === 0 ? -thick : thick);
      positions[at + 2] = mix(z - 0.0045 * hinge * hinge, -46, t);
    }
  }
  return { rows: 2, columns: 6, positions, features: new Float32Array(2 * 6 * 2) };
}
