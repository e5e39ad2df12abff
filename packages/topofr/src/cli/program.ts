// The program with all its commands. Starting it as a process: main.ts.

import type { Command } from "commander";
import { addAnalyze } from "./analyze.js";
import { addBench } from "./bench.js";
import { createProgram } from "./command.js";
import { addCompare } from "./compare.js";
import { addData } from "./data.js";
import { addDemo } from "./demo.js";
import { addDoctor } from "./doctor.js";
import { addEmbed } from "./embed.js";
import { addEnroll } from "./enroll.js";
import { addEvaluate } from "./evaluate.js";
import { addExperiment } from "./experiment.js";
import { addExport } from "./export.js";
import { addGallery } from "./gallery.js";
import { addIdentify } from "./identify.js";
import { addServe } from "./serve.js";
import { addTrain } from "./train.js";
import { addVerify } from "./verify.js";

export function topofrProgram(version: string): Command {
  const program = createProgram(version);
  addTrain(program);
  addBench(program);
  addEvaluate(program);
  addCompare(program);
  addExperiment(program);
  addAnalyze(program);
  addExport(program, version);
  addEmbed(program);
  addVerify(program);
  addEnroll(program);
  addIdentify(program);
  addGallery(program);
  addServe(program);
  addData(program);
  addDoctor(program);
  addDemo(program);
  return program;
}
