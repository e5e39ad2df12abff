// Model cards: defaults, what overrides what, and what a wrong one is told.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TopofrError } from "@topofr/formats";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { completeCard } from "./modelCard.js";
import { cardPath, readModelCard } from "./readModelCard.js";

const folder = mkdtempSync(join(tmpdir(), "topofr-card-"));
afterAll(() => rmSync(folder, { recursive: true }));

function card(text: string): string {
  const path = join(folder, "net.card.yaml");
  writeFileSync(path, text);
  return path;
}

test("the card lies beside the model", () => {
  expect(cardPath("models/a.b/net.v2.onnx")).toBe("models/a.b/net.v2.card.yaml");
  expect(cardPath("models/a.b/net")).toBe("models/a.b/net.card.yaml");
});

test("an empty card is the default: (x - 127.5) / 127.5, RGB", async () => {
  expect(completeCard(await readModelCard(card("# nothing\n")))).toEqual({
    name: null,
    input: {
      size: null,
      layout: null,
      color: "rgb",
      scale: 1,
      mean: [127.5, 127.5, 127.5],
      std: [127.5, 127.5, 127.5],
    },
    output: null,
  });
});

test("one number stands for three channels, and what the command line says comes first", async () => {
  const text =
    "name: Net\ninput: { scale: 1/255, mean: [0.1, 0.2, 0.3], std: 0.5, color: bgr }\noutput: out\n";
  expect(completeCard(await readModelCard(card(text)), { input: { color: "rgb" }, output: "other" })).toEqual(
    {
      name: "Net",
      input: {
        size: null,
        layout: null,
        color: "rgb",
        scale: 1 / 255,
        mean: [0.1, 0.2, 0.3],
        std: [0.5, 0.5, 0.5],
      },
      output: "other",
    },
  );
  expect(() => completeCard({}, { input: { std: 0 } })).toThrow("model card: input.std: ");
});

test.each([
  [
    "name: Net\ninput:\n  means: 1\n",
    ':3: unknown key "input.means"; known here: size, layout, color, scale, mean, std',
  ],
  ["inputs: {}\n", ':1: unknown key "inputs"; known here: name, input, output'],
  ["input:\n  mean: [1, 2]\n", ":2: input.mean: expected a number, or a list of three, one for each channel"],
  ["input:\n  scale: 2/255\n", ':2: input.scale: expected a number above 0, or like "1/255"'],
  ["input:\n  color: rbg\n", ":2: input.color: "],
  ["input: {\n", ": not YAML: "],
  ["- a list\n", ": "],
])("%j is E_FORMAT with its line", async (text, message) => {
  const path = card(text);
  await expect(readModelCard(path)).rejects.toMatchObject({
    code: "E_FORMAT",
    message: expect.stringContaining(message) as string,
  });
});

test("a card that is not there is E_FILE", async () => {
  await expect(readModelCard(join(folder, "none.yaml"))).rejects.toMatchObject({ code: "E_FILE" });
});

test("any text is a card or a TopofrError", async () => {
  const part = fc.constantFrom(
    ..."name: |input: |output: |  mean: |[1, 2, 3]|1/255|\n|{|}|- |!!js |&a |*a |\t|%|x".split("|"),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
      try {
        completeCard(await readModelCard(card(parts.join(""))));
      } catch (error) {
        expect(error).toBeInstanceOf(TopofrError);
      }
    }),
    { seed: 5, numRuns: 200 },
  );
});
