// topofr data: the commands that make, look at and convert data sets.

import type { Command } from "commander";
import { addCommand } from "./command.js";
import { addAlign } from "./dataAlign.js";
import { addInfo } from "./dataInfo.js";
import { addPack } from "./dataPack.js";
import { addPairs } from "./dataPairs.js";
import { addSynthesize } from "./dataSynthesize.js";

export function addData(program: Command): void {
  const data = addCommand(program, "data", "Make, look at and convert data sets.", [
    "data info faces",
    "data pack faces faces.tar",
  ]);
  addInfo(data);
  addPack(data);
  addAlign(data);
  addPairs(data);
  addSynthesize(data);
}
