// topofr embed and topofr verify as a user has them, on drawn "faces" with tiny networks. With a gallery: galleries.test.ts.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { readNpz } from "@topofr/formats";
import { describe, expect, test, vi } from "vitest";
import { halvesOnnx } from "../../../recognizer/dist/onnx/onnx.test.support.js";
import { topofr } from "./command.test.support.js";
import { draw, inPictureFolder, MODEL, widthOf } from "./recognize.test.support.js";

inPictureFolder();

describe("topofr verify", () => {
  test("one person, two people, and the picture of it", async () => {
    const same = await topofr(
      "verify",
      "people/Ann/1.png",
      "people/Ann/2.png",
      ...MODEL,
      "--threshold",
      "0.5",
      "--picture",
      "v.png",
    );
    expect(same.err).toBe("drawn as v.png\n");
    expect(same).toMatchObject({
      status: 0,
      out: expect.stringMatching(/^similarity 0\.99\d\d, threshold 0\.5000: same person\n$/) as string,
    });
    expect(await widthOf("v.png")).toBe(1520);
    const { out } = await topofr(
      "verify",
      "people/Ann/1.png",
      "people/Ben/1.png",
      ...MODEL,
      "--threshold",
      "0.5",
      "--json",
    );
    expect(JSON.parse(out)).toMatchObject({
      same: false,
      threshold: 0.5,
      model: { name: "halves" },
      a: { path: "people/Ann/1.png", faces: 1, box: { x: 52, y: 36, width: 32, height: 32 } },
      b: { path: "people/Ben/1.png" },
    });
  });

  test("without a threshold there is no verdict; of several faces it says which one", async () => {
    const { out, err } = await topofr(
      "verify",
      "both.png",
      "people/Ann/1.png",
      ...MODEL,
      "--choice",
      "center",
    );
    expect(out).toMatch(/^similarity -?0\.\d{4} \(no threshold given\)\n$/);
    expect(err).toMatch(
      /^1 picture with several faces, of which the center one is taken:\n {2}both\.png: 2 faces, taken at 92,52\n$/,
    );
    const only = await topofr("verify", "both.png", "people/Ann/1.png", ...MODEL, "--choice", "only");
    expect(only).toMatchObject({
      status: 1,
      err: expect.stringMatching(/E_DATA both\.png: 2 faces found where one/) as string,
    });
  });

  test("the threshold of an evaluation", async () => {
    const report = {
      kind: "pairs",
      benchmark: "lfw",
      samePairs: 300,
      tarAtFar: [
        { far: 1e-3, farReached: 0.001, tar: 0.9, threshold: 1.2, impostors: 3000, note: "few pairs" },
      ],
    };
    writeFileSync("lfw.json", JSON.stringify(report));
    const { out } = await topofr(
      "verify",
      "people/Ann/1.png",
      "people/Ann/2.png",
      ...MODEL,
      "--report",
      "lfw.json",
      "--far",
      "0.001",
    );
    expect(out).toMatch(/threshold 0\.4000: same person/);
    const wrong = await topofr(
      "verify",
      "both.png",
      "both.png",
      ...MODEL,
      "--report",
      "lfw.json",
      "--far",
      "0.5",
    );
    expect(wrong).toMatchObject({
      status: 2,
      err: expect.stringMatching(/lfw\.json: the report has no threshold for FAR 0\.5/) as string,
    });
  });

  test.each<[string, string[], number, RegExp]>([
    ["no model", [], 2, /E_USAGE --model: which network\? .*TOPOFR_MODEL/],
    ["a checkpoint", ["--model", "run/x.pt"], 2, /topofr export run\/x\.pt --to run\/x\.onnx/],
    ["a folder", ["--model", "people"], 1, /people: is a folder, and not a run/],
    ["a missing model", ["--model", "none.onnx"], 1, /E_FILE none\.onnx/],
    ["no ONNX file", ["--model", "zero.jpg"], 1, /E_FORMAT zero\.jpg: ONNX Runtime cannot load it/],
    ["a detector as model", ["--model", "detector.onnx"], 1, /E_MODEL detector\.onnx/],
    ["a missing folder for the picture", [...MODEL, "--picture", "no/x.png"], 1, /E_FILE no\/x\.png/],
    ["another picture", [...MODEL, "--picture", "x.gif"], 2, /--picture: expected a \.svg or \.png/],
  ])("%s is refused", async (_, flags, status, message) => {
    const result = await topofr("verify", "people/Ann/1.png", "people/Ann/2.png", ...flags);
    expect(result).toMatchObject({ status, out: "" });
    expect(result.err).toMatch(message);
  });

  test.each<[string, RegExp]>([
    ["empty.png", /E_DATA empty\.png: no face found/],
    ["broken.jpg", /E_FORMAT broken\.jpg: not an image/],
    ["zero.jpg", /E_FORMAT zero\.jpg: 0 bytes/],
    ["none.jpg", /E_FILE none\.jpg: cannot read the picture: no such file/],
  ])("%s is no picture of a face", async (path, message) => {
    const result = await topofr("verify", "people/Ann/1.png", path, ...MODEL);
    expect(result).toMatchObject({ status: 1, out: "" });
    expect(result.err).toMatch(message);
  });
});

describe("topofr embed", () => {
  test("a folder, with names as topofr evaluate reads them", async () => {
    const { status, out, err } = await topofr(
      "embed",
      "people",
      ...MODEL,
      "--out",
      "people.npz",
      "--picture",
      "e.svg",
    );
    expect({ status, out }, err).toEqual({
      status: 0,
      out: expect.stringMatching(
        /^people\.npz: 3 faces of 3 pictures, 6 numbers each, \d+\.\d pictures\/s\n$/,
      ) as string,
    });
    const arrays = await readNpz("people.npz");
    expect(arrays.get("embeddings")).toMatchObject({ dtype: "float32", shape: [3, 6] });
    expect(Buffer.from(arrays.get("names")!.data).toString()).toBe("Ann/1.png\nAnn/2.png\nBen/1.png");
    expect(statSync("people.npz").mode & 0o777).toBe(0o600);
    expect(readFileSync("e.svg", "utf8").match(/<circle/g)).toHaveLength(15); // five landmarks of three faces
  });

  test("pictures that fail are reported, the others embedded; the exit status says so", async () => {
    const args = ["embed", "people/*/1.png", "broken.jpg", "empty.png", "none.jpg", "both.png", "./both.png"];
    const { status, out, err } = await topofr(...args, ...MODEL, "--out", "some.csv", "--all", "--json");
    expect(status).toBe(1);
    expect(err).toMatch(
      /E_FORMAT broken\.jpg.*\n(.*\n)*E_DATA empty\.png: no face.*\n(.*\n)*E_FILE none\.jpg/,
    );
    expect(err).toMatch(/3 of 6 pictures failed/);
    const report = JSON.parse(out) as {
      faces: { name: string }[];
      failures: { path: string; code: string }[];
    };
    expect(report.failures.map(({ path, code }) => `${path} ${code}`)).toEqual([
      "broken.jpg E_FORMAT",
      "empty.png E_DATA",
      "none.jpg E_FILE",
    ]);
    const names = ["people/Ann/1.png", "people/Ben/1.png", "both.png", "both.png#2"];
    expect(report.faces.map(({ name }) => name)).toEqual(names);
    const lines = readFileSync("some.csv", "utf8").trim().split("\n");
    expect(lines[0]).toBe("name,face,faces,score,x,y,width,height,e0,e1,e2,e3,e4,e5");
    expect(lines.slice(1).map((line) => line.split(",")[0])).toEqual(names);
  });

  test("aligned faces need no detector; --flip adds the mirror image", async () => {
    await draw("aligned.png", [{ x: 0, y: 0, size: 8, color: [250, 20, 90] }], { width: 16, height: 16 });
    const embedding = async (...flags: string[]) => {
      await topofr("embed", "aligned.png", "--model", "net.onnx", "--out", "a.jsonl", ...flags);
      return (JSON.parse(readFileSync("a.jsonl", "utf8")) as { embedding: number[] }).embedding;
    };
    const [plain, flipped] = [await embedding(), await embedding("--flip")];
    expect(plain[0]).not.toBeCloseTo(plain[1]!, 3);
    expect(flipped[0]).toBeCloseTo(flipped[1]!, 6);
    const whole = await topofr("embed", "both.png", "--model", "net.onnx", "--out", "b.jsonl");
    expect(whole.err).toMatch(
      /E_DATA both\.png: 160x120 pixels; without a detector pictures must be aligned faces of 16x16/,
    );
    expect(whole).toMatchObject({
      status: 1,
      err: expect.stringContaining("no picture gave a face; nothing is written") as string,
    });
    expect(existsSync("b.jsonl")).toBe(false);
  });

  test("model and detector from the environment; a run that holds an export", async () => {
    vi.stubEnv("TOPOFR_DETECTOR", "detector.onnx");
    mkdirSync("run", { recursive: true });
    writeFileSync("run/config.json", "{}");
    vi.stubEnv("TOPOFR_MODEL", "run");
    const none = await topofr("embed", "both.png", "--out", "x.csv");
    expect(none).toMatchObject({
      status: 2,
      err: expect.stringContaining("topofr export run --to run/model.onnx") as string,
    });
    writeFileSync("run/model.onnx", halvesOnnx({ size: 16 }));
    expect(await topofr("embed", "both.png", "--out", "x.csv")).toMatchObject({ status: 0 });
    writeFileSync("run/other.onnx", "");
    const two = await topofr("embed", "both.png", "--out", "x.csv");
    expect(two).toMatchObject({
      status: 2,
      err: expect.stringContaining("holds 2 exported models; name one") as string,
    });
  });

  test.each<[string[], RegExp]>([
    [["both.png", "--out", "x.txt"], /E_USAGE x\.txt: expected a \.npz, \.csv, \.jsonl file/],
    [["both.png", "--out", "no/x.csv"], /E_FILE no\/x\.csv/],
    [["both.png", "--out", "x.csv", "--all", "--choice", "best"], /--all and --choice contradict/],
    [["none/*.jpg", "--out", "x.csv"], /E_FILE none\/\*\.jpg: matches no picture/],
    [["run/checkpoints", "--out", "x.csv"], /E_DATA run\/checkpoints: no pictures in it/],
  ])("%j is refused", async (args, message) => {
    mkdirSync("run/checkpoints", { recursive: true });
    expect((await topofr("embed", ...args, ...MODEL)).err).toMatch(message);
  });
});
