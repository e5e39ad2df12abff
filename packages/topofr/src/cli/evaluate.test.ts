// topofr evaluate and compare as a user has them, with ONNX models and images made here: models on benchmarks, saved embeddings and
// scores, tables, pictures, and what is refused. With runs and checkpoints: train/commandLine.test.ts.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFaceBin } from "@topofr/formats";
import { ARCFACE_TEMPLATE } from "@topofr/recognizer/align";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { halvesOnnx } from "../../../recognizer/dist/onnx/onnx.test.support.js";
import { RandomStream } from "../random/stream.js";
import { topofr } from "./command.test.support.js";

const folder = mkdtempSync(join(tmpdir(), "topofr-evaluate-"));
const here = process.cwd();
const SIZE = 112;
const PEOPLE = 6;

/** A person is a colour on the left and one on the right, an image of it has noise. */
async function face(person: number, stream: RandomStream): Promise<Buffer> {
  const own = new RandomStream(person, "colours");
  const colours = Array.from({ length: 6 }, () => own.range(30, 220));
  const pixels = Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, i) => {
    const onRight = Math.floor(i / 3) % SIZE >= SIZE / 2;
    return colours[(i % 3) + (onRight ? 3 : 0)]! + stream.range(-20, 20);
  });
  return sharp(pixels, { raw: { width: SIZE, height: SIZE, channels: 3 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
}

/** Gallery templates 1 … 6 in two galleries and probes 11 … 16 of as many people, a picture each, with 1:1 pairs and 1:N lists. */
function writeIjb(faces: readonly Buffer[][]): void {
  mkdirSync("IJBC/loose_crop", { recursive: true });
  mkdirSync("IJBC/meta");
  const all = faces.map((_, p) => p);
  const images = [...all.map((p) => [p, 0] as const), ...all.map((p) => [p, 1] as const)];
  for (const [p, k] of images) writeFileSync(`IJBC/loose_crop/${p}_${k}.png`, faces[p]![k]!);
  const meta = (name: string, lines: string[]) =>
    writeFileSync(`IJBC/meta/ijbc_${name}`, `${lines.join("\n")}\n`);
  meta(
    "face_tid_mid.txt",
    images.map(([p, k], i) => `${p}_${k}.png ${10 * k + p + 1} ${i}`),
  );
  meta(
    "name_5pts_score.txt",
    images.map(([p, k]) => `${p}_${k}.png ${ARCFACE_TEMPLATE.flat().join(" ")} 0.9`),
  );
  meta(
    "template_pair_label.txt",
    all.flatMap((p) => [`${p + 1} ${p + 11} 1`, `${p + 1} ${((p + 1) % PEOPLE) + 11} 0`]),
  );
  const list = (people: number[], first: number) => [
    "TEMPLATE_ID,SUBJECT_ID",
    ...people.map((p) => `${p + first},${p}`),
  ];
  meta("1N_gallery_G1.csv", list(all.slice(0, 3), 1));
  meta("1N_gallery_G2.csv", list(all.slice(3), 1));
  meta("1N_probe_mixed.csv", list(all, 11));
}

beforeAll(async () => {
  process.chdir(folder);
  const stream = new RandomStream(7, "faces");
  const faces: Buffer[][] = [];
  for (let p = 0; p < PEOPLE; p++) {
    faces.push([await face(p, stream), await face(p, stream)]);
    mkdirSync(`lfw/p${p}`, { recursive: true });
    for (const [k, bytes] of faces[p]!.entries()) writeFileSync(`lfw/p${p}/p${p}_000${k + 1}.png`, bytes);
  }
  const next = (p: number) => (p + 1) % PEOPLE;
  const all = faces.map((_, p) => p);
  writeFileSync("lfw/pairs.txt", all.map((p) => `p${p}\t1\t2\np${p}\t1\tp${next(p)}\t2\n`).join(""));
  await writeFaceBin("mini.bin", {
    images: all.flatMap((p) => [...faces[p]!, faces[p]![0]!, faces[next(p)]![1]!]),
    same: all.flatMap(() => [true, false]),
  });
  const rows = all.flatMap((p) =>
    [1, 2].map((k) => `lfw/p${p}/p${p}_000${k}.png,p${p},${p < 3 ? "A" : "B"}`),
  );
  writeFileSync("mfr.csv", `image,identity,group\n${rows.join("\n")}\n`);
  writeIjb(faces);
  writeFileSync("net.onnx", halvesOnnx());
  writeFileSync("one.onnx", halvesOnnx({ batch: 1 }));
});
afterAll(() => {
  process.chdir(here);
  rmSync(folder, { recursive: true });
});

interface Printed {
  model: string;
  benchmark: string;
  accuracy: number;
  auc: number;
  images: number;
  flip: boolean | null;
}

test("one model, one benchmark: a table and the speed, or one JSON report", async () => {
  const table = await topofr("evaluate", "net.onnx", "--data", "lfw");
  expect(table).toMatchObject({ status: 0 });
  expect(table.err).toContain("net.onnx on lfw: 12 images");
  expect(table.out).toMatch(/accuracy %.*\n-+\nlfw +100\.00 ± 0\.00/);
  expect(table.out).toMatch(/12 pairs \(6 same\), 12 images, 10 folds\n/);
  expect(table.out).toMatch(/\d img\/s\n$/);
  const json = await topofr("evaluate", "net.onnx", "--data", "lfw", "--no-flip", "--json");
  expect(JSON.parse(json.out)).toMatchObject({
    model: "net",
    benchmark: "lfw",
    kind: "pairs",
    flip: false,
    images: 12,
  });
});

test("a fixed batch of 1 gives the same numbers, and so does a .bin of the same pairs", async () => {
  const { out } = await topofr("evaluate", "net.onnx", "one.onnx", "--data", "lfw", "mini.bin", "--json");
  const reports = JSON.parse(out) as Printed[];
  expect(reports.map(({ model, benchmark }) => `${model} ${benchmark}`)).toEqual([
    "net lfw",
    "net mini",
    "one lfw",
    "one mini",
  ]);
  for (const report of reports) {
    expect(report).toMatchObject({ accuracy: 1, images: 12 });
    expect(report.auc).toBeCloseTo(reports[0]!.auc, 12);
  }
});

test("several models and benchmarks: one table, details, and all curves in one picture", async () => {
  const { status, out, err } = await topofr(
    ...[
      "evaluate",
      "net.onnx",
      "one.onnx",
      "--data",
      "lfw",
      "--data",
      "mfr.csv",
      "--roc",
      "roc.svg",
      "--batch-size",
      "5",
    ],
  );
  expect(status, err).toBe(0);
  expect(out).toMatch(/^ +lfw % +mfr A +mfr B +mfr all\n-+\nnet /);
  expect(out).toContain("lfw, one");
  expect(out).toMatch(/group +TAR% @FAR 1e-6/);
  const svg = readFileSync("roc.svg", "utf8");
  expect(svg).toContain(">lfw, net</text>");
  expect(svg).toContain(">mfr, one: all</text>");
});

test("IJB: images are aligned by their landmarks; 1:1 and 1:N", async () => {
  const { status, out, err } = await topofr("evaluate", "net.onnx", "--data", "IJBC");
  expect(status, err).toBe(0);
  expect(out).toMatch(/^1:1 +TAR% @FAR 1e-6 .*\n-+\nIJBC +100\.00\*/);
  expect(out).toContain("12 pairs (6 same), 12 templates, 12 images");
  expect(out).toMatch(/1:N +rank-1 % +rank-5 %.*\n-+\nIJBC +100\.00 +100\.00/);
  expect(out).toContain("galleries G1 3, G2 3 subjects");
  // The landmarks are the template's own, so that alignment changes nothing and the numbers are those of the pairs of images.
  const [ijb, lfw] = (
    JSON.parse((await topofr("evaluate", "net.onnx", "--data", "IJBC", "lfw", "--json")).out) as Printed[]
  ).map(({ auc }) => auc);
  expect(ijb).toBeCloseTo(lfw!, 12);
});

describe("embeddings and scores that were saved", () => {
  test("come to the same report without the model", async () => {
    const first = await topofr(
      ...[
        "evaluate",
        "net.onnx",
        "--data",
        "lfw",
        "--json",
        "--embeddings-out",
        "e.npz",
        "--scores-out",
        "s.npz",
      ],
    );
    const report = JSON.parse(first.out) as Printed & Record<string, unknown>;
    const numbers = ({ accuracy, auc, perFold, tarAtFar }: Record<string, unknown>) => ({
      accuracy,
      auc,
      perFold,
      tarAtFar,
    });
    const again = await topofr("evaluate", "e.npz", "--data", "lfw", "--json");
    expect(numbers(JSON.parse(again.out) as Record<string, unknown>)).toEqual(numbers(report));
    expect(JSON.parse(again.out)).toMatchObject({
      model: "e",
      source: "e.npz",
      flip: null,
      imagesPerSecond: null,
    });
    const scores = await topofr("evaluate", "s.npz", "--json");
    expect(JSON.parse(scores.out)).toMatchObject({
      benchmark: "s",
      data: null,
      accuracy: report.accuracy,
      auc: report.auc,
    });
    expect((await topofr("evaluate", "s.npz", "--data", "mini.bin")).status).toBe(0);
  });

  test("a folder takes those of several evaluations", async () => {
    const { status, err } = await topofr(
      ...[
        "evaluate",
        "net.onnx",
        "--data",
        "lfw",
        "mfr.csv",
        "--embeddings-out",
        "saved",
        "--scores-out",
        "saved/scores",
      ],
    );
    expect(status, err).toBe(0);
    for (const path of ["saved/net-lfw.npz", "saved/net-mfr.npz", "saved/scores/net-lfw.npz"])
      expect(existsSync(path), path).toBe(true);
    expect(err).toContain("--scores-out: mfr: all pairs of a group; no scores are kept");
    expect((await topofr("evaluate", "saved/net-mfr.npz", "--data", "mfr.csv")).status).toBe(0);
  });
});

test("compare reads what was printed, and draws it as PNG", async () => {
  for (const model of ["net", "one"]) {
    const { out } = await topofr("evaluate", `${model}.onnx`, "--data", "lfw", "--json");
    writeFileSync(`${model}.json`, out);
  }
  const { status, out } = await topofr("compare", "net.json", "one.json", "--roc", "both.png");
  expect(status).toBe(0);
  expect(out).toMatch(/^ +lfw %\n-+\nnet +100\.00 ± 0\.00\none /);
  expect([...readFileSync("both.png").subarray(0, 4)]).toEqual([0x89, 0x50, 0x4e, 0x47]);
  const json = await topofr("compare", "net.json", "--json");
  expect(JSON.parse(json.out)).toEqual([JSON.parse(readFileSync("net.json", "utf8"))]);
});

describe("the preprocessing of an ONNX model", () => {
  test("by flags", async () => {
    const flags = [
      "--pixel-scale",
      "1/255",
      "--pixel-mean",
      "0.485,0.456,0.406",
      "--pixel-std",
      "0.2",
      "--color",
      "bgr",
    ];
    expect(await topofr("evaluate", "net.onnx", ...flags, "--data", "lfw")).toMatchObject({ status: 0 });
  });

  test("by a card, whose unknown keys are refused", async () => {
    writeFileSync("net2.onnx", halvesOnnx());
    writeFileSync("net2.card.yaml", "input:\n  means: 127.5\n");
    const { status, err } = await topofr("evaluate", "net2.onnx", "--data", "lfw");
    expect(status).toBe(1);
    expect(err).toContain('topofr: E_FORMAT net2.card.yaml:2: unknown key "input.means"');
    expect(await topofr("evaluate", "net2.onnx", "--data", "lfw", "--card", "none.yaml")).toMatchObject({
      status: 1,
    });
  });
});

describe("refused, with a code and what to do", () => {
  test.each<[string, string[], number, RegExp]>([
    ["no benchmark", ["net.onnx"], 2, /E_USAGE --data: on which benchmark is net\.onnx to be evaluated\?/],
    [
      "ONNX flags without ONNX",
      ["e.npz", "--data", "lfw", "--pixel-mean", "1"],
      2,
      /--pixel-mean: is for \.onnx files/,
    ],
    [
      "two numbers for three channels",
      ["net.onnx", "--data", "lfw", "--pixel-std", "1,2"],
      2,
      /--pixel-std: expected one number or three/,
    ],
    [
      "a wrong scale",
      ["net.onnx", "--data", "lfw", "--pixel-scale", "2/5"],
      2,
      /model card: input\.scale: expected/,
    ],
    [
      "one list for two folders",
      ["net.onnx", "--data", "lfw", "lfw", "--pairs", "x"],
      2,
      /--pairs: goes with one --data/,
    ],
    [
      "one file for two evaluations",
      ["net.onnx", "--data", "lfw", "mini.bin", "--scores-out", "s.npz"],
      2,
      /give a folder/,
    ],
    [
      "a picture of no known kind",
      ["net.onnx", "--data", "lfw", "--roc", "roc.pdf"],
      2,
      /--roc: expected a \.svg or \.png file/,
    ],
    [
      "a picture in no folder",
      ["net.onnx", "--data", "lfw", "--roc", "no/roc.png"],
      1,
      /E_FILE no\/roc\.png: cannot write a file/,
    ],
    [
      "an array of no known kind",
      ["net.onnx", "--data", "lfw", "--scores-out", "s.csv"],
      2,
      /--scores-out: expected a \.npz or \.npy/,
    ],
    ["no benchmark at the path", ["net.onnx", "--data", "net.onnx"], 1, /E_DATA net\.onnx: not a benchmark/],
    [
      "a model that is none",
      ["mfr.csv", "--data", "lfw"],
      1,
      /E_FILE mfr\.csv: expected a run folder or a .*\.onnx/,
    ],
  ])("%s", async (_, args, status, message) => {
    const found = await topofr("evaluate", ...args);
    expect(found.err).toMatch(message);
    expect(found.status).toBe(status);
  });

  test("a corrupt model, an image that is cut, and a network that gives NaN", async () => {
    writeFileSync("cut.onnx", halvesOnnx().subarray(0, 90));
    expect((await topofr("evaluate", "cut.onnx", "--data", "lfw")).err).toMatch(
      /E_FORMAT cut\.onnx: ONNX Runtime cannot load it/,
    );
    mkdirSync("bad", { recursive: true });
    const whole = readFileSync("lfw/p0/p0_0001.png");
    writeFileSync("bad/a.png", whole);
    writeFileSync("bad/b.png", whole.subarray(0, 3000));
    writeFileSync("bad/pairs_label.txt", "a.png b.png 1\n");
    expect((await topofr("evaluate", "net.onnx", "--data", "bad")).err).toMatch(
      /E_DATA bad\/b\.png: the image cannot be read/,
    );
    const wild = ["--pixel-scale", "1e300", "--pixel-mean", "0", "--pixel-std", "1e-9"];
    expect((await topofr("evaluate", "net.onnx", "--data", "lfw", ...wild)).err).toMatch(
      /E_DATA net: embedding 0 of 12 \(lfw\/p0\/p0_0001\.png\) holds NaN or infinity/,
    );
  });
});
