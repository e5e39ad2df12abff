// One line of samples.jsonl: what a drawn picture shows, in numbers that are useful when looking at errors.
import { likenessOf } from "./likeness.js";
import type { ImageDescription } from "./world.js";

export interface SampleRecord {
  file: string; // relative to the folder
  identity: string;
  difficulty: string;
  yaw: number; // degrees
  pitch: number;
  smile: number;
  mouthOpen: number;
  age: number; // years
  hair: string;
  beard: string;
  eyewear: string | null;
  mask: string | null;
  headwear: string | null;
  occluder: string | null;
  blur: number; // pixels
  exposure: number;
}

export function sampleRecord(file: string, identity: string, description: ImageDescription): SampleRecord {
  const { appearance, difficulty } = description;
  const face = likenessOf(description.identity, appearance);
  return {
    file,
    identity,
    difficulty,
    yaw: rounded(appearance.pose.yaw),
    pitch: rounded(appearance.pose.pitch),
    smile: rounded(face.smile),
    mouthOpen: rounded(appearance.expression.open),
    age: Math.round(face.age),
    hair: face.hairStyle,
    beard: face.beard,
    eyewear: appearance.eyewear?.kind ?? null,
    mask: appearance.mask?.kind ?? null,
    headwear: appearance.headwear?.kind ?? null,
    occluder: appearance.occluder?.kind ?? null,
    blur: rounded(appearance.camera.blur),
    exposure: rounded(appearance.light.exposure),
  };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
