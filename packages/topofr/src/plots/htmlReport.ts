// One self-contained HTML file: style, figures and pictures inside, no scripts, nothing fetched. A content security
// policy in the page makes the browser hold it to that.

import { TopofrError } from "@topofr/formats";
import { escapeMarkup } from "./escape.js";
import { shortNumber } from "./format.js";

/** A number is shown with at most four significant digits, null as a dash. */
export type Cell = string | number | null;

export interface ReportTable {
  readonly columns: readonly string[];
  /** As many cells a row as there are columns. */
  readonly rows: readonly (readonly Cell[])[];
}

export interface ReportSection {
  readonly heading: string;
  /** Plain text; an empty line starts a new paragraph. */
  readonly text?: string;
  readonly table?: ReportTable;
  /** A figure of this folder, or any SVG document without scripts, handlers and links. */
  readonly svg?: string;
  /** A picture, for example a contact sheet. */
  readonly png?: Uint8Array;
  /** Below the figure, picture or table. */
  readonly caption?: string;
}

export interface Report {
  readonly title: string;
  readonly subtitle?: string;
  readonly sections: readonly ReportSection[];
}

/**
 * The whole page as text, ready to be written to `report.html`. The same input gives the same bytes.
 *
 * @throws TopofrError `E_USAGE` for a row with the wrong number of cells, an `svg` that is none or could run or
 *   fetch something, and a `png` that is none.
 */
export function htmlReport({ title, subtitle, sections }: Report): string {
  const ids = sections.map(({ heading }, index) => sectionId(heading, index));
  const contents = sections
    .map(({ heading }, index) => `<li><a href="#${ids[index]}">${escapeMarkup(heading)}</a></li>`)
    .join("");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${escapeMarkup(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<h1>${escapeMarkup(title)}</h1>
${subtitle === undefined ? "" : `<p class="subtitle">${escapeMarkup(subtitle)}</p>\n`}</header>
${sections.length > 2 ? `<nav aria-label="Contents"><ol>${contents}</ol></nav>\n` : ""}${sections
  .map((section, index) => sectionMarkup(section, ids[index]!))
  .join("\n")}
</main>
</body>
</html>
`;
}

function sectionMarkup({ heading, text, table, svg, png, caption }: ReportSection, id: string): string {
  const where = `report section "${heading}"`;
  const shown = [
    table === undefined ? "" : tableMarkup(table, where),
    svg === undefined ? "" : `<div class="figure">${checkedSvg(svg, where)}</div>`,
    png === undefined ? "" : `<div class="figure">${pictureMarkup(png, caption ?? heading, where)}</div>`,
  ].join("");
  const described = caption === undefined ? "" : `<figcaption>${escapeMarkup(caption)}</figcaption>`;
  return [
    `<section id="${id}">`,
    `<h2>${escapeMarkup(heading)}</h2>`,
    ...paragraphs(text ?? ""),
    ...(shown + described === "" ? [] : [`<figure>${shown}${described}</figure>`]),
    "</section>",
  ].join("\n");
}

function paragraphs(text: string): string[] {
  return text
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== "")
    .map((paragraph) => `<p>${escapeMarkup(paragraph)}</p>`);
}

/** Texts of the first column that are kept on one line when all of them are this short. */
const LABEL_LENGTH = 32;

/** A column of numbers is set flush right, figures below figures. */
function tableMarkup({ columns, rows }: ReportTable, where: string): string {
  rows.forEach((row, index) => {
    if (row.length !== columns.length) {
      throw new TopofrError(
        "E_USAGE",
        `${where}: row ${index} of the table has ${row.length} cells, ${columns.length} columns expected`,
      );
    }
  });
  const numeric = columns.map((_, column) => rows.length > 0 && rows.every((row) => isNumeric(row[column]!)));
  const isShort = rows.every(([label]) => String(label ?? "").length <= LABEL_LENGTH);
  const classOf = (column: number) => {
    if (numeric[column]) return ' class="number"';
    return column === 0 && isShort ? ' class="label"' : "";
  };
  const cell = (tag: "th" | "td", column: number, markup: string, scope = "") =>
    `<${tag}${scope}${classOf(column)}>${markup}</${tag}>`;
  const head = columns.map((name, column) => cell("th", column, escapeMarkup(name), ' scope="col"')).join("");
  const body = rows
    .map((row) => `<tr>${row.map((value, column) => cell("td", column, cellText(value))).join("")}</tr>`)
    .join("\n");
  return `<div class="table" tabindex="0"><table><thead><tr>${head}</tr></thead>\n<tbody>${body}</tbody></table></div>`;
}

/** A number, a dash, or text that begins with a figure, such as "97.2% ± 0.4". */
const isNumeric = (value: Cell): boolean =>
  typeof value !== "string" || value === "–" || /^[-+±−]?\d[^a-z]*(ms|s|img\/s)?$/i.test(value);

const cellText = (value: Cell): string =>
  value === null ? "–" : typeof value === "number" ? shortNumber(value) : escapeMarkup(value);

/** Whatever could run or fetch something when it stands in a page. */
const UNSAFE_TAG =
  /<\s*(script|foreignObject|iframe|object|embed|link|meta|style|animate|set)\b|<[^>]*\s(on[a-z]+|(xlink:)?href|src)\s*=/i;

function checkedSvg(svg: string, where: string): string {
  const markup = svg.replace(/^\s*<\?xml[^>]*\?>/, "").trim();
  if (!/^<svg[\s>]/.test(markup) || !markup.endsWith("</svg>")) {
    throw new TopofrError(
      "E_USAGE",
      `${where}: svg is not an SVG document (it begins with "${markup.slice(0, 24)}")`,
    );
  }
  const unsafe = UNSAFE_TAG.exec(markup);
  if (unsafe !== null) {
    throw new TopofrError(
      "E_USAGE",
      `${where}: svg holds "${unsafe[0].slice(-40)}"; scripts and links are not allowed`,
    );
  }
  return markup;
}

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

function pictureMarkup(png: Uint8Array, description: string, where: string): string {
  if (png.length < 24 || PNG_SIGNATURE.some((byte, index) => png[index] !== byte)) {
    throw new TopofrError("E_USAGE", `${where}: png is not a PNG file`);
  }
  // Width and height stand in the header chunk, which is always the first.
  const header = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const [width, height] = [header.getUint32(16), header.getUint32(20)];
  const data = Buffer.from(png).toString("base64");
  return (
    `<img width="${width}" height="${height}" alt="${escapeMarkup(description)}" ` +
    `src="data:image/png;base64,${data}">`
  );
}

function sectionId(heading: string, index: number): string {
  const words = heading.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return [`section-${index + 1}`, ...words].join("-");
}

// Figures keep their white ground in the dark, as a sheet of paper would.
const STYLE = `
:root { --ink: #1f2328; --muted: #59636e; --page: #ffffff; --rule: #d9dee4; --band: #f6f8fa; --link: #0060a0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ed; --muted: #a3adb8; --page: #15181c; --rule: #343a42; --band: #1d2127; --link: #7cc0f2; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; -webkit-text-size-adjust: 100%; }
main { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 2.75rem 0 0.6rem; overflow-wrap: anywhere; }
p { margin: 0.6rem 0; max-width: 44rem; white-space: pre-line; overflow-wrap: anywhere; }
.subtitle { color: var(--muted); font-size: 1.05rem; margin: 0.4rem 0 0; }
a { color: var(--link); }
nav { margin: 1.5rem 0 0; padding: 0.8rem 1rem; background: var(--band); border-radius: 8px; }
nav ol { margin: 0; padding-left: 1.4rem; columns: 17rem; }
nav li { break-inside: avoid; }
figure { margin: 1rem 0 0; }
figcaption { color: var(--muted); font-size: 0.9rem; margin-top: 0.5rem; max-width: 44rem; }
.figure { max-width: 52rem; overflow-x: auto; background: #ffffff; border: 1px solid var(--rule); border-radius: 8px; padding: 4px; }
.figure svg { display: block; width: 100%; min-width: 34rem; height: auto; margin: 0 auto; }
.figure img { display: block; max-width: 100%; height: auto; margin: 0 auto; }
.table { overflow-x: auto; margin-bottom: 1rem; }
table { border-collapse: collapse; min-width: 60%; font-size: 0.95rem; }
th, td { text-align: left; padding: 0.45rem 0.75rem; border-bottom: 1px solid var(--rule); vertical-align: top; }
th:first-child, td:first-child { padding-left: 0.4rem; }
thead th { border-bottom: 2px solid var(--muted); font-weight: 600; vertical-align: bottom; white-space: normal; }
tbody tr:nth-child(even) { background: var(--band); }
.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number, .label { white-space: nowrap; }
@media (max-width: 40rem) { main { padding: 1.5rem 0.9rem 3rem; } h1 { font-size: 1.5rem; } }
@media print {
  :root { --ink: #000; --muted: #444; --page: #fff; --rule: #bbb; --band: #f4f4f4; --link: #000; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  h2 { break-after: avoid; }
  figure, tr { break-inside: avoid; }
  .figure, .table { overflow: visible; border: 0; }
  .figure svg { min-width: 0; }
}
`;
