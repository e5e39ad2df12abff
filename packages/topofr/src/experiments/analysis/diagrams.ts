// Persistence of a set of points (the paper's figure 1): exact where that takes minutes, else by landmarks with their bound, or as bands
// of subsamples. No files and no pictures: diagramFigures.ts, saveDiagrams.ts.
import { TopofrError } from "@topofr/formats";
import {
  type BettiBand,
  drawSample,
  type LandmarkClaim,
  type Landmarks,
  landmarkClaim,
  maxminLandmarks,
  type PersistenceDiagram,
  persistence,
  subsampleBands,
} from "@topofr/topology";
import { RandomStream } from "../../random/stream.js";
import type { PointSet } from "./pointSet.js";
import type { TopologyEngine } from "./topologyEngine.js";
import { withTopologyErrors } from "./topologyErrors.js";
import { treeDiagram } from "./treeLengths.js";

export type Degree = 0 | 1 | 2 | 3;

/** Landmarks that are taken of more points than the engine computes exactly. */
export const LANDMARKS = [Infinity, 1000, 300, 80] as const;
const CURVE_SCALES = 300;
const PILOT_SAMPLES = 3; // tell the range of scales of the bands

export interface DiagramOptions {
  maxDimension: Degree;
  /** Larger scales are not looked at. */
  threshold?: number;
  /** Take so many landmarks instead of all points. */
  landmarks?: number;
  /** Draw so many samples of `sampleSize` points. */
  subsamples?: number;
  sampleSize?: number;
  /** Compute exactly, however long it takes. */
  exact?: boolean;
  engine: TopologyEngine;
  seed: number;
  onProgress?(doing: string, done: number, total: number): void;
}

export interface DegreeResult {
  dimension: Degree;
  diagram: PersistenceDiagram;
  /** What landmarks allow to say about all points; null: the diagram is that of all points. */
  claim: LandmarkClaim | null;
}

export type DiagramResult = { count: number; seconds: number } & (
  | { method: "exact"; degrees: DegreeResult[] }
  | {
      method: "landmarks";
      landmarks: number;
      coveringRadius: number;
      chosen: boolean;
      degrees: DegreeResult[];
    }
  | { method: "subsamples"; subsamples: number; sampleSize: number; bands: BettiBand[] }
);

/**
 * Persistence of the first `count` points.
 *
 * @throws E_USAGE for options that contradict each other or the points; E_DATA for distances that are none, or too many
 */
export async function diagramsOf(
  points: PointSet,
  count: number,
  options: DiagramOptions,
): Promise<DiagramResult> {
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const { maxDimension, subsamples, exact = false, engine } = options;
  if (subsamples !== undefined) {
    const { sampleSize = Math.min(count, LANDMARKS[maxDimension]) } = options;
    const bands = bandsOf(points, count, subsamples, sampleSize, options);
    return { method: "subsamples", count, seconds: seconds(), subsamples, sampleSize, bands };
  }
  const isLarge = count > engine.exactPoints[maxDimension] && !exact;
  const wanted = options.landmarks ?? (isLarge ? LANDMARKS[maxDimension] : count);
  if (maxDimension === 0 || wanted >= count)
    return {
      method: "exact",
      count,
      degrees: await exactDegrees(points, count, options),
      seconds: seconds(),
    };

  if (points.isMetric === false) throw noBound(points, count, options);
  const chosen = withTopologyErrors(points.name, () =>
    maxminLandmarks({ size: count, distance: points.distance }, { count: wanted }),
  );
  const degrees = await landmarkDegrees(points, count, chosen, options);
  const found = { landmarks: chosen.indices.length, coveringRadius: chosen.coveringRadius };
  const isChosen = options.landmarks !== undefined;
  return { method: "landmarks", count, ...found, chosen: isChosen, degrees, seconds: seconds() };
}

async function exactDegrees(
  points: PointSet,
  count: number,
  options: DiagramOptions,
): Promise<DegreeResult[]> {
  if (options.maxDimension === 0) return [await degree0(points, count, options)];
  const all = Uint32Array.from({ length: count }, (_, index) => index);
  return ripsOf(points, all, options).map((diagram) => withoutClaim(diagram));
}

/** Degree 0 of all points, which is affordable, and the other degrees of the landmarks. */
async function landmarkDegrees(
  points: PointSet,
  count: number,
  landmarks: Landmarks,
  options: DiagramOptions,
): Promise<DegreeResult[]> {
  const higher = ripsOf(points, landmarks.indices, options).slice(1);
  return [
    await degree0(points, count, options),
    ...higher.map((diagram) => ({ ...withoutClaim(diagram), claim: landmarkClaim(diagram, landmarks) })),
  ];
}

async function degree0(points: PointSet, count: number, options: DiagramOptions): Promise<DegreeResult> {
  const { engine, threshold, onProgress } = options;
  const lengths = await engine.treeLengths(points, count, (done, total) =>
    onProgress?.(`degree 0 of ${count} points`, done, total),
  );
  return withoutClaim(treeDiagram(lengths, threshold));
}

const withoutClaim = (diagram: PersistenceDiagram): DegreeResult => ({
  dimension: diagram.dimension as Degree,
  diagram,
  claim: null,
});

function ripsOf(points: PointSet, indices: Uint32Array, options: DiagramOptions): PersistenceDiagram[] {
  const { maxDimension, threshold, engine, onProgress } = options;
  onProgress?.(`degrees 0 to ${maxDimension} of ${indices.length} points`, 0, 1);
  return withTopologyErrors(points.name, () =>
    persistence(engine.ripsInput(points, indices), {
      maxDimension,
      core: engine.core,
      ...(threshold !== undefined && { threshold }),
    }),
  );
}

function bandsOf(
  points: PointSet,
  size: number,
  samples: number,
  sampleSize: number,
  options: DiagramOptions,
): BettiBand[] {
  const { seed, onProgress } = options;
  const diagramsOf = (indices: Uint32Array) => ripsOf(points, indices, { ...options, onProgress: () => {} });
  return withTopologyErrors(points.name, () => {
    const pilot = new RandomStream(seed, "pilot subsamples");
    const seen = Array.from({ length: Math.min(PILOT_SAMPLES, samples) }, () =>
      diagramsOf(drawSample(size, Math.min(size, sampleSize), pilot)),
    );
    return subsampleBands({
      size,
      sampleSize,
      samples,
      random: new RandomStream(seed, "subsamples"),
      diagramsOf,
      scales: curveScales(eventRange(seen.flat())),
      onProgress: (done, total) => onProgress?.("subsamples", done, total),
    });
  });
}

/** Even scales from a little before the first event to a little past the last; from 0 where something is born at 0. */
export function curveScales([first, last]: readonly [number, number]): Float64Array {
  const room = (last - first) * 0.05 || 0.5;
  const [start, end] = [Math.max(0, first - room), last + room];
  return Float64Array.from(
    { length: CURVE_SCALES + 1 },
    (_, k) => start + ((end - start) * k) / CURVE_SCALES,
  );
}

/** The smallest birth and the largest finite birth or death; 0 and 0 when there are none. */
export function eventRange(diagrams: readonly PersistenceDiagram[]): [first: number, last: number] {
  let [first, last] = [Infinity, 0];
  for (const { births, deaths } of diagrams)
    deaths.forEach((death, k) => {
      first = Math.min(first, births[k]!);
      last = Math.max(last, death < Infinity ? death : births[k]!);
    });
  return first < Infinity ? [first, last] : [0, 0];
}

function noBound(
  { name, space }: PointSet,
  count: number,
  { maxDimension, engine }: DiagramOptions,
): TopofrError {
  return new TopofrError(
    "E_USAGE",
    `${name}: degree ${maxDimension} of ${count} points (${space}) would need landmarks, whose bound rests on the triangle ` +
      `inequality, which these distances do not keep; take --subsamples, at most ${engine.exactPoints[maxDimension]} points, ` +
      "--exact, or (for cosine) the Euclidean distance of points scaled to length 1, which orders pairs the same way",
  );
}
