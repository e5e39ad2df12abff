// Writes tar files that WebDataset reads: `identity/file.jpg` with `identity/file.cls`, the label, beside it. Reading: tarDataset.ts.
import { basename, dirname, join, resolve } from "node:path";
import { TarWriter, TopofrError } from "@topofr/formats";
import type { PackInput } from "./packInput.js";
import { exactly, literally, openFileTarget, splitTarget } from "./target.js";

const SHARD_DIGITS = 6; // WebDataset's custom: faces-000000.tar

/**
 * @param shardImages images a file, `path` numbered `-000000` and so on; null: one file
 * @returns the paths written
 */
export async function writeTar(
  path: string,
  input: PackInput,
  shardImages: number | null,
): Promise<string[]> {
  const { folder, stem } = splitTarget(path, ".tar");
  const files =
    shardImages === null
      ? exactly(basename(path))
      : new RegExp(`^${literally(stem)}-\\d{${SHARD_DIGITS}}\\.tar$`);
  const own = input.readFrom.find((read) => dirname(read) === resolve(folder) && files.test(basename(read)));
  if (own !== undefined && shardImages !== null)
    throw new TopofrError(
      "E_USAGE",
      `${own}: is what the images are read from; choose another name for the new set`,
    );
  const mark = shardImages === null ? null : `${stem}.unfinished.json`;
  const finish = await openFileTarget(folder, { files, mark, overwrite: input.overwrite });
  const paths: string[] = [];
  let writer: TarWriter | null = null;
  let inShard = 0;
  try {
    for await (const { name, label, bytes } of input.images) {
      if (writer === null || inShard === shardImages) {
        await writer?.close();
        const number = String(paths.length).padStart(SHARD_DIGITS, "0");
        paths.push(shardImages === null ? path : join(folder, `${stem}-${number}.tar`));
        writer = await TarWriter.open(paths.at(-1)!);
        inShard = 0;
      }
      await writer.add(name, bytes);
      await writer.add(`${name.replace(/\.[^./]*$/, "")}.cls`, Buffer.from(String(label)));
      inShard++;
    }
    await writer?.close();
  } catch (error) {
    await writer?.abort();
    throw error;
  }
  await finish();
  return paths;
}
