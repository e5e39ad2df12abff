// Every kind of benchmark from files made here, by embeddings whose report is known; and what each refuses.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { writeFaceBin } from "@topofr/formats";
import { setNumThreads } from "@topofr/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { imageNames, type PairScores, reportOnScores } from "../benchmark.js";
import { openBenchmark } from "./open.js";

const folder = mkdtempSync(join(tmpdir(), "topofr-benchmarks-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => setNumThreads(1));

function write(path: string, content: string | Uint8Array = ""): string {
  const whole = join(folder, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, content);
  return whole;
}

/** One row an image: a unit vector along the axis of its person, so that pairs of one person score 1 and others 0. */
function axes(people: readonly number[], dimension = 8): Float32Array {
  const rows = new Float32Array(people.length * dimension);
  people.forEach((person, image) => {
    rows[image * dimension + person] = 3; // any length
  });
  return rows;
}

const personOf = (name: string): number => Number(/p(\d)/.exec(name)![1]);

/** Opens it, embeds every image by the person in its name, and reports. */
async function perfectReport(path: string) {
  const benchmark = await openBenchmark(path);
  const scores: PairScores[] = [];
  const report = await benchmark.report(axes(imageNames(benchmark).map(personOf)), 8, {
    async onScores(found) {
      scores.push(found);
    },
  });
  return { benchmark, report, scores: scores[0] };
}

describe("a folder with pairs", () => {
  const people = [0, 1, 2, 3, 4, 5];
  beforeAll(() => {
    for (const p of people) for (const k of [1, 2]) write(`lfw/p${p}/p${p}_000${k}.jpg`);
    const lines = people.flatMap((p) => [`p${p}\t1\t2`, `p${p}\t1\tp${(p + 1) % 6}\t2`]);
    write("lfw/pairs.txt", `${lines.join("\n")}\n`);
  });

  test("opens by its pairs.txt; scores are cosines in the order of the list", async () => {
    const { benchmark, report, scores } = await perfectReport(join(folder, "lfw"));
    expect(benchmark).toMatchObject({ name: "lfw", kind: "pairs", warnings: [] });
    expect(imageNames(benchmark)).toContain("p0/p0_0001.jpg");
    expect(report).toMatchObject({ kind: "pairs", accuracy: 1, auc: 1, images: 12, pairs: 12 });
    expect([...scores!.scores]).toEqual([...scores!.same]);
    // The same report from the scores alone, but for what only images can tell.
    expect(reportOnScores(scores!)).toEqual({ ...report, images: null, dimension: null });
  });

  test("takes another list by its path, and finds pairs_label.txt by itself", async () => {
    const list = write(
      "lists/mine.txt",
      "p0/p0_0001.jpg p0/p0_0002.jpg 1\np0/p0_0001.jpg p1/p1_0001.jpg 0\n",
    );
    expect((await openBenchmark(join(folder, "lfw"), { pairs: list })).images).toHaveLength(3);
    write("labelled/p0.jpg");
    write("labelled/p1.jpg");
    write("labelled/pairs_label.txt", "p0.jpg p1.jpg 0\n");
    expect((await openBenchmark(join(folder, "labelled"))).pairs!.same).toEqual(Uint8Array.of(0));
  });

  test("embeddings of another number of images, and a row of NaN, are refused", async () => {
    const benchmark = await openBenchmark(join(folder, "lfw"));
    await expect(benchmark.report(new Float32Array(11 * 8 + 1), 8)).rejects.toThrow("for 12 images");
    await expect(
      benchmark.report(axes([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]).fill(Number.NaN, 8, 9), 8),
    ).rejects.toThrow("row 1 of 12 holds NaN");
  });
});

describe("a .bin file", () => {
  const image = (name: string) => Buffer.from(name);

  test("opens with equal images once; repeated and contradictory pairs are warnings, as published files have them", async () => {
    const names = [
      "p0 a",
      "p0 b",
      "p0 a",
      "p1 a",
      "p1 a",
      "p1 b",
      "p0 b",
      "p0 a",
      "p1 a",
      "p0 a",
      "p1 a",
      "p1 a",
    ];
    const path = join(folder, "cfp_fp.bin");
    await writeFaceBin(path, { images: names.map(image), same: [true, false, true, true, true, true] });
    const benchmark = await openBenchmark(path);
    expect(benchmark).toMatchObject({ name: "cfp_fp", kind: "pairs" });
    expect(imageNames(benchmark)).toEqual([0, 1, 3, 5].map((k) => `cfp_fp.bin: image ${k}`));
    expect(benchmark.pairs!.folds).toBe(10);
    expect(benchmark.warnings).toEqual([
      `${path}: an image is paired with itself (pair 5)`,
      `${path}: two images are called both same and different (pairs 1 and 4)`,
      `${path}: a pair that is listed twice counts twice (pair 3 repeats pair 0)`,
    ]);
  });

  test("reports in the order of its pairs", async () => {
    const people = Array.from({ length: 20 }, (_, k) => [k % 4, k % 2 === 0 ? k % 4 : (k + 1) % 4]).flat();
    const path = join(folder, "agedb_30.bin");
    await writeFaceBin(path, {
      images: people.map((p, k) => image(`p${p} ${k}`)),
      same: Array.from({ length: 20 }, (_, k) => k % 2 === 0),
    });
    const benchmark = await openBenchmark(path);
    expect(await benchmark.report(axes(people), 8)).toMatchObject({ accuracy: 1, pairs: 20, images: 40 });
  });

  test("a broken one is E_FORMAT", async () => {
    await expect(openBenchmark(write("broken.bin", "no pickle"))).rejects.toMatchObject({ code: "E_FORMAT" });
  });
});

describe("IJB", () => {
  const line = (name: string) => `${name} 30 40 70 40 50 60 35 80 65 80 0.9`;
  beforeAll(() => {
    // Templates 1, 2 (gallery) and 11, 12 (probes) of subjects 0 and 1; probe 13 has no mate in either gallery.
    const images = [
      ["p0a.jpg", 1, 1],
      ["p0b.jpg", 11, 2],
      ["p1a.jpg", 2, 3],
      ["p1b.jpg", 12, 4],
      ["p1c.jpg", 12, 4],
      ["p2a.jpg", 13, 5],
    ] as const;
    for (const [name] of images) write(`IJBC/loose_crop/${name}`);
    write("IJBC/meta/ijbc_face_tid_mid.txt", images.map((row) => `${row.join(" ")}\n`).join(""));
    write("IJBC/meta/ijbc_name_5pts_score.txt", images.map(([name]) => `${line(name)}\n`).join(""));
    write("IJBC/meta/ijbc_template_pair_label.txt", "1 11 1\n1 12 0\n2 12 1\n2 13 0\n");
  });

  test("1:1: landmarks go with the images, scores with the pairs; 1:N when its lists are there", async () => {
    const { benchmark, report, scores } = await perfectReport(join(folder, "IJBC"));
    expect(benchmark).toMatchObject({ name: "IJBC", kind: "ijb", pairs: { folds: 0 } });
    expect(benchmark.images[0]).toEqual({
      kind: "file",
      path: join(folder, "IJBC/loose_crop/p0a.jpg"),
      landmarks: [30, 40, 70, 40, 50, 60, 35, 80, 65, 80],
    });
    expect([...scores!.scores]).toEqual([1, 0, 1, 0]);
    expect(report).toMatchObject({
      kind: "ijb",
      genuines: 2,
      impostors: 2,
      images: 6,
      templates: 5,
      identification: null,
    });
    expect(reportOnScores(scores!)).toEqual({ ...report, images: null, templates: null });

    write("IJBC/meta/ijbc_1N_gallery_G1.csv", "TEMPLATE_ID,SUBJECT_ID\n1,100\n");
    write("IJBC/meta/ijbc_1N_gallery_G2.csv", "TEMPLATE_ID,SUBJECT_ID\n2,101\n");
    write("IJBC/meta/ijbc_1N_probe_mixed.csv", "TEMPLATE_ID,SUBJECT_ID\n11,100\n12,101\n13,102\n");
    const again = await perfectReport(join(folder, "IJBC"));
    expect(again.report).toMatchObject({ identification: { galleries: [{ name: "G1" }, { name: "G2" }] } });
  });

  test("missing images are named before anything is embedded", async () => {
    rmSync(join(folder, "IJBC/loose_crop/p1b.jpg"));
    await expect(openBenchmark(join(folder, "IJBC"))).rejects.toMatchObject({
      code: "E_DATA",
      message: expect.stringMatching(/IJBC: 1 of 6 images are missing \(.*p1b\.jpg\)/) as string,
    });
  });
});

describe("a manifest of groups", () => {
  const rows = [0, 1, 2].flatMap((p) =>
    ["a", "b"].map((k) => [`faces/p${p}${k}.jpg`, `person ${p}`, p < 2 ? "A" : "B"]),
  );
  const manifest = (extra: string[] = []) =>
    write(
      "groups/mfr.csv",
      ["image,identity,group,note", ...rows.map((row) => `${row.join(",")},x`), ...extra].join("\n"),
    );

  test("a row a group and one over all; columns that are not used are said", async () => {
    for (const [image] of rows) write(`groups/${image}`);
    const { benchmark, report } = await perfectReport(manifest());
    expect(benchmark).toMatchObject({ name: "mfr", kind: "groups", pairs: null });
    expect(benchmark.warnings).toEqual([`${join(folder, "groups/mfr.csv")}: columns not used: note`]);
    expect(report).toMatchObject({
      kind: "groups",
      images: 6,
      groups: [
        { name: "A", images: 4, genuines: 2, impostors: 4, auc: 1 },
        { name: "B", genuines: 1, impostors: 0, auc: null },
        { name: "all", images: 6 },
      ],
    });
  });

  test("an image on two lines, and a missing one, are refused", async () => {
    await expect(openBenchmark(manifest(["faces/p0a.jpg,person 1,B,x"]))).rejects.toThrow(
      /mfr\.csv:8: .*line 2 already/,
    );
    await expect(openBenchmark(manifest(["faces/none.jpg,person 1,B,x"]))).rejects.toThrow(
      "1 of 7 images are missing",
    );
  });
});

describe("what is no benchmark", () => {
  test.each<[string, () => string, string, RegExp]>([
    ["nothing there", () => join(folder, "none"), "E_FILE", /none: cannot open the benchmark: no such file/],
    [
      "a folder without a list",
      () => dirname(write("plain/p0.jpg")),
      "E_DATA",
      /plain: not a benchmark; expected a folder/,
    ],
    [
      "a folder of .bin files",
      () => dirname(write("emore/lfw.bin")),
      "E_DATA",
      /it has lfw\.bin: name one, such as .*emore\/lfw\.bin/,
    ],
    [
      "a pair list alone",
      () => write("alone/pairs.txt"),
      "E_DATA",
      /a pair list goes with its images: --data .*alone --pairs/,
    ],
    ["another file", () => write("notes.md"), "E_DATA", /notes\.md: not a benchmark/],
  ])("%s", async (_, make, code, message) => {
    await expect(openBenchmark(make())).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });

  test("a pair list does not go with a file", async () => {
    await expect(openBenchmark(write("x.bin"), { pairs: "pairs.txt" })).rejects.toMatchObject({
      code: "E_USAGE",
    });
  });
});
