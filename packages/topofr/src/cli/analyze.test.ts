// topofr analyze as a user has it: a run of two steps on small pictures, files of points, and what is refused. What the numbers should
// be is known where the shape is: a square, a circle, a line.
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readNpz, writeNpy, writeNpz } from "@topofr/formats";
import { decodeDiphaDiagrams, diagramsFromNpz, parseCsvDiagrams } from "@topofr/topology";
import { liveTensors } from "@topofr/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { halvesOnnx } from "../../../recognizer/dist/onnx/onnx.test.support.js";
import { circle } from "../experiments/analysis/analysis.test.support.js";
import { settledLiveTensors } from "../method/method.test.support.js";
import type { RunFolder } from "../runs/runFolder.js";
import {
  newRun,
  temporaryFolder,
  tinyRecipe,
  train,
  writePairs,
  writePictures,
} from "../train/train.test.support.js";
import { topofr } from "./command.test.support.js";

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
  mkdirSync(inFolder("empty"));
});
afterAll(folder.remove);

const analyze = (...args: string[]) => topofr("analyze", ...args);

/** The JSON that a command prints, once it has succeeded. */
async function report(...args: string[]) {
  const { status, out, err } = await analyze(...args, "--json");
  expect({ status, err: err.replace(/^(?!topofr:).*\n/gm, "") }).toEqual({ status: 0, err: "" });
  return JSON.parse(out);
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
    const few = await analyze("diagrams", inFolder("circle.npy"), "--landmarks", "4", "--out", out);
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
    ["a folder without images", () => [inFolder("empty")], "E_DATA", "no identities found"],
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
    const { status, err } = await analyze("diagrams", ...args(), "--out", inFolder("refused"));
    expect(err).toContain(`topofr: ${code} `);
    expect(err).toContain(message);
    expect(status).toBe(code === "E_USAGE" ? 2 : 1);
  });
});

describe("discrepancy", () => {
  test("training and unseen data of a run side by side, over its checkpoints", async () => {
    const out = inFolder("discrepancy");
    const before = await settledLiveTensors();
    const found = await report(
      ...[
        "discrepancy",
        run.path,
        "--checkpoints",
        "all",
        "--batch-size",
        "4",
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
    expect(found.summary).toHaveLength(2 * 2); // steps, sets
    expect(found.summary.map(({ step }: { step: number }) => step)).toEqual([1, 1, 2, 2]);
    for (const { batches, bottleneck, alignment } of found.summary) {
      expect(batches).toBe(3);
      expect(bottleneck.mean).toBeGreaterThan(0);
      expect(bottleneck.max).toBeLessThanOrEqual(2);
      expect(alignment.mean).toBeGreaterThan(0);
    }
    for (const measure of ["bottleneck", "alignment"])
      for (const figure of ["histogram", "by-step"])
        expect(isPng(join(out, `${measure}-${figure}.png`)), figure).toBe(true);
    expect(found.normalisation).toContain("one scale");
  });

  test("another benchmark: the images of its pairs, without people of the training set", async () => {
    const mixed = inFolder("mixed");
    await writePictures(mixed, { identities: 4, images: 2 });
    symlinkSync(join(faces, "person_1"), join(mixed, "known")); // trained on
    const list = inFolder("list.txt");
    const image = (person: string, k: number) =>
      `${person}/${person.replace("known", "person_1")}_000${k}.png`;
    const lines = ["person_0", "person_2", "known"].map((name) => `${image(name, 1)} ${image(name, 2)} 1`);
    writeFileSync(list, `${lines.join("\n")}\n${image("person_0", 1)} ${image("known", 3)} 0\n`);
    const flags = ["--batch-size", "2", "--batches", "1", "--out", inFolder("mixed-out")];
    const found = await report("discrepancy", run.path, "--eval-data", mixed, "--pairs", list, ...flags);
    expect(found.data).toMatchObject([
      { name: "training (faces)", images: 8 },
      { name: "unseen (mixed)", images: 4 }, // person_3 is in no pair
    ]);
    expect(found.warnings).toEqual([
      expect.stringContaining("3 of 7 images are of people in the training set, and left out"),
    ]);
    writeFileSync(
      join(faces, "pairs_label.txt"),
      "person_0/person_0_0001.png person_0/person_0_0002.png 1\n",
    );
    const seen = await analyze("discrepancy", run.path, "--eval-data", faces, ...flags);
    expect(seen.err).toContain("topofr: E_DATA ");
    expect(seen.err).toContain("all its images are of people in the training set; none is unseen");
    const loose = await analyze("discrepancy", run.path, "--pairs", list);
    expect({ status: loose.status, err: loose.err }).toMatchObject({ status: 2 });
    expect(loose.err).toContain("belongs to --eval-data");
  });

  test("several models on the same batches, as a table; an ONNX model needs --data", async () => {
    const { status, out } = await analyze(
      ...[
        "discrepancy",
        run.path,
        inFolder("net.onnx"),
        "--data",
        faces,
        "--batch-size",
        "3,4",
        "--batches",
        "2",
      ],
      ...["--out", inFolder("two")],
    );
    expect(status).toBe(0);
    expect(out).toMatch(/^model +step +data +batch +batches +bottleneck +alignment loss\n/);
    expect(out).toMatch(/\ntiny +2 +faces +4 +2 /);
    expect(out).toMatch(/\nnet +- +faces +4 +2 /);
    expect(isPng(inFolder("two", "bottleneck-by-batch-size.png"))).toBe(true);
    const alone = await analyze("discrepancy", inFolder("net.onnx"));
    expect(alone).toMatchObject({ status: 2 });
    expect(alone.err).toContain("E_USAGE --data: of which images?");
    const large = await analyze("discrepancy", run.path, "--data", faces);
    expect(large.err).toContain("has 8 images, too few for a batch of 128; give --batch-size 8 or less");
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
      const refused = async (...args: string[]) => (await analyze(command, ...args)).err;
      expect(await refused(run.path, "--data", others)).toMatch(
        /E_MODEL .*trained on 2 people, but .*others has 3/,
      );
      expect(await refused(run.path, "--checkpoint", "77")).toMatch(/E_FILE .*step_77.*no such checkpoint/);
      expect(await refused(run.path, "--checkpoint", "x")).toContain("E_USAGE --checkpoint");
      expect(await refused(faces)).toContain("E_FILE");
    },
  );
});
