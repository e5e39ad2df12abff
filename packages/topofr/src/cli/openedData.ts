// Opens a data set for a command: shows what takes long, says what is odd about it.

import { type OpenedDataset, openDataset } from "../data/openDataset.js";
import { note } from "./command.js";
import { StatusLine } from "./progressView.js";

const PATIENCE_MS = 1000; // most sets are open before anything need be shown

/** @param options `cache`: keep listings and scans for the next time, and use those kept */
export async function openDataForCommand(path: string, options: { cache: boolean }): Promise<OpenedDataset> {
  const line = new StatusLine();
  const started = performance.now();
  const onProgress = (doing: string, done: number, total: number): void => {
    if (performance.now() - started < PATIENCE_MS) return;
    line.update((width) => `${Math.floor((100 * done) / total)}% ${doing}`.slice(0, width));
  };
  const dataset = await openDataset(path, { ...options, onProgress }).finally(() => line.clear());
  for (const warning of dataset.warnings) note(`warning: ${warning}`);
  return dataset;
}

const NAMES_SHOWN = 5;

/** Says how many there are of something, and names the first of them. */
export function noteSome(items: readonly string[], what: string): void {
  if (items.length === 0) return;
  note(`${items.length} ${what}:`);
  for (const item of items.slice(0, NAMES_SHOWN)) note(`  ${item}`);
  if (items.length > NAMES_SHOWN) note(`  … and ${items.length - NAMES_SHOWN} more`);
}

export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let value = bytes;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value.toFixed(0) : value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
}
