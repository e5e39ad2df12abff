// topofr analyze as a user has it: a run of two steps on small pictures, files of points, and what is refused. What the numbers should
// be is known where the shape is: a square, a circle, a line.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readNpz, writeNpy, writeNpz } from "@topofr/formats";
import { decodeDiphaDiagrams, diagramsFromNpz, parseCsvDiagrams, persistence } from "@topofr/topology";
import { liveTensors } from "@topofr/torch";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { diagramsOf } from "../experiments/analysis/diagrams.js";
import { drawBatches } from "../experiments/analysis/discrepancy.js";
import { mixtureDensities } from "../experiments/analysis/entropy.js";
import { gramDistances } from "../experiments/analysis/gramDistances.js";
import { assertFits } from "../experiments/analysis/imagePoints.js";
import { pointsAsSet } from "../experiments/analysis/pointSet.js";
import { PORTABLE_ENGINE } from "../experiments/analysis/topologyEngine.js";
import { treeDiagram, treeLengths } from "../experiments/analysis/treeLengths.js";
import { settledLiveTensors } from "../method/method.test.support.js";
import { halvesOnnx } from "../models/onnx.test.support.js";
import { RandomStream } from "../random/stream.js";
import type { RunFolder } from "../runs/runFolder.js";
import {
  newRun,
  temporaryFolder,
  tinyRecipe,
  train,
  writePairs,
  writePictures,
} from "../train/train.test.support.js";
import { runProgram } from "./command.js";
import { topofrProgram } from "./program.js";

const folder = temporaryFolder();
const inFolder = (...parts: string[]) => join(folder.path, ...parts);
const faces = inFolder("faces");
const unseen = inFolder("unseen");
let run: RunFolder;

beforeAll(async () => {
  await writePictures(faces, { identities: 2, images: 4 });
  await writePictures(unseen, { identities: 2, images: 3 });
  writePairs(unseen);
  const recipe = tinyRecipe(faces, {
    maxSteps: 2,
    "checkpoint.everySteps": 1,
    "checkpoint.keep": 5,
    "evaluate.data": unseen,
    "objective.preset": "spherical",
  });
  run = await newRun(folder.path, "tiny", recipe);
  await train(recipe, run);
  writeFileSync(inFolder("net.onnx"), halvesOnnx());
});
afterAll(folder.remove);

async function topofr(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const text = { out: "", err: "" };
  const capture = (key: "out" | "err") => (chunk: string | Uint8Array) => {
    text[key] += String(chunk);
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation(capture("out")),
    vi.spyOn(process.stderr, "write").mockImplementation(capture("err")),
  ];
  try {
    return { status: await runProgram(topofrProgram("0.0.0"), ["analyze", ...args]), ...text };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** The JSON that a command prints, once it has succeeded. */
async function report(...args: string[]) {
  const { status, out, err } = await topofr(...args, "--json");
  expect({ status, err: err.replace(/^(?!topofr:).*\n/gm, "") }).toEqual({ status: 0, err: "" });
  return JSON.parse(out);
}

/** A circle of points with noise, [count, 2]. */
function circle(count: number, seed = 1): Float64Array {
  const stream = new RandomStream(seed, "circle");
  return Float64Array.from({ length: count }, () => 0).reduce<Float64Array>(
    (points, _, k) => {
      const angle = (2 * Math.PI * k) / count;
      points[2 * k] = Math.cos(angle) + stream.range(-0.02, 0.02);
      points[2 * k + 1] = Math.sin(angle) + stream.range(-0.02, 0.02);
      return points;
    },
    new Float64Array(2 * count),
  );
}

const asArray = (values: Float64Array | Float32Array, shape: number[]) => ({
  dtype: values instanceof Float32Array ? ("float32" as const) : ("float64" as const),
  shape,
  data: new Uint8Array(values.buffer),
});

const isPng = (path: string) => readFileSync(path).subarray(1, 4).toString() === "PNG";

describe("diagrams", () => {
  test("a square in text: three edges of length 1, a loop from 1 to sqrt 2, in every format that is asked for", async () => {
    writeFileSync(inFolder("square.csv"), "0,0\n1,0\n1,1\n0,1\n");
    const out = inFolder("square");
    const found = await report("diagrams", inFolder("square.csv"), "--out", out, "--save", "npz,csv,dipha");
    expect(found.summary).toMatchObject([
      { count: 4, dimension: 0, method: "exact", bars: 3, essential: 1, lengths: { max: 1 }, bound: null },
      { count: 4, dimension: 1, method: "exact", bars: 1, essential: 0 },
    ]);
    const csv = parseCsvDiagrams(readFileSync(join(out, "diagrams-square-4.csv"), "utf8"));
    expect([...csv[1]!.births, ...csv[1]!.deaths]).toEqual([1, Math.fround(Math.SQRT2)]);
    const npz = diagramsFromNpz(await readNpz(join(out, "diagrams-square-4.npz")));
    const dipha = decodeDiphaDiagrams(readFileSync(join(out, "diagrams-square-4.dipha")));
    for (const read of [npz, dipha])
      expect(read.map(({ births, deaths }) => [births, deaths])).toEqual(
        csv.map(({ births, deaths }) => [births, deaths]),
      );
    for (const name of ["diagram-square-4", "barcode-square-4", "betti-0-square", "betti-1-square"]) {
      expect(readFileSync(join(out, `${name}.svg`), "utf8")).toContain("<svg");
      expect(isPng(join(out, `${name}.png`)), name).toBe(true);
    }
    expect(JSON.parse(readFileSync(join(out, "diagrams-square.json"), "utf8"))).toMatchObject({
      engine: found.engine,
    });
  });

  test("distances in Ripser's formats and arrays give the same diagram as the points", async () => {
    const root2 = Math.SQRT2;
    writeFileSync(inFolder("lower.txt"), `1\n${root2} 1\n1 ${root2} 1\n`);
    writeFileSync(inFolder("sparse.txt"), `0 1 1\n1 2 1\n2 3 1\n0 3 1\n0 2 ${root2}\n1 3 ${root2}\n`);
    await writeNpy(
      inFolder("matrix.npy"),
      asArray(Float64Array.of(0, 1, root2, 1, 1, 0, 1, root2, root2, 1, 0, 1, 1, root2, 1, 0), [4, 4]),
    );
    await writeNpz(inFolder("corners.npz"), {
      embeddings: asArray(Float32Array.of(0, 0, 1, 0, 1, 1, 0, 1), [4, 2]),
      names: { dtype: "uint8", shape: [1], data: Uint8Array.of(65) },
    });
    const cases = [
      [inFolder("lower.txt"), "--input", "lower-distance"],
      [inFolder("sparse.txt"), "--input", "sparse"],
      [inFolder("matrix.npy"), "--input", "distance"],
      [inFolder("corners.npz")],
    ];
    for (const args of cases) {
      const { summary } = await report("diagrams", ...args, "--out", inFolder("formats"), "--format", "svg");
      expect(summary, args[0]).toMatchObject([{ bars: 3, lengths: { max: 1 } }, { bars: 1 }]);
      expect(summary[1].lengths.max).toBeCloseTo(root2 - 1, 6);
    }
    expect(readdirSync(inFolder("formats")).some((name) => name.endsWith(".png"))).toBe(false);
  });

  test("landmarks say their bound, in text and picture, and claim nothing when it reaches the longest bar", async () => {
    await writeNpy(inFolder("circle.npy"), asArray(circle(120), [120, 2]));
    const out = inFolder("landmarks");
    const many = await report("diagrams", inFolder("circle.npy"), "--landmarks", "60", "--out", out);
    expect(many.summary[0]).toMatchObject({ dimension: 0, method: "exact", bars: 119 });
    expect(many.summary[1]).toMatchObject({ method: "landmarks", informative: true });
    expect(many.summary[1].bound).toBeLessThan(0.3);
    const few = await topofr("diagrams", inFolder("circle.npy"), "--landmarks", "4", "--out", out);
    expect(few.out).toContain("landmarks, 2r = ");
    expect(few.out).toContain("so nothing is claimed about all points");
    const picture = readFileSync(join(out, "diagram-circle-120.svg"), "utf8");
    expect(picture).toContain("so nothing is claimed about");
    expect(picture).toContain("Shaded:");
  });

  test("several sizes at once; subsample bands", async () => {
    const sizes = await report(
      "diagrams",
      inFolder("circle.npy"),
      "--count",
      "80,40",
      "--out",
      inFolder("sizes"),
    );
    expect(
      sizes.summary.map(({ count, dimension }: { count: number; dimension: number }) => [count, dimension]),
    ).toEqual([
      [40, 0],
      [40, 1],
      [80, 0],
      [80, 1],
    ]);
    const bands = await report(
      ...["diagrams", inFolder("circle.npy"), "--subsamples", "6", "--sample-size", "30"],
      ...["--out", inFolder("bands")],
    );
    expect(bands.summary).toEqual([]);
    expect(bands.sizes[0]).toMatchObject({ count: 120, method: "subsamples" });
    expect(bands.sizes[0].bands.map(({ dimension }: { dimension: number }) => dimension)).toEqual([0, 1]);
    expect(bands.sizes[0].bands[0].mean[0]).toBe(30); // components of a sample at scale 0
    expect(readFileSync(inFolder("bands", "betti-0-circle.svg"), "utf8")).toContain("not the whole set");
  });

  test("pixels of images, and embeddings of a run and of an ONNX model, on length 1 unless raw", async () => {
    const pixels = await report("diagrams", faces, "--out", inFolder("pixels"), "--max-dimension", "0");
    expect(pixels.space).toBe("pixels of faces, 112x112x3 in -1..1, Euclidean distance");
    expect(pixels.summary).toMatchObject([{ count: 8, bars: 7 }]);
    const embedded = await report("diagrams", faces, "--model", run.path, "--count", "6");
    expect(embedded.space).toBe("embeddings of faces by tiny, scaled to length 1, Euclidean distance");
    expect(embedded.summary[0].lengths.max).toBeLessThanOrEqual(2);
    expect(existsSync(join(run.diagrams, "diagram-tiny-6.png"))).toBe(true);
    const raw = await report(
      ...["diagrams", faces, "--model", inFolder("net.onnx"), "--raw", "--metric", "cosine"],
      ...["--out", inFolder("onnx")],
    );
    expect(raw.space).toBe("embeddings of faces by net, as the network gives them, cosine distance 1 - cos");
  });

  test.each([
    ["a folder without images", () => [folder.path], "E_DATA", "identit"],
    [
      "more images than there are",
      () => [faces, "--count", "9"],
      "E_DATA",
      "has 8 images, 9 are asked for; give --count 8",
    ],
    [
      "more points than there are",
      () => [inFolder("square.csv"), "--count", "9"],
      "E_DATA",
      "holds 4 points",
    ],
    [
      "a model for points",
      () => [inFolder("square.csv"), "--model", run.path],
      "E_USAGE",
      "holds points already",
    ],
    ["a format for images", () => [faces, "--input", "sparse"], "E_USAGE", "is read as images"],
    [
      "two methods",
      () => [faces, "--exact", "--landmarks", "3"],
      "E_USAGE",
      "--landmarks and --exact: choose one",
    ],
    ["a size of no samples", () => [faces, "--sample-size", "3"], "E_USAGE", "goes with --subsamples"],
    [
      "a list that is none",
      () => [faces, "--count", "1,x"],
      "E_USAGE",
      "--count: expected whole numbers of at least 1",
    ],
    ["an unknown picture", () => [faces, "--format", "gif"], "E_USAGE", "--format: expected svg, png"],
    [
      "landmarks without a metric",
      () => [inFolder("circle.npy"), "--metric", "cosine", "--landmarks", "9"],
      "E_USAGE",
      "triangle inequality",
    ],
    ["text that is no points", () => [inFolder("rubbish.csv")], "E_FORMAT", "rubbish.csv, line 2"],
    [
      "saved scores",
      () => [inFolder("scores.npz")],
      "E_DATA",
      'expected one array, or one named "embeddings" or "points"',
    ],
  ])("refuses %s", async (_, args, code, message) => {
    writeFileSync(inFolder("rubbish.csv"), "1,2\nx,y\n");
    const numbers = asArray(Float64Array.of(1, 2), [2]);
    await writeNpz(inFolder("scores.npz"), { scores: numbers, same: numbers });
    const { status, err } = await topofr("diagrams", ...args(), "--out", inFolder("refused"));
    expect(err).toContain(`topofr: ${code} `);
    expect(err).toContain(message);
    expect(status).toBe(code === "E_USAGE" ? 2 : 1);
  });

  test("what does not fit in memory is said before work starts, with what would", () => {
    expect(() => assertFits(100_000, 150_528, "the pixels", 10e9)).toThrow(
      /need 15 GB, of which 6\.0 GB are free: 39859 would fit; give --count 39859/,
    );
  });
});

describe("discrepancy", () => {
  test("training and unseen data of a run side by side, over its checkpoints and batch sizes", async () => {
    const out = inFolder("discrepancy");
    const before = await settledLiveTensors();
    const found = await report(
      ...[
        "discrepancy",
        run.path,
        "--checkpoints",
        "all",
        "--batch-size",
        "3,4",
        "--batches",
        "3",
        "--out",
        out,
      ],
    );
    expect(liveTensors()).toBe(before);
    expect(found.data.map(({ name }: { name: string }) => name)).toEqual([
      "training (faces)",
      "unseen (unseen)",
    ]);
    expect(found.summary).toHaveLength(2 * 2 * 2); // steps, sets, sizes
    expect(found.summary.map(({ step }: { step: number }) => step)).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
    for (const { batches, bottleneck, alignment } of found.summary) {
      expect(batches).toBe(3);
      expect(bottleneck.mean).toBeGreaterThan(0);
      expect(bottleneck.max).toBeLessThanOrEqual(2);
      expect(alignment.mean).toBeGreaterThan(0);
    }
    for (const measure of ["bottleneck", "alignment"])
      for (const figure of ["histogram", "by-batch-size", "by-step"])
        expect(isPng(join(out, `${measure}-${figure}.png`)), figure).toBe(true);
    expect(found.normalisation).toContain("one scale");
  });

  test("several models on the same batches, as a table; an ONNX model needs --data", async () => {
    const { status, out } = await topofr(
      ...[
        "discrepancy",
        run.path,
        inFolder("net.onnx"),
        "--data",
        faces,
        "--batch-size",
        "4",
        "--batches",
        "2",
      ],
      ...["--out", inFolder("two")],
    );
    expect(status).toBe(0);
    expect(out).toMatch(/^model +step +data +batch +batches +bottleneck +alignment loss\n/);
    expect(out).toMatch(/\ntiny +2 +faces +4 +2 /);
    expect(out).toMatch(/\nnet +- +faces +4 +2 /);
    const alone = await topofr("discrepancy", inFolder("net.onnx"));
    expect(alone).toMatchObject({ status: 2 });
    expect(alone.err).toContain("E_USAGE --data: of which images?");
    const large = await topofr("discrepancy", run.path, "--data", faces);
    expect(large.err).toContain("has 8 images, too few for a batch of 128; give --batch-size 8 or less");
  });

  test("batches repeat no image, and use all of a set before any comes again", () => {
    const batches = drawBatches({ name: "set", path: "set", count: 10 }, 5, 4, 1);
    expect(batches).toHaveLength(4);
    for (const pair of [batches.slice(0, 2), batches.slice(2)])
      expect(pair.flatMap((batch) => [...batch]).sort((a, b) => a - b)).toEqual([
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
      ]);
  });
});

describe("entropy and hard samples", () => {
  test("entropies of right and wrong predictions, with the mixture", async () => {
    const before = await settledLiveTensors();
    const found = await report("entropy", run.path, "--checkpoint", "1");
    expect(liveTensors()).toBe(before);
    expect(found).toMatchObject({ run: run.path, step: 1, samples: 8, data: faces });
    expect(found.right.count + found.wrong.count).toBe(8);
    expect(isPng(join(run.diagrams, "entropy.png"))).toBe(true);
    const { values } = JSON.parse(readFileSync(join(run.diagrams, "entropy.json"), "utf8"));
    for (const { entropy, hard } of values) {
      expect(entropy).toBeLessThanOrEqual(Math.log(2) + 1e-3);
      expect(hard >= 0 && hard <= 1).toBe(true);
    }
  });

  test("the densities of a mixture have area 1 together", () => {
    const fit = { mixing: 0.7, variance: 0.5, uniformDensity: 0.25, iterations: 1, standardised: true };
    const { gaussian, uniform } = mixtureDensities({ ...fit, mean: 0.3, deviation: 1.7 });
    let area = 0;
    for (let x = 0.005; x < 12; x += 0.01) area += 0.01 * (gaussian(x) + uniform(x));
    expect(area).toBeCloseTo(1, 2);
  });

  test("the hardest samples as a sheet and a list, the highest score first", async () => {
    const found = await report("hard-samples", run.path, "--count", "3", "--out", inFolder("hard"));
    const scores = found.hardest.map(({ score }: { score: number }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(scores).toHaveLength(3);
    expect(isPng(inFolder("hard", "hardest.png"))).toBe(true);
    expect(readFileSync(inFolder("hard", "hardest.csv"), "utf8").split("\n")).toHaveLength(5);
  });

  test.each(["entropy", "hard-samples"])(
    "%s refuses other people, another checkpoint, and what is no run",
    async (command) => {
      const others = inFolder("others");
      if (!existsSync(others)) await writePictures(others, { identities: 3, images: 1 });
      const refused = async (...args: string[]) => (await topofr(command, ...args)).err;
      expect(await refused(run.path, "--data", others)).toMatch(
        /E_MODEL .*trained on 2 people, but .*others has 3/,
      );
      expect(await refused(run.path, "--checkpoint", "77")).toMatch(/E_FILE .*step_77.*no such checkpoint/);
      expect(await refused(run.path, "--checkpoint", "x")).toContain("E_USAGE --checkpoint");
      expect(await refused(faces)).toContain("E_FILE");
    },
  );
});

describe("what computes", () => {
  test("distances by products are those pair by pair, near-duplicates included", () => {
    const stream = new RandomStream(3, "wide points");
    const [count, dimension] = [600, 96]; // more than one tile
    const points = Float32Array.from({ length: count * dimension }, () => 100 + stream.normal());
    points.copyWithin(dimension, 0, dimension);
    points[dimension]! += 1e-3;
    const found = gramDistances(points, count, dimension);
    const direct = pointsAsSet({ name: "points", space: "" }, points, dimension, "euclidean").distance;
    for (let i = 0; i < count; i += 7)
      for (let j = 0; j < count; j += 5)
        expect(Math.abs(found[i * count + j]! - direct(i, j))).toBeLessThan(2e-4);
    expect(found[1]).toBe(Math.fround(direct(0, 1)));
  });

  test("the tree without a matrix has the deaths of persistence, thresholds included", () => {
    const points = circle(40, 5);
    const { distance } = pointsAsSet({ name: "points", space: "" }, points, 2, "euclidean");
    for (const threshold of [Infinity, 0.15]) {
      const [expected] = persistence({ points, dimension: 2 }, { maxDimension: 0, threshold });
      const found = treeDiagram(
        treeLengths(40, distance, () => {}),
        threshold,
      );
      expect([...found.deaths]).toEqual([...expected!.deaths]);
    }
  });

  test("too many points for an exact answer become landmarks by themselves, and --exact insists", async () => {
    const points = pointsAsSet({ name: "points", space: "" }, circle(150), 2, "euclidean");
    const engine = { ...PORTABLE_ENGINE, exactPoints: [Infinity, 100, 50, 20] as const };
    const options = { maxDimension: 2 as const, engine, seed: 1, landmarks: 40 };
    expect(await diagramsOf(points, 150, options)).toMatchObject({ method: "landmarks", landmarks: 40 });
    expect(await diagramsOf(points, 60, { maxDimension: 1, engine, seed: 1 })).toMatchObject({
      method: "exact",
    });
    expect(
      await diagramsOf(points, 60, {
        maxDimension: 1,
        engine: { ...engine, exactPoints: [Infinity, 20, 10, 5] },
        exact: true,
        seed: 1,
      }),
    ).toMatchObject({ method: "exact" });
  });
});
