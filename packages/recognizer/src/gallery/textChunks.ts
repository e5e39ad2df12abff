// Text files a piece at a time, whatever their size.
import { createReadStream } from "node:fs";
import { fileError, TopofrError } from "@topofr/formats";

const MAX_LINE = 8 * 1024 * 1024; // characters

/** The file as text. @throws E_FILE */
export async function* textChunks(path: string): AsyncGenerator<string> {
  const stream = createReadStream(path, { encoding: "utf8" });
  try {
    for await (const chunk of stream) yield chunk as string;
  } catch (error) {
    throw stream.errored === null ? error : fileError(path, "read the file", error);
  }
}

/** Lines that are not blank, with their numbers. @throws E_FILE; E_FORMAT for a line without end */
export async function* textLines(path: string): AsyncGenerator<{ line: number; text: string }> {
  let rest = "";
  let line = 1;
  for await (const chunk of textChunks(path)) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop()!;
    for (const text of parts) {
      if (text.trim() !== "") yield { line, text };
      line++;
    }
    if (rest.length > MAX_LINE)
      throw new TopofrError(
        "E_FORMAT",
        `${path}:${line}: longer than ${MAX_LINE} characters; not a file of embeddings`,
      );
  }
  if (rest.trim() !== "") yield { line, text: rest };
}
