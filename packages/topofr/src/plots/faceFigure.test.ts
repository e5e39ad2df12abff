// The drawing of found faces: what stands where.
import { expect, test } from "vitest";
import { comparisonFigure, type DrawnPicture, facesFigure } from "./faceFigure.js";

const DATA = "data:image/png;base64,AAAA";
const face = (x: number, y: number, ...lines: string[]) => ({
  box: { x, y, width: 40, height: 50 },
  landmarks: Float32Array.of(10, 20, 30, 20, 20, 30, 12, 40, 28, 40).map(
    (value, i) => value + (i % 2 === 0 ? x : y),
  ),
  aligned: DATA,
  lines,
});
const picture = (...faces: DrawnPicture["faces"]): DrawnPicture => ({
  name: "a <b>.jpg",
  image: DATA,
  width: 348,
  height: 200,
  faces,
});

/** Attributes of every element of a name. */
function elements(svg: string, name: string): Record<string, string>[] {
  return [...svg.matchAll(new RegExp(`<${name} ([^>]*?)/?>`, "g"))].map(([, text]) =>
    Object.fromEntries([...text!.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key!, value!])),
  );
}

test("boxes and landmarks in the picture's scale, names escaped, an aligned face for each", () => {
  const svg = facesFigure([picture(face(100, 60, "Ann & 0.7", "Ben 0.2"), face(200, 60, "unknown"))], {
    title: "t",
  });
  const boxes = elements(svg, "rect").filter(({ width, height }) => width === "40" && height === "50");
  expect(boxes.map(({ x, y }) => [x, y])).toEqual([
    ["100", "60"],
    ["100", "60"],
    ["200", "60"],
    ["200", "60"],
  ]); // white and colour
  const points = elements(svg, "circle");
  expect(points).toHaveLength(10);
  expect(points[0]).toMatchObject({ cx: "110.5", cy: "80.5" }); // the middle of the pixel
  expect(elements(svg, "image")).toHaveLength(3);
  expect(svg).toContain("a &lt;b&gt;.jpg");
  expect(svg.match(/Ann &amp; 0\.7/g)).toHaveLength(2); // at the box and beside the aligned face
  expect(svg.match(/Ben 0\.2/g)).toHaveLength(1);
});

test("labels do not cover each other", () => {
  const svg = facesFigure(
    [picture(face(100, 60, "somebody"), face(110, 62, "somebody else"), face(120, 2, "third"))],
    { title: "t" },
  );
  const labels = elements(svg, "rect").filter(({ height }) => height === "17");
  const ys = labels.map(({ y }) => Number(y));
  expect(ys).toEqual([43, 112, 2]); // above its box, below its box, in its box: there is no room above
});

test("more faces than fit are counted, two pictures stand side by side", () => {
  const many = facesFigure([picture(...Array.from({ length: 15 }, (_, k) => face(10 * k, 50, `f${k}`)))], {
    title: "t",
  });
  expect(many).toContain("and 3 more");
  const pair = comparisonFigure([picture(face(1, 1, "score 0.9")), picture(face(2, 2, "score 0.8"))], {
    title: "same",
  });
  expect(elements(pair, "image")).toHaveLength(4);
});
