// The suite's report as Markdown: a line a side of each row, then the parts of the steps.

/** @param report what suite.mjs collects */
export function reportText({
  rows,
  peaks,
  processor,
  cores,
  threads,
  classes,
  rounds,
  stepsPerRound,
  loadBefore,
}) {
  const lines = [];
  for (const row of rows) {
    const { ours } = row.results;
    for (const [side, result] of Object.entries(row.results))
      lines.push([
        ...names(row),
        side,
        `${result.medianSeconds.toFixed(3)} s`,
        result.imagesPerSecond.toFixed(1),
        ours === undefined || ours === result
          ? ""
          : `${(result.medianSeconds / ours.medianSeconds).toFixed(2)}x`,
        percent(result.peakShare),
        `${(result.peakResidentBytes / 1e9).toFixed(2)} GB`,
      ]);
  }
  const head = ["network", "precision", "work", "batch", "side"];
  const failures = rows.filter(({ error }) => error !== undefined);
  const peakLines = Object.entries(peaks).map(
    ([precision, { gemm, convolution }]) =>
      `${precision} ${gemm.toFixed(0)} (matrix product) and ${convolution.toFixed(0)} (convolution)`,
  );
  return [
    markdown([...head, "step", "img/s", "ours is faster by", "of peak", "memory"], lines),
    markdown([...head, ...PARTS.map(([name]) => name)], partLines(rows)),
    ...failures.map((row) => `Failed: ${names(row).join(", ")}: ${row.error}`),
    `Median of ${stepsPerRound * rounds} steps in ${rounds} turns, ${classes} classes, ${threads} threads; ${processor}, ${cores} cores; ` +
      `load before ${loadBefore.toFixed(1)}.`,
    `Measured peak in GFLOP/s: ${peakLines.join("; ")}; shares are of the larger one.`,
    "Times by part in ms. Topology of ours is measured alone, its gradient included (its forward part is in loss too); stock's is its forward part.",
    "",
  ].join("\n\n");
}

const PARTS = [
  ["data", ({ data, perturbation }) => (data === undefined ? undefined : data + (perturbation ?? 0))],
  ["forward", ({ forward }) => forward],
  ["loss", ({ loss }) => loss],
  ["topology", ({ topology }, { topologySeconds }) => topologySeconds ?? topology],
  ["backward", ({ backward }) => backward],
  ["optimiser", ({ optimiser }) => optimiser],
];

function partLines(rows) {
  return rows.flatMap((row) =>
    Object.entries(row.results).map(([side, result]) => [
      ...names(row),
      side,
      ...PARTS.map(([name, pick]) => {
        const seconds = pick(result.parts, result);
        if (seconds === undefined) return "";
        const share = name === "topology" ? ` (${percent(seconds / result.medianSeconds, 2)})` : "";
        return `${(seconds * 1000).toFixed(1)}${share}`;
      }),
    ]),
  );
}

const names = ({ network, precision, objective, batch }) => [
  network,
  precision,
  objective ?? "inference",
  String(batch),
];
const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)}%`;

/** A Markdown table with columns of even width, which is readable as it is. */
function markdown(head, lines) {
  const table = [head, ...lines];
  const widths = head.map((_, column) => Math.max(...table.map((line) => (line[column] ?? "").length)));
  const text = (line) =>
    `| ${widths.map((width, column) => (line[column] ?? "").padEnd(width)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [text(head), rule, ...lines.map(text)].join("\n");
}
