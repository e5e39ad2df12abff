// Text made safe for SVG and HTML.

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Everything but the characters that XML 1.0 can hold; a lone surrogate is none of them. */
const UNWRITABLE = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/** Text or markup in which U+FFFD stands for each character that XML cannot hold. */
export function writable(text: string): string {
  return text.replace(UNWRITABLE, "\uFFFD");
}

/** Text safe between tags and inside quoted attributes. */
export function escapeMarkup(text: string): string {
  return writable(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
