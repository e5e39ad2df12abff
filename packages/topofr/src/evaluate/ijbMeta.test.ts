import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TopofrError } from "@topofr/formats";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readIjbMeta } from "./ijbMeta.js";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "ijb-"));
  await mkdir(join(root, "IJBC/meta"), { recursive: true });
});
afterEach(() => rm(root, { recursive: true }));

const LANDMARKS = "46.060 62.026 87.785 60.323 68.851 77.656 52.162 99.875 86.450 98.648";
const FILES = {
  "ijbc_face_tid_mid.txt": "1.jpg 1 69544\n2.jpg 1 69545\r\n3.jpg 17 69544\n",
  "ijbc_name_5pts_score.txt": `1.jpg ${LANDMARKS} 0.999\n2.jpg ${LANDMARKS} 1e-1\r\n3.jpg -1.5 ${LANDMARKS.slice(7)} .25\n\n`,
  "ijbc_template_pair_label.txt": "1 17 0\n17\t1 0\n1 1 1", // no newline at the end
};
const LISTS = {
  "ijbc_1N_gallery_G1.csv": "TEMPLATE_ID,SUBJECT_ID,FILENAME\n1,5,img/1.jpg\n1,5,img/2.jpg\n",
  "ijbc_1N_gallery_G2.csv": 'TEMPLATE_ID,SUBJECT_ID\r\n"17","6"\r\n',
  "ijbc_1N_probe_mixed.csv": "TEMPLATE_ID,SUBJECT_ID\n17,6\n1,5\n",
};

async function write(files: Record<string, string | Uint8Array>, name = "IJBC"): Promise<void> {
  for (const [file, text] of Object.entries(files)) await writeFile(join(root, name, "meta", file), text);
}

test("reads the files, whether the folder or its parent is named", async () => {
  await write(FILES);
  const meta = await readIjbMeta(root, "auto");
  expect(meta).toEqual(await readIjbMeta(join(root, "IJBC"), "IJBC"));
  expect(meta.name).toBe("IJBC");
  expect(meta.images).toEqual([1, 2, 3].map((n) => join(root, "IJBC/loose_crop", `${n}.jpg`)));
  expect([...meta.templateIds]).toEqual([1, 1, 17]);
  expect([...meta.mediaIds]).toEqual([69544, 69545, 69544]);
  expect([...meta.landmarks.subarray(20, 23)]).toEqual([-1.5, 62.026, 87.785].map(Math.fround));
  expect([...meta.detectorScores]).toEqual([0.999, 0.1, 0.25].map(Math.fround));
  expect([[...meta.pairs.first], [...meta.pairs.second], [...meta.pairs.same]]).toEqual([
    [1, 17, 1],
    [17, 1, 1],
    [0, 0, 1],
  ]);
  expect(meta.identification).toBeUndefined();
});

test("reads the 1:N lists; several lines of one template are one", async () => {
  await write({ ...FILES, ...LISTS });
  const { identification } = await readIjbMeta(root);
  expect(identification).toEqual({
    galleries: [
      { name: "G1", templateIds: Int32Array.of(1), subjectIds: Int32Array.of(5) },
      { name: "G2", templateIds: Int32Array.of(17), subjectIds: Int32Array.of(6) },
    ],
    probes: { templateIds: Int32Array.of(17, 1), subjectIds: Int32Array.of(6, 5) },
  });
});

test("wrong lines are named by file and line", async () => {
  const cases: [string, string, string][] = [
    [
      "ijbc_face_tid_mid.txt",
      "1.jpg 1\n",
      "ijbc_face_tid_mid.txt:1: media id is missing; expected a whole number",
    ],
    ["ijbc_face_tid_mid.txt", "1.jpg 1 2 3\n", 'unexpected "3" after the last field'],
    ["ijbc_face_tid_mid.txt", "1.jpg 1 -2\n", 'media id is "-2"'],
    ["ijbc_face_tid_mid.txt", "1.jpg 2147483648 2\n", 'template id is "2147483648"'],
    ["ijbc_face_tid_mid.txt", "../1.jpg 1 2\n", 'image name "../1.jpg" leaves the loose_crop folder'],
    ["ijbc_face_tid_mid.txt", "1.jpg 1 2\n1.jpg 1 3\n", '"1.jpg" is listed twice in template 1'],
    ["ijbc_face_tid_mid.txt", "", "the file lists no image"],
    ["ijbc_face_tid_mid.txt", "1.jpg 1 1\n", 'score.txt:2: image 2 is "2.jpg", but'],
    ["ijbc_face_tid_mid.txt", "1.jpg 1 1\n9.jpg 1 2\n", "row i of both files must be one image"],
    ["ijbc_name_5pts_score.txt", `1.jpg ${LANDMARKS} 0.9\n`, "1 images, but"],
    ["ijbc_name_5pts_score.txt", `1.jpg ${LANDMARKS}\n`, "score.txt:1: detector score is missing"],
    ["ijbc_name_5pts_score.txt", "1.jpg 1 2 x 4 5 6 7 8 9 10 1\n", 'landmark is "x"; expected a number'],
    ["ijbc_name_5pts_score.txt", `1.jpg ${LANDMARKS} nan\n`, 'detector score is "nan"'],
    ["ijbc_template_pair_label.txt", "1 17 0\n\n1 17 2\n", "label.txt:3: label 2; expected 1"],
    ["ijbc_template_pair_label.txt", "1 17 0\n1 17", "label.txt:2: label is missing"],
    ["ijbc_template_pair_label.txt", "1,17,0\n", 'first template id is "1,17,0"'],
    ["ijbc_template_pair_label.txt", "\n\n", "the file lists no pair"],
    ["ijbc_1N_gallery_G1.csv", "1,5\n2,6\n", "G1.csv:1: the header line is missing"],
    [
      "ijbc_1N_gallery_G1.csv",
      "T,S\n1,5\n1,6\n",
      "G1.csv:3: template 1 is subject 6 here and subject 5 before",
    ],
    ["ijbc_1N_gallery_G1.csv", "T,S\n1;5\n", 'G1.csv:2: "1;5"; expected a template id and a subject id'],
    ["ijbc_1N_gallery_G1.csv", "T,S\n", "no template after the header"],
  ];
  for (const [file, text, message] of cases) {
    await write({ ...FILES, ...LISTS, [file]: text });
    await expect(readIjbMeta(root), `${file}: ${text}`).rejects.toThrow(message);
  }
});

test("missing files and folders are named", async () => {
  await expect(readIjbMeta(join(root, "nowhere"))).rejects.toThrow("cannot open the IJB folder");
  await expect(readIjbMeta(root)).rejects.toThrow(
    "no meta/ijbb_face_tid_mid.txt or meta/ijbc_face_tid_mid.txt",
  );
  await write({ "ijbc_face_tid_mid.txt": FILES["ijbc_face_tid_mid.txt"] });
  await expect(readIjbMeta(root)).rejects.toThrow("ijbc_name_5pts_score.txt: cannot open the file");
  await write({ ...FILES, "ijbc_1N_gallery_G1.csv": LISTS["ijbc_1N_gallery_G1.csv"] });
  await expect(readIjbMeta(root)).rejects.toThrow("ijbc_1N_probe_mixed.csv is missing");
  await mkdir(join(root, "IJBB/meta"), { recursive: true });
  await write({ "ijbb_face_tid_mid.txt": "1.jpg 1 1\n" }, "IJBB");
  await expect(readIjbMeta(root)).rejects.toThrow("holds both IJBB and IJBC");
});

test("files of more than one block keep their lines and line numbers", async () => {
  const line = (k: number) => `${k} ${k + 1} ${k % 2}\n`;
  const lines = Array.from({ length: 400_000 }, (_, k) => line(k));
  await write({ ...FILES, "ijbc_template_pair_label.txt": lines.join("") });
  const { pairs } = await readIjbMeta(root);
  expect(pairs.first.length).toBe(lines.length);
  expect(pairs.first.every((id, k) => id === k && pairs.second[k] === k + 1 && pairs.same[k] === k % 2)).toBe(
    true,
  );
  lines[399_998] = "1 2 x\n";
  await write({ "ijbc_template_pair_label.txt": lines.join("") });
  await expect(readIjbMeta(root)).rejects.toThrow('label.txt:399999: label is "x"');
  await write({ "ijbc_template_pair_label.txt": `1 2 0\n${"1".repeat(5_000_000)}` });
  await expect(readIjbMeta(root)).rejects.toThrow("label.txt:2: the line is longer than 4194304 bytes");
});

test("any bytes are either read or refused by a named error", async () => {
  const files = { ...FILES, ...LISTS };
  const names = Object.keys(files) as (keyof typeof files)[];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      fc.array(fc.tuple(fc.nat(400), fc.oneof(fc.nat(255), fc.constantFrom(10, 13, 32, 44, 46, 45))), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.option(fc.uint8Array({ maxLength: 60 })),
      async (name, changes, random) => {
        const bytes = random ?? Buffer.from(files[name]);
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        await write({ ...files, [name]: bytes });
        await readIjbMeta(root).catch((error) => expect(error).toBeInstanceOf(TopofrError));
      },
    ),
    { seed: 14, numRuns: 150 },
  );
});
