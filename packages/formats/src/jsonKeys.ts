// Finds the keys of a JSON object that JSON.parse hides: their order and duplicates. Not a validator: text that
// is not JSON gives some answer, and JSON.parse then says what is wrong with it. O(length) time.

export interface JsonKeys {
  /** Keys of the outermost object, in the order of the text. */
  topLevel: string[];
  /** The first key that occurs twice in one object, as the text has it. */
  duplicate: { key: string; position: number } | null;
  /** Where objects and arrays nest deeper than allowed. */
  tooDeep: { position: number } | null;
}

export function jsonKeys(text: string, maxDepth: number): JsonKeys {
  const result: JsonKeys = { topLevel: [], duplicate: null, tooDeep: null };
  const seen: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "{" || character === "[") {
      if (seen.length === maxDepth) {
        result.tooDeep = { position: i };
        return result;
      }
      seen.push(new Set());
    } else if (character === "}" || character === "]") {
      seen.pop();
    } else if (character === '"') {
      const start = i;
      i = endOfString(text, i);
      if (!isKey(text, i + 1)) continue;
      const key = stringValue(text.slice(start, i + 1));
      const keys = seen.at(-1);
      if (keys?.has(key) && !result.duplicate) result.duplicate = { key, position: start };
      keys?.add(key);
      if (seen.length === 1) result.topLevel.push(key);
    }
  }
  return result;
}

/** Index of the quote that closes the string opened at `start`. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i;
}

function isKey(text: string, after: number): boolean {
  let i = after;
  while (text[i] === " " || text[i] === "\n" || text[i] === "\r" || text[i] === "\t") i++;
  return text[i] === ":";
}

function stringValue(literal: string): string {
  if (!literal.includes("\\")) return literal.slice(1, -1);
  try {
    return JSON.parse(literal) as string;
  } catch {
    return literal; // not JSON; the caller's JSON.parse reports it
  }
}
