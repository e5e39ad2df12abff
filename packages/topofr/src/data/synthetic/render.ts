// One picture of one person: builds the surfaces, finds what each pixel sees, paints it, lights it, and develops the
// photograph. The order of the steps is the order of this file.
import type { Appearance } from "./appearance.js";
import { type Background, backgroundOf } from "./background.js";
import {
  beardShell,
  clothesMesh,
  clothPainter,
  earMesh,
  earPainter,
  maskMesh,
  maskPainter,
  peakMesh,
} from "./body.js";
import { aimCamera, type Camera, landmarkPoints } from "./camera.js";
import { develop } from "./degrade.js";
import { drawEyewear } from "./eyewear.js";
import { hairPainter, hairShell, hatShell } from "./hair.js";
import { buildHead, type GridMesh } from "./headMesh.js";
import type { FaceIdentity } from "./identity.js";
import { hairShaderOf, LightMap, type Shader, shaderOf } from "./lighting.js";
import { type Likeness, likenessOf } from "./likeness.js";
import { clamp } from "./numeric.js";
import { drawOccluder } from "./occluder.js";
import { Paint, type Painter } from "./paint.js";
import {
  CROP_SIZE,
  type Fragment,
  gridNormals,
  type MaterialName,
  SAMPLES,
  SampleBuffer,
  type Surface,
} from "./raster.js";
import { facePainter } from "./skin.js";

// Work space, used again for every picture of this thread.
const buffer = new SampleBuffer();
const lightMap = new LightMap();
const picture = new Float32Array(CROP_SIZE * CROP_SIZE * 3);
const colour = new Float64Array(3);
const paint = new Paint();
const seen = new Float64Array(12); // colours of one pixel's four samples

/** Within one pixel, samples of one surface further apart in depth than this (pixels) are coloured one by one. */
const SMOOTH_DEPTH = 4;

/** How the spots of each material get their colour and answer to light. */
type Materials = Record<MaterialName, { painter: Painter; shader: Shader }>;

/** Draws a person under the given circumstances. Returns RGB bytes, [112, 112, 3]. The same arguments give the same bytes. */
export function renderFace(identity: FaceIdentity, appearance: Appearance): Uint8Array {
  const face = likenessOf(identity, appearance);
  const head = buildHead(face);
  const camera = aimCamera(face, head);
  buffer.clear();
  drawSurfaces(face, head, camera);
  lightMap.build(buffer, appearance.light.direction);
  colourPixels(materialsOf(face), backgroundOf(appearance));
  if (appearance.eyewear !== null) drawEyewear(picture, buffer, face, head, camera, appearance.eyewear);
  if (appearance.occluder !== null) drawOccluder(picture, appearance.occluder, face);
  return develop(picture, appearance.camera);
}

/**
 * Where the five points of the ArcFace template lie in the picture that `renderFace` draws, in pixels: eye on the
 * picture's left, eye on its right, nose tip, mouth corner left, mouth corner right.
 */
export function landmarks(identity: FaceIdentity, appearance: Appearance): [x: number, y: number][] {
  const face = likenessOf(identity, appearance);
  const head = buildHead(face);
  const camera = aimCamera(face, head);
  return landmarkPoints(face, head).map((point) => {
    const [x, y] = camera.projectPoint(point);
    return [x, y];
  });
}

function drawSurfaces(face: Likeness, head: GridMesh, camera: Camera): void {
  const draw = (
    material: MaterialName,
    mesh: GridMesh,
    keep?: Surface["keep"],
    doubleSided = false,
  ): void => {
    const screen = new Float32Array(mesh.positions.length);
    camera.project(mesh.positions, screen);
    const normals = gridNormals(mesh, screen);
    buffer.draw({ material, mesh, screen, normals, doubleSided, ...(keep === undefined ? {} : { keep }) });
  };
  const { headwear, mask } = face.appearance;
  draw("skin", head);
  draw("ear", earMesh(face, -1), undefined, true);
  draw("ear", earMesh(face, 1), undefined, true);
  draw("cloth", clothesMesh(face));
  if (mask === null && (face.beard === "full" || face.beard === "goatee")) {
    const beard = beardShell(face, head);
    draw("beard", beard.mesh, beard.keep);
  }
  const hair = hairShell(face);
  if (hair !== null) draw("hair", hair.mesh, hair.keep, hair.open);
  if (headwear !== null) {
    const hat = hatShell(face, headwear);
    draw("hat", hat.mesh, hat.keep, hat.open);
    if (headwear.kind === "cap") draw("hat", peakMesh(face, headwear), undefined, true);
  }
  if (mask !== null) {
    const cover = maskMesh(face, head, mask);
    draw("mask", cover.mesh, cover.keep);
  }
}

function materialsOf(face: Likeness): Materials {
  const { light } = face;
  const { clothes, headwear, mask, hair } = face.appearance;
  const shader = shaderOf(light, lightMap);
  const hairShader = hairShaderOf(light, lightMap, face.identity.hair.curl);
  const strands = hairPainter(face);
  const cloth = clothPainter(clothes.colour, clothes.accent, hair.seed % 3 === 0 ? 0.6 : 0, false);
  return {
    skin: { painter: facePainter(face), shader },
    ear: { painter: earPainter(face), shader },
    hair: { painter: strands, shader: hairShader },
    beard: { painter: strands, shader: hairShader },
    cloth: { painter: cloth, shader },
    hat: {
      painter:
        headwear === null
          ? cloth
          : clothPainter(headwear.colour, headwear.accent, headwear.pattern, headwear.kind === "beanie"),
      shader,
    },
    mask: { painter: mask === null ? cloth : maskPainter(face, mask), shader },
  };
}

/** Colours every pixel: once where its four samples see one smooth surface, else sample by sample. */
function colourPixels(materials: Materials, background: Background): void {
  const fragment = { a: 0, b: 0, depth: 0, nx: 0, ny: 0, nz: 1, pixelX: 0, pixelY: 0 } as Fragment;
  const { owner } = buffer;
  const colourSample = (at: number): void => {
    buffer.read(at, fragment);
    const { painter, shader } = materials[fragment.surface.material];
    paint.x = fragment.a;
    paint.y = fragment.b;
    painter(paint);
    shader(fragment, paint, colour);
  };
  for (let y = 0; y < CROP_SIZE; y++) {
    for (let x = 0; x < CROP_SIZE; x++) {
      const at = (y * CROP_SIZE + x) * 3;
      const first = 2 * y * SAMPLES + 2 * x;
      if (oneSurface(first)) {
        if (owner[first] === 0) background(x, y, colour);
        else colourSample(first);
        for (let k = 0; k < 3; k++) picture[at + k] = colour[k]!;
        continue;
      }
      let [red, green, blue] = [0, 0, 0];
      for (let k = 0; k < 4; k++) {
        const sample = sampleOf(first, k);
        const twin = twinOf(first, k);
        if (twin < k) {
          for (let c = 0; c < 3; c++) colour[c] = seen[twin * 3 + c]!;
        } else if (owner[sample] === 0) background(x, y, colour);
        else colourSample(sample);
        // Clip before averaging, so that a bright edge does not bleed over its neighbours.
        for (let c = 0; c < 3; c++) seen[k * 3 + c] = clamp(colour[c]!, 0, 1.5);
        red += seen[k * 3]!;
        green += seen[k * 3 + 1]!;
        blue += seen[k * 3 + 2]!;
      }
      picture[at] = red / 4;
      picture[at + 1] = green / 4;
      picture[at + 2] = blue / 4;
    }
  }
}

/** Index of sample k (0..3) of the pixel whose first sample is `first`. */
function sampleOf(first: number, k: number): number {
  return first + (k >> 1) * SAMPLES + (k & 1);
}

/** The first sample of the pixel that sees about what sample k sees; k itself if none does. */
function twinOf(first: number, k: number): number {
  const { owner, depth } = buffer;
  const own = sampleOf(first, k);
  for (let earlier = 0; earlier < k; earlier++) {
    const other = sampleOf(first, earlier);
    if (owner[other] === owner[own] && Math.abs(depth[other]! - depth[own]!) < SMOOTH_DEPTH) return earlier;
  }
  return k;
}

/** Whether the pixel whose first sample is `first` sees one surface without a step in depth. */
function oneSurface(first: number): boolean {
  const { owner } = buffer;
  const id = owner[first]!;
  if (owner[first + 1] !== id || owner[first + SAMPLES] !== id || owner[first + SAMPLES + 1] !== id)
    return false;
  return twinOf(first, 1) === 0 && twinOf(first, 2) === 0 && twinOf(first, 3) === 0;
}
