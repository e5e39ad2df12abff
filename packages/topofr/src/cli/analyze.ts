// topofr analyze: the paper's figures of the shape of data and embeddings, of any data set and model.

import type { Command } from "commander";
import { addDiagrams } from "./analyzeDiagrams.js";
import { addDiscrepancy } from "./analyzeDiscrepancy.js";
import { addEntropy } from "./analyzeEntropy.js";
import { addHardSamples } from "./analyzeHardSamples.js";
import { addCommand } from "./command.js";

export function addAnalyze(program: Command): void {
  const analyze = addCommand(
    program,
    "analyze",
    "Look at the shape of data and embeddings (the paper's figures).",
    ["analyze diagrams faces --count 1000", "analyze discrepancy runs/baseline runs/topofr"],
  );
  addDiagrams(analyze);
  addDiscrepancy(analyze);
  addEntropy(analyze);
  addHardSamples(analyze);
}
