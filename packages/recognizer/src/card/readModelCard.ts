// The file of a model card, YAML. Its keys: modelCard.ts.
import { readFile } from "node:fs/promises";
import { fileError, TopofrError } from "@topofr/formats";
import { LineCounter, parseDocument } from "yaml";
import { type CardFields, cardProblems } from "./modelCard.js";

/** `backbone.card.yaml` for `backbone.onnx`. */
export function cardPath(model: string): string {
  return `${model.replace(/\.[^./\\]+$/, "")}.card.yaml`;
}

/** @throws E_FILE; E_FORMAT naming line and key */
export async function readModelCard(path: string): Promise<CardFields> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw fileError(path, "read the model card", error);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [problem] = document.errors;
  if (problem) {
    const line = problem.linePos?.[0].line ?? 1;
    throw new TopofrError("E_FORMAT", `${path}:${line}: not YAML: ${problem.message.split("\n")[0]}`);
  }
  let fields: unknown;
  try {
    fields = document.toJS() ?? {};
  } catch (cause) {
    throw new TopofrError("E_FORMAT", `${path}: ${(cause as Error).message}`, { cause }); // an alias without anchor
  }
  const problems = cardProblems(fields);
  if (problems.length === 0) return fields as CardFields;
  const lineOf = (key: readonly string[]): string => {
    const node = document.getIn(key, true) as { range?: [number, number, number] } | undefined;
    return node?.range ? `:${lines.linePos(node.range[0]).line}` : "";
  };
  throw new TopofrError(
    "E_FORMAT",
    problems.map(({ key, message }) => `${path}${lineOf(key)}: ${message}`).join("\n"),
  );
}
