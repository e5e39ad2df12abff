import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder, topofrError } from "./formats.test.helpers.js";
import { writeFileAtomic } from "./writeFileAtomic.js";

test("chunks small and large come out in order, and no other file stays", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "file");
  const chunks = [1, 700_000, 700_000, 3_000_000, 0, 5].map((length, i) =>
    new Uint8Array(length).fill(i + 1),
  );
  await writeFileAtomic(path, chunks);
  expect(readFileSync(path).equals(Buffer.concat(chunks))).toBe(true);
  expect(readdirSync(folder)).toEqual(["file"]);
});

test("a disk that is full half-way leaves the previous file and removes the temporary one", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "file");
  writeFileSync(path, "previous");
  async function* chunks() {
    yield new Uint8Array(2_000_000);
    throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  }
  const error = await topofrError(() => writeFileAtomic(path, chunks()));
  expect(error.code).toBe("E_FILE");
  expect(error.message).toBe(
    `${path}: cannot write the file (any earlier version is unchanged): ` +
      "the disk is full; free some space or choose another folder (ENOSPC)",
  );
  expect(readFileSync(path, "utf8")).toBe("previous");
  expect(readdirSync(folder)).toEqual(["file"]);
});

test("a write that the kernel refuses half-way leaves the previous file (file size limit of a child process)", () => {
  const folder = temporaryFolder();
  const path = join(folder, "file");
  writeFileSync(path, "previous");
  const module = new URL("./writeFileAtomic.js", import.meta.url).href;
  const script =
    `const { writeFileAtomic } = await import(${JSON.stringify(module)});` +
    `await writeFileAtomic(${JSON.stringify(path)}, [new Uint8Array(5e6)]).catch((e) => console.log(e.code, e.message));`;
  const command = `ulimit -f 1000; exec "${process.execPath}" --input-type=module -e '${script}'`;
  const output = execFileSync("/bin/sh", ["-c", command], { encoding: "utf8" });
  expect(output).toMatch(/^E_FILE .*larger than .* allows.*\(EFBIG\)/);
  expect(readFileSync(path, "utf8")).toBe("previous");
  expect(readdirSync(folder)).toEqual(["file"]);
});

test("what the chunks throw comes through unchanged, after the clean-up", async () => {
  const folder = temporaryFolder();
  const bug = new TypeError("bug in the caller");
  async function* chunks() {
    yield new Uint8Array(10);
    throw bug;
  }
  await expect(writeFileAtomic(join(folder, "file"), chunks())).rejects.toBe(bug);
  expect(readdirSync(folder)).toEqual([]);
});

test("a missing folder, and a folder in the file's place, are told apart", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "taken"));
  const missing = await topofrError(() => writeFileAtomic(join(folder, "no", "file"), []));
  expect(missing.message).toMatch(/no such file or folder; check the path \(ENOENT\)/);
  const taken = await topofrError(() => writeFileAtomic(join(folder, "taken"), [new Uint8Array(1)]));
  expect(taken.code).toBe("E_FILE");
  expect(readdirSync(folder)).toEqual(["taken"]);
});

test("the temporary file of a writer that was killed is in nobody's way", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "file");
  for (let n = 0; n < 20; n++)
    writeFileSync(`${path}.tmp-${process.pid}-${n}`, "a longer rest than what follows");
  await writeFileAtomic(path, [Buffer.from("new")]);
  expect(readFileSync(path, "utf8")).toBe("new");
});
