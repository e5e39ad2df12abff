// `topofr analyze diagrams` from its question to its files: which points, their persistence at each size, pictures, diagrams, summary.
import { TopofrError } from "@topofr/formats";
import type { ResizePolicy } from "../../data/decodeImage.js";
import type { Embedder } from "../../evaluate/embedder.js";
import { type DegreeSummary, diagramFigures, notesOf, summarise } from "./diagramFigures.js";
import { type DiagramOptions, type DiagramResult, diagramsOf } from "./diagrams.js";
import { embeddingSet, pixelSet } from "./imagePoints.js";
import { openImageSet } from "./imageSet.js";
import { isPointFile, type PointFormat, readPointFile } from "./pointFile.js";
import type { PointSet } from "./pointSet.js";
import {
  type DiagramFormat,
  makeFolder,
  type PictureFormat,
  saveDiagrams,
  saveJson,
  savePicture,
} from "./saveFiles.js";
import { openTopologyEngine } from "./topologyEngine.js";

export interface DiagramRequest extends Omit<DiagramOptions, "engine"> {
  /** A data set or benchmark of images, or a file of points. */
  data: string;
  /** Sizes of the samples; null: all points of a file, 1000 images or as many as there are. */
  counts: readonly number[] | null;
  metric: "euclidean" | "cosine";
  /** Of a file of points. */
  format: PointFormat | null;
  /** Null: pixels. */
  embedder: Embedder | null;
  /** Embeddings as the network gives them. */
  raw: boolean;
  resize: ResizePolicy;
  batchSize: number;
  out: string;
  pictures: readonly PictureFormat[];
  save: readonly DiagramFormat[];
}

export interface DiagramReport {
  data: string;
  /** What the points are and how far apart they are measured. */
  space: string;
  /** What computed: "native" or "portable". */
  engine: string;
  summary: DegreeSummary[];
  sizes: { count: number; method: DiagramResult["method"]; seconds: number; notes: string[] }[];
  files: string[];
  warnings: readonly string[];
}

const DEFAULT_IMAGES = 1000;

/** @throws as `diagramsOf`, `openImageSet`, `readPointFile`; E_USAGE for options that do not fit the data */
export async function analyseDiagrams(request: DiagramRequest): Promise<DiagramReport> {
  const { data, out } = request;
  const { points, counts, warnings } = isPointFile(data)
    ? await filePoints(request)
    : await imagePoints(request);
  await makeFolder(out);
  const engine = await openTopologyEngine();
  const results: DiagramResult[] = [];
  for (const count of counts) results.push(await diagramsOf(points, count, { ...request, engine }));

  const files: string[] = [];
  for (const figure of diagramFigures(points, results))
    files.push(...(await savePicture(out, figure, request.pictures)));
  for (const result of results) {
    if (result.method === "subsamples") continue;
    const diagrams = result.degrees.map(({ diagram }) => diagram);
    files.push(
      ...(await saveDiagrams(out, `diagrams-${points.name}-${result.count}`, diagrams, request.save)),
    );
  }
  const report: DiagramReport = {
    data,
    space: points.space,
    engine: engine.name,
    summary: summarise(results),
    sizes: results.map((result) => ({
      count: result.count,
      method: result.method,
      seconds: result.seconds,
      notes: notesOf(result),
      ...(result.method === "subsamples" && { bands: result.bands.map(plainBand) }),
    })),
    files,
    warnings,
  };
  files.push(await saveJson(out, `diagrams-${points.name}`, report));
  return report;
}

interface Points {
  points: PointSet;
  counts: readonly number[];
  warnings: readonly string[];
}

async function filePoints({ data, counts, metric, format, embedder }: DiagramRequest): Promise<Points> {
  if (embedder !== null)
    throw new TopofrError("E_USAGE", `--model: ${data} holds points already; a model needs images`);
  const points = await readPointFile(data, { metric, ...(format !== null && { format }) });
  const sizes = counts ?? [points.count];
  const tooMany = sizes.find((count) => count > points.count);
  if (tooMany !== undefined)
    throw new TopofrError("E_DATA", `${data}: holds ${points.count} points, --count asks for ${tooMany}`);
  return { points, counts: sizes, warnings: [] };
}

async function imagePoints(request: DiagramRequest): Promise<Points> {
  const { data, format, embedder, onProgress } = request;
  if (format !== null)
    throw new TopofrError("E_USAGE", `--input: is for files of points; ${data} is read as images`);
  const set = await openImageSet(data);
  const counts = request.counts ?? [Math.min(DEFAULT_IMAGES, set.count)];
  const options = {
    ...request,
    count: Math.max(...counts),
    onProgress: (done: number, total: number) =>
      onProgress?.(embedder === null ? "reading images" : "embedding images", done, total),
  };
  const points =
    embedder === null ? await pixelSet(set, options) : await embeddingSet(set, embedder, options);
  return { points, counts, warnings: set.warnings };
}

/** Typed arrays as JSON has them. */
function plainBand({ dimension, scales, mean, spread, confidence }: DiagramBand) {
  const plain = ({ low, high }: { low: Float64Array; high: Float64Array }) => ({
    low: [...low],
    high: [...high],
  });
  return {
    dimension,
    scales: [...scales],
    mean: [...mean],
    spread: plain(spread),
    confidence: plain(confidence),
  };
}

type DiagramBand = Extract<DiagramResult, { method: "subsamples" }>["bands"][number];
