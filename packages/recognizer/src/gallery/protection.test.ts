// Encryption and revocable templates: what the file shows, what opens it, what is noticed.
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { dot, newGallery, topofrError, unitVectors, withGallery } from "./gallery.test.support.js";
import { openGallery } from "./openGallery.js";
import { secretRotation } from "./rotation.js";

const passphraseCost = 2 ** 10; // quick
const passphrase = "korrekt horse";

describe("encryption", () => {
  async function encrypted() {
    const { path, gallery } = await newGallery(8, { passphrase, passphraseCost });
    const vectors = unitVectors(3, 8);
    for (const [i, embedding] of vectors.entries())
      await gallery.add([{ identity: `Person ${i}`, embedding, note: "a note" }]);
    await gallery.close();
    return { path, vectors };
  }

  test("neither names nor numbers are in the file; the passphrase opens it, also after a rewrite", async () => {
    const { path, vectors } = await encrypted();
    const bytes = readFileSync(path);
    expect(bytes.includes("Person")).toBe(false);
    expect(bytes.includes("a note")).toBe(false);
    expect(bytes.includes(Buffer.from(vectors[0]!.buffer).subarray(0, 8))).toBe(false);
    expect(bytes.includes("aes-256-gcm")).toBe(true);
    await withGallery(path, { passphrase }, async (gallery) => {
      expect(await gallery.search(vectors[1]!, { top: 1 })).toMatchObject([{ identity: "Person 1" }]);
      expect(gallery.info().encrypted).toBe(true);
      await gallery.remove({ identity: "Person 0" });
    });
    await withGallery(path, { passphrase }, (gallery) => expect(gallery.identities()).toHaveLength(2));
  });

  test("a wrong passphrase, none, and one too many", async () => {
    const { path } = await encrypted();
    const message = async (options: object, file = path) =>
      (await topofrError(() => openGallery(file, options))).message;
    expect(await message({ passphrase: "correct horse" })).toBe(`${path}: wrong passphrase`);
    expect(await message({})).toBe(`${path}: is encrypted; give its passphrase`);
    expect(await message({ passphrase: "" })).toBe("the passphrase of a gallery is empty");
    const { path: plain, gallery } = await newGallery(8);
    await gallery.close();
    expect(await message({ passphrase }, plain)).toMatch(/is not encrypted; leave the passphrase out/);
  });

  test("records that were changed, reordered or brought in are noticed, though their checksums are right", async () => {
    const [a, b] = [await encrypted(), await encrypted()];
    const { recordHead } = await import("./logFormat.js");
    const recordsOf = (path: string) => {
      const bytes = readFileSync(path);
      const records: Buffer[] = [];
      const start = 32 + bytes.readUInt32LE(12);
      for (let at = start; at < bytes.length; ) {
        const end = at + 8 + bytes.readUInt32LE(at);
        records.push(bytes.subarray(at, end));
        at = end;
      }
      return { head: bytes.subarray(0, start), records };
    };
    const { head, records } = recordsOf(a.path);
    const [first, second, third] = records as [Buffer, Buffer, Buffer];
    const payload = Uint8Array.from(first.subarray(8));
    payload[20]! ^= 1;
    const changed = Buffer.concat([recordHead(payload), payload]);
    const foreign = recordsOf(b.path).records[0]!;
    for (const forged of [
      [changed, second, third],
      [second, first, third],
      [foreign, second, third],
      [second, third, first],
    ]) {
      writeFileSync(a.path, Buffer.concat([head, ...forged]));
      expect(await topofrError(() => openGallery(a.path, { passphrase }))).toMatchObject({
        code: "E_FORMAT",
        message: expect.stringMatching(
          /record 0 at byte \d+: it was changed, or is of another gallery/,
        ) as string,
      });
    }
  });
});

describe("revocable templates", () => {
  const secret = Uint8Array.from({ length: 32 }, (_, i) => 7 * i);

  test("the rotation keeps products, is undone, and is another for another secret", () => {
    const [a, b] = unitVectors(2, 24) as [Float32Array, Float32Array];
    const rotation = secretRotation(secret, 24);
    const [turnedA, turnedB] = [rotation.apply(a), rotation.apply(b)];
    expect(dot(turnedA, turnedB)).toBeCloseTo(dot(a, b), 6);
    expect(dot(turnedA, turnedA)).toBeCloseTo(1, 6);
    rotation.undo(turnedA).forEach((value, i) => {
      expect(value).toBeCloseTo(a[i]!, 6);
    });
    expect(secretRotation(secret, 24).apply(a)).toEqual(turnedA);
    const other = secretRotation(randomBytes(32), 24).apply(a);
    expect(Math.abs(dot(other, turnedA))).toBeLessThan(0.9);
  });

  test("a stored template is as like its face as any vector: the mean of squared cosines is 1/dimension", () => {
    const dimension = 16;
    const cosines: number[] = [];
    for (let i = 0; i < 400; i++) {
      const rotation = secretRotation(
        Uint8Array.from({ length: 32 }, (_, k) => i >> (k % 9)).fill(i & 255, 0, 4),
        dimension,
      );
      const axis = Float32Array.from({ length: dimension }, (_, k) => (k === i % dimension ? 1 : 0));
      cosines.push(dot(rotation.apply(axis), axis));
    }
    const mean = cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length;
    const square = cosines.reduce((sum, cosine) => sum + cosine ** 2, 0) / cosines.length;
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(dimension * cosines.length)); // four standard errors
    expect(square * dimension).toBeCloseTo(1, 0.4);
  });

  test("search and export are as without it, the file is not; the secret is needed, and the right one", async () => {
    const vectors = unitVectors(20, 12);
    const { path, gallery } = await newGallery(12, { secret });
    await gallery.add(vectors.map((embedding, i) => ({ identity: `p${i}`, embedding })));
    const [best] = await gallery.search(vectors[7]!, { top: 1 });
    expect(best).toMatchObject({ identity: "p7", similarity: expect.closeTo(1, 5) as number });
    [...gallery.templates()].forEach(({ embedding }, i) => {
      expect(dot(embedding, vectors[i]!)).toBeCloseTo(1, 5);
    });
    await gallery.close();
    expect(readFileSync(path).includes(Buffer.from(vectors[7]!.buffer).subarray(0, 12))).toBe(false);
    const message = async (options: object) => (await topofrError(() => openGallery(path, options))).message;
    expect(await message({})).toMatch(/its templates are revocable; give the secret/);
    expect(await message({ secret: new Uint8Array(32) })).toMatch(/wrong secret/);
    expect(await message({ secret: new Uint8Array(5) })).toMatch(/has 5 bytes; expected 32/);
    await withGallery(path, { secret, readOnly: true }, async (again) => {
      expect((await again.search(vectors[3]!, { top: 1 }))[0]).toMatchObject({ identity: "p3" });
      expect(again.info().revocable).toBe(true);
    });
  });
});
