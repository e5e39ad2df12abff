// A share of the people of an image folder, as a folder of links: no image is copied. Shares of one folder hold each other.
import { mkdir, readdir, rename, rm, stat, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileError, TopofrError } from "@topofr/formats";
import { openDataset } from "../data/openDataset.js";
import { RandomStream } from "../random/stream.js";

/**
 * Makes `folder` unless it is there already.
 *
 * @param share of the people, above 0, at most 1; rounded up to two people
 * @throws E_DATA when the data are no image folder; E_RECIPE for another share; E_FILE when links cannot be made
 */
export async function linkShare(data: string, share: number, folder: string): Promise<void> {
  if (!(share > 0 && share <= 1))
    throw new TopofrError("E_RECIPE", `data.share: expected a number above 0 and at most 1, found ${share}`);
  if (await stat(folder).catch(() => null)) return;
  const dataset = await openDataset(data);
  if (!("root" in dataset) || (dataset as { kind: string }).kind !== "folder")
    throw new TopofrError(
      "E_DATA",
      `${data}: shares are taken of image folders only; "topofr data pack" turns other forms into one`,
    );
  const { identities } = dataset;
  const order = new RandomStream(0, "data share").permutation(identities.length);
  const count = Math.min(identities.length, Math.max(2, Math.round(share * identities.length)));
  const unfinished = `${folder}.unfinished`;
  try {
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true });
    for (const index of order.subarray(0, count)) {
      const name = identities[index]!;
      await symlink(join(resolve(data), name), join(unfinished, name), "junction");
    }
    await rename(unfinished, folder);
  } catch (error) {
    // Another run of this experiment may have made the same folder meanwhile.
    if ((await readdir(folder).catch(() => [])).length === count) return;
    throw fileError(folder, "link a share of the data", error);
  }
}
