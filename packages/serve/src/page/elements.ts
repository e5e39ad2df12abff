/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// Elements of index.html, found once and typed.

export function find<T extends Element>(
  type: new () => T,
  selector: string,
  within: ParentNode = document,
): T {
  const element = within.querySelector(selector);
  if (element instanceof type) return element;
  throw new Error(`the page has no ${selector}`);
}

/** Text of a status line; an error stands out. */
export function say(element: HTMLElement, text: string, { isError = false } = {}): void {
  element.textContent = text;
  element.classList.toggle("error", isError);
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
