// Undoes the two escapings of text in protocol-0 pickles. Not a parser of Python literals in general.

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

const ESCAPE = /\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|[\s\S]|$)/g;

/** The bytes of a quoted Python 2 `str` such as `'a\x00\n'`; null when it is malformed. */
export function unescapePython(literal: string): Uint8Array | null {
  const quote = literal[0];
  if (literal.length < 2 || (quote !== "'" && quote !== '"') || literal.at(-1) !== quote) return null;
  let malformed = false;
  const text = literal.slice(1, -1).replace(ESCAPE, (_, code: string) => {
    if (code.length === 3 && code[0] === "x") return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 0xff);
    const character = SIMPLE_ESCAPES[code];
    malformed ||= character === undefined;
    return character ?? "";
  });
  return malformed ? null : new Uint8Array(Buffer.from(text, "latin1"));
}

/** The text of a raw-unicode-escape line (Latin-1 with `\uXXXX` and `\UXXXXXXXX`); null when it is malformed. */
export function unescapeRawUnicode(line: string): string | null {
  let malformed = false;
  const text = line.replace(
    /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|[uU])/g,
    (_, short?: string, long?: string) => {
      const codePoint = Number.parseInt(short ?? long ?? "", 16);
      if (codePoint <= 0x10ffff) return String.fromCodePoint(codePoint);
      malformed = true;
      return "";
    },
  );
  return malformed ? null : text;
}
