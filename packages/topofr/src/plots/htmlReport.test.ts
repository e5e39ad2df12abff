import { TopofrError } from "@topofr/formats";
import { expect, test } from "vitest";
import { htmlReport } from "./htmlReport.js";
import { lineChart } from "./lineChart.js";
import { rasterize } from "./rasterize.js";

const svg = lineChart({
  title: "loss & more",
  xLabel: "step",
  yLabel: "loss",
  series: [{ name: "a", points: [[0, 1]] }],
});
const one = (section: object) => htmlReport({ title: "t", sections: [{ heading: "h", ...section }] });

test("holds everything in one file: no script, no link out, a policy that forbids both", () => {
  const png = rasterize(svg, { scale: 0.25 });
  const html = htmlReport({
    title: "Run",
    subtitle: "two cores",
    sections: [{ heading: "Curves", text: "First.\n\nSecond.", svg, png, caption: "Both." }],
  });
  expect(html.startsWith("<!doctype html>\n<html lang=")).toBe(true);
  expect(html).toContain("default-src 'none'");
  expect(html).toContain(svg.trim());
  expect(html).toContain(`width="190" height="104" alt="Both." src="data:image/png;base64,iVBORw0KGgo`);
  expect(html).toContain("<p>First.</p>\n<p>Second.</p>");
  expect(html).toContain("<figcaption>Both.</figcaption>");
  expect(html.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(/<script|https?:|url\(/);
  expect(html).toContain("prefers-color-scheme: dark");
  expect(html).toContain("@media print");
});

test("escapes all text", () => {
  const nasty = `<img src=x onerror="alert(1)"> & '`;
  const safe = "&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; &#39;";
  const section = {
    heading: nasty,
    text: nasty,
    caption: nasty,
    table: { columns: [nasty], rows: [[nasty]] },
  };
  const html = htmlReport({ title: nasty, subtitle: nasty, sections: [section, section, section] });
  expect(html).not.toContain("<img");
  expect(html.split(safe).length - 1).toBe(3 + 3 * 6); // title twice, subtitle; six places a section, contents included
});

test("a table shows numbers short and flush right, null as a dash, and refuses ragged rows", () => {
  const html = one({
    table: {
      columns: ["set", "accuracy", "TAR"],
      rows: [
        ["lfw", 0.98765432, "12.3% ± 0.4"],
        ["own", null, "–"],
      ],
    },
  });
  expect(html).toContain(
    '<th scope="col" class="label">set</th><th scope="col" class="number">accuracy</th>',
  );
  expect(html).toContain(
    '<td class="label">lfw</td><td class="number">0.9877</td><td class="number">12.3% ± 0.4</td>',
  );
  expect(html).toContain('<td class="label">own</td><td class="number">–</td><td class="number">–</td>');
  const long = one({
    table: { columns: ["file"], rows: [["a name that is longer than a label would ever be"]] },
  });
  expect(long).toContain("<td>a name that is longer");
  expect(() => one({ table: { columns: ["a", "b"], rows: [["x"]] } })).toThrow(
    'report section "h": row 0 of the table has 1 cells, 2 columns expected',
  );
});

test("contents appear from three sections on, and their links resolve", () => {
  const html = htmlReport({
    title: "t",
    sections: ["ROC", "ROC", "Größe & mehr"].map((heading) => ({ heading })),
  });
  const links = [...html.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id!);
  expect(links).toHaveLength(3);
  for (const id of links) expect(html).toContain(`<section id="${id}">`);
  expect(one({})).not.toContain("<nav");
});

test("pictures that are none, and SVG that could run or fetch something, are refused", () => {
  const bad = (inside: string) => `<svg xmlns="http://www.w3.org/2000/svg">${inside}</svg>`;
  for (const inside of [
    "<script>1</script>",
    '<rect onclick="x()"/>',
    '<image href="http://a"/>',
    '<use xlink:href="#a"/>',
    "<foreignObject/>",
    "<style>@import 'x'</style>",
  ]) {
    expect(() => one({ svg: bad(inside) })).toThrow(TopofrError);
  }
  expect(() => one({ svg: "<p>no</p>" })).toThrow("svg is not an SVG document");
  expect(() => one({ png: Uint8Array.of(1, 2, 3) })).toThrow("png is not a PNG file");
  expect(one({ svg: `<?xml version="1.0"?>\n${svg}` })).not.toContain("<?xml");
  expect(one({ svg: bad("<text>one=1 href=2 onclick=3</text>") })).toContain("onclick=3"); // text is only text
});

test("the same report gives the same bytes", () => {
  expect(one({ svg })).toBe(one({ svg }));
});
