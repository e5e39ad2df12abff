#!/usr/bin/env node
// The process around the program: arguments in, exit status out. Only cli/ prints.

import { packageVersion } from "../runs/environment.js";
import { runProgram } from "./command.js";
import { topofrProgram } from "./program.js";

// `topofr … | head` closes the pipe early; that is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

process.exitCode = await runProgram(topofrProgram(await packageVersion()), process.argv.slice(2));
