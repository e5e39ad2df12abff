// The program with all its commands. Starting it as a process: main.ts.

import type { Command } from "commander";
import { addAnalyze } from "./analyze.js";
import { createProgram } from "./command.js";
import { addCompare } from "./compare.js";
import { addData } from "./data.js";
import { addDemo } from "./demo.js";
import { addDoctor } from "./doctor.js";
import { addEvaluate } from "./evaluate.js";
import { addExperiment } from "./experiment.js";
import { addExport } from "./export.js";
import { addTrain } from "./train.js";

export function topofrProgram(version: string): Command {
  const program = createProgram(version);
  addTrain(program);
  addEvaluate(program);
  addCompare(program);
  addExperiment(program);
  addAnalyze(program);
  addExport(program, version);
  addData(program);
  addDoctor(program);
  addDemo(program);
  return program;
}
