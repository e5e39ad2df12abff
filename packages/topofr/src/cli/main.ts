#!/usr/bin/env node
// The command line: the program, its commands, and the exit status. Only cli/ prints.

import { packageVersion } from "../runs/environment.js";
import { createProgram, runProgram } from "./command.js";
import { addData } from "./dataSynthesize.js";
import { addDemo } from "./demo.js";
import { addDoctor } from "./doctor.js";
import { addEvaluate } from "./evaluate.js";
import { addTrain } from "./train.js";

// `topofr … | head` closes the pipe early; that is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

const program = createProgram(await packageVersion());
addTrain(program);
addEvaluate(program);
addData(program);
addDoctor(program);
addDemo(program);
process.exitCode = await runProgram(program, process.argv.slice(2));
