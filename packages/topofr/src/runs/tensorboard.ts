// Run events as TensorBoard scalars. The event log is the source: a resumed run writes the folder anew from what the
// log kept, so that curves have no second branch. The file format: tfevents.ts of @topofr/formats.

import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { openTfEvents, type TfEventsWriter } from "@topofr/formats";
import type { LoggedEvent } from "./events.js";

export interface Scalar {
  tag: string;
  value: number;
}

/** The curves of one event; none for events without numbers. */
export function scalarsOf(event: LoggedEvent): Scalar[] {
  if (event.type === "step") {
    const scalars: [string, number | null | undefined][] = [
      ["loss/total", event.loss],
      ["loss/classification", event.classificationLoss],
      ["loss/alignment", event.alignmentLoss],
      ["accuracy/batch", event.accuracy],
      ["method/omega mean", event.omegaMean],
      ["method/embedding norm", event.embeddingNorm],
      ["optimiser/learning rate", event.learningRate],
      ["optimiser/gradient norm", event.gradientNorm],
      ["speed/images per second", event.imagesPerSecond],
      ["epoch", event.epoch],
    ];
    return scalars.flatMap(([tag, value]) => (typeof value !== "number" ? [] : { tag, value }));
  }
  if (event.type === "evaluation")
    return Object.entries(event.metrics).map(([metric, value]) => ({
      tag: `${event.name}/${metric}`,
      value,
    }));
  return [];
}

export interface TensorBoardSink {
  write(event: LoggedEvent): void;
  close(): void;
}

/**
 * Clears the folder's event files, writes `kept` (the log so far) and takes further events.
 *
 * @throws TopofrError E_FILE when the folder cannot be written; so may `write` and `close`
 */
export async function openTensorBoard(
  folder: string,
  kept: readonly LoggedEvent[],
): Promise<TensorBoardSink> {
  for (const name of await readdir(folder).catch((): string[] => []))
    if (name.startsWith("events.out.tfevents.")) await rm(join(folder, name));
  const writer = openTfEvents(folder, { host: "topofr" }); // no machine name in what may be shared
  for (const event of kept) writeScalars(writer, event);
  writer.flush();
  return {
    write(event) {
      writeScalars(writer, event);
      if (event.type === "checkpoint" || event.type === "evaluation") writer.flush();
    },
    close: () => writer.close(),
  };
}

function writeScalars(writer: TfEventsWriter, event: LoggedEvent): void {
  for (const { tag, value } of scalarsOf(event)) writer.scalar(tag, value, event.step, event.time);
}
