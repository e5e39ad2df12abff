import { liveTensors } from "@topofr/torch";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type GroupImages, groupVerification, ROLES } from "./groups.js";
import { rocCurve, tarAtFar } from "./roc.js";

const DIMENSION = 3;
const FARS = [0.01, 0.1, 0.5];

/** Images with embeddings near a direction per identity, unnormalised. */
function imagesOf(identityIds: number[], groupIds: number[], roles?: number[]): GroupImages {
  const embeddings = identityIds.flatMap((id, i) =>
    Array.from(
      { length: DIMENSION },
      (_, d) => (i + 1) * (Math.sin(id * 7.7 + d * 2.1) + 0.3 * Math.sin(i * 3.3 + d)),
    ),
  );
  return {
    embeddings: Float32Array.from(embeddings),
    dimension: DIMENSION,
    identityIds: Int32Array.from(identityIds),
    groupIds: Int32Array.from(groupIds),
    groupNames: Array.from({ length: Math.max(...groupIds) + 1 }, (_, g) => `group ${g}`),
    ...(roles === undefined ? {} : { roles: Uint8Array.from(roles) }),
  };
}

/** The scores of the pairs that `counts` accepts, one by one. */
function bruteForce(images: GroupImages, counts: (a: number, b: number) => boolean) {
  const scores: number[] = [];
  const same: number[] = [];
  const at = (i: number) => [...images.embeddings.subarray(i * DIMENSION, (i + 1) * DIMENSION)];
  for (let a = 0; a < images.identityIds.length; a++) {
    for (let b = a + 1; b < images.identityIds.length; b++) {
      if (!counts(a, b)) continue;
      const dot = at(a).reduce((sum, value, d) => sum + value * at(b)[d]!, 0);
      scores.push(dot / (Math.hypot(...at(a)) * Math.hypot(...at(b))));
      same.push(Number(images.identityIds[a] === images.identityIds[b]));
    }
  }
  const genuines = same.filter(Boolean).length;
  return { scores, same, genuines, impostors: same.length - genuines };
}

test("every row counts the pairs that brute force scores, with the same rates", async () => {
  const image = fc.record({
    identity: fc.nat(5),
    group: fc.nat(2),
    role: fc.constantFrom(ROLES.gallery, ROLES.probe),
  });
  const before = liveTensors();
  await fc.assert(
    fc.asyncProperty(
      fc.array(image, { minLength: 2, maxLength: 60 }),
      fc.boolean(),
      async (list, useRoles) => {
        const groups = [...new Set(list.map(({ group }) => group))];
        const images = imagesOf(
          list.map(({ identity }) => identity),
          list.map(({ group }) => groups.indexOf(group)),
          useRoles ? list.map(({ role }) => role) : undefined,
        );
        const { groupIds, groupNames, roles } = images;
        const crosses = (a: number, b: number) => roles === undefined || roles[a] !== roles[b];
        const rows = await groupVerification(images, { fars: FARS });
        expect(rows.map(({ name }) => name)).toEqual(
          groupNames.length > 1 ? [...groupNames, "all"] : groupNames,
        );
        rows.forEach((row, g) => {
          const isUnion = g === groupNames.length;
          const { scores, same, genuines, impostors } = bruteForce(
            images,
            (a, b) => crosses(a, b) && (isUnion || (groupIds[a] === g && groupIds[b] === g)),
          );
          expect(row).toMatchObject({ genuines, impostors });
          if (genuines === 0 || impostors === 0) {
            expect(row).toMatchObject({ auc: null, eer: null, tarAtFar: null, roc: null });
            expect(row.reason).toContain(
              genuines === 0 ? "no pair of one identity" : "no pair of two identities",
            );
            return;
          }
          const exact = rocCurve(Float64Array.from(scores), Uint8Array.from(same));
          FARS.forEach((far, k) => {
            const { tar, threshold, farReached } = tarAtFar(exact, far);
            expect(row.tarAtFar![k]).toMatchObject({ far, tar, farReached });
            if (Number.isFinite(threshold)) expect(row.tarAtFar![k]!.threshold).toBeCloseTo(threshold, 6);
          });
        });
      },
    ),
    { seed: 17, numRuns: 12 },
  );
  expect(liveTensors()).toBe(before);
});

test("more images than a block: triangle and rectangles cover every pair once", async () => {
  const ids = Array.from({ length: 2100 }, (_, i) => i % 1000);
  const groups = ids.map((_, i) => Number(i >= 2060));
  const seen: number[] = [];
  const [first, second, all] = await groupVerification(imagesOf(ids, groups), {
    onProgress: (done, total) => seen.push(done / total),
  });
  expect(first!.genuines + first!.impostors).toBe((2060 * 2059) / 2);
  expect(first!.genuines).toBe(940 + 3 * 60); // 940 identities twice, 60 three times
  expect(second).toMatchObject({ images: 40, identities: 40, genuines: 0, impostors: 780 });
  expect(all).toMatchObject({ images: 2100, identities: 1000, genuines: 900 + 3 * 100 });
  expect(all!.genuines + all!.impostors).toBe((2100 * 2099) / 2);
  expect(all!.tarAtFar![0]!.note).toContain("false accepts expected");
  expect(seen.at(-1)).toBe(1);
});

test("separable identities: TAR 1, AUC 1, EER 0 and an exact threshold", async () => {
  const images = imagesOf([0, 0, 1, 1], [0, 0, 0, 0]);
  images.embeddings.set([1, 0, 0, 2, 0, 0, 0, 3, 0, 0, 1, 0]);
  const [row, ...others] = await groupVerification(images, { fars: [1e-3] });
  expect(others).toEqual([]); // one group needs no union
  expect(row).toMatchObject({ auc: 1, eer: 0, genuines: 2, impostors: 4, reason: null });
  expect(row!.tarAtFar![0]).toMatchObject({ far: 1e-3, farReached: 0, tar: 1, threshold: 1 });
});

test("a union may be named; groups with roles stay out of the default one", async () => {
  const { all, gallery, probe } = ROLES;
  const images = imagesOf(
    [0, 1, 0, 1, 0, 1, 0, 1],
    [0, 0, 1, 1, 2, 2, 2, 2],
    [all, all, all, all, gallery, gallery, probe, probe],
  );
  const names = async (union?: { name: string; groups: string[] } | null) =>
    (await groupVerification(images, union === undefined ? {} : { union })).map(({ name, images }) => [
      name,
      images,
    ]);
  expect((await names()).at(-1)).toEqual(["all", 4]);
  expect((await names(null)).length).toBe(3);
  expect((await names({ name: "MR-All", groups: ["group 0"] })).at(-1)).toEqual(["MR-All", 2]);
  await expect(names({ name: "MR-All", groups: ["group 9"] })).rejects.toThrow(
    'MR-All: there is no group "group 9"',
  );
  await expect(names({ name: "MR-All", groups: ["group 0", "group 2"] })).rejects.toThrow(
    "some of its groups have probes and a gallery and some do not",
  );
});

test("bad input is named, and an aborted run stops", async () => {
  const images = imagesOf([0, 0, 1], [0, 0, 0]);
  const broken = images.embeddings.slice();
  broken[4] = Number.NaN;
  await expect(groupVerification({ ...images, embeddings: broken })).rejects.toThrow("row 1 of 3 holds NaN");
  broken.fill(0, 3, 6);
  await expect(groupVerification({ ...images, embeddings: broken })).rejects.toThrow(
    "row 1 of 3 holds only zeros",
  );
  await expect(groupVerification({ ...images, groupIds: Int32Array.of(0) })).rejects.toThrow(
    "1 groups for 3 images",
  );
  await expect(groupVerification({ ...images, groupIds: Int32Array.of(0, 1, 0) })).rejects.toThrow(
    "image 1: group 1 of 1 does not exist",
  );
  await expect(groupVerification({ ...images, groupNames: ["group 0", "other"] })).rejects.toThrow(
    "group other: no image is in it",
  );
  await expect(groupVerification({ ...images, identityIds: Int32Array.of(0) })).rejects.toThrow(
    "1 identities for 3 embeddings",
  );
  await expect(groupVerification({ ...images, roles: Uint8Array.of(1, 2, 0) })).rejects.toThrow(
    "2 of 3 images are probe or gallery",
  );
  await expect(groupVerification(images, { fars: [0] })).rejects.toThrow("FAR 0: expected more than 0");
  await expect(groupVerification(images, { signal: AbortSignal.abort() })).rejects.toThrow("abort");
});
