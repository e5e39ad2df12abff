// The page of index.html: two pictures, their faces, how alike they are. Computed in the browser where it can be.

import { similarity } from "@topofr/recognizer/web";
import type { ModelAnswer } from "../schemas.js";
import { find, messageOf, say } from "./elements.js";
import { type Engine, openBrowserEngine, serverEngine } from "./engine.js";
import { Panel } from "./panel.js";
import { describeThreshold, FIRST_THRESHOLD, inWords, snap } from "./rates.js";
import { Refused, Server } from "./server.js";

const server = new Server();
const state = find(HTMLElement, "#state");
const progress = find(HTMLProgressElement, "#progress");
const place = find(HTMLElement, "#place");
const slider = find(HTMLInputElement, "#threshold");
const word = find(HTMLElement, "#verdict-word");

let model: ModelAnswer | null = null;
let engine: Engine | null = null;
let inBrowser: Engine | null = null;
let threshold = FIRST_THRESHOLD;

const panels = [
  { root: find(HTMLElement, "#panel-a"), title: "First picture" },
  { root: find(HTMLElement, "#panel-b"), title: "Second picture" },
].map((panel) => new Panel({ ...panel, engine: () => engine, onChange: compare }));

/** Who computes is decided before a picture is given, so that none is sent without a word. */
async function start(): Promise<void> {
  const form = find(HTMLFormElement, "#token-form");
  try {
    model = await server.model();
  } catch (error) {
    if (error instanceof Refused && error.status === 401) {
      form.hidden = false;
      say(state, server.needsToken ? "This server needs its token." : "The token is wrong.", {
        isError: !server.needsToken,
      });
      server.forgetToken();
      return;
    }
    say(state, `The server cannot be used: ${messageOf(error)}`, { isError: true });
    return;
  }
  form.hidden = true;
  setThreshold(model.threshold ?? FIRST_THRESHOLD);
  offerRates(model);
  let why = "";
  try {
    inBrowser = await openBrowserEngine(server, model, (share) => {
      progress.hidden = share >= 1;
      progress.value = share;
    });
  } catch (error) {
    why = messageOf(error);
    radio("browser").disabled = true;
  }
  progress.hidden = true;
  await use(inBrowser ?? serverEngine(server, model));
  const detection = model.detector
    ? ""
    : ` Pictures must be aligned faces of ${model.imageSize} pixels: no detector here.`;
  say(state, `Model ${model.model.name}, ${model.dimension} numbers a face.${detection}`);
  if (why !== "") place.textContent += ` This browser cannot compute: ${why}.`;
}

async function use(chosen: Engine): Promise<void> {
  engine = chosen;
  radio(chosen.place).checked = true;
  place.textContent = chosen.says();
  for (const panel of panels) await panel.compute();
}

/** Says how alike the two faces are, and whether that is enough. */
function compare(): void {
  const [a, b] = panels.map((panel) => panel.face);
  const detail = find(HTMLElement, "#verdict-detail");
  const value = find(HTMLElement, "#scale-value");
  word.className = "";
  if (!a || !b) {
    word.textContent = "Two pictures are needed.";
    detail.textContent = "";
    value.style.width = "0";
    return;
  }
  const cosine = similarity(a.embedding, b.embedding);
  const isSame = cosine >= threshold;
  word.textContent = isSame ? "Same person" : "Different people";
  word.className = isSame ? "same" : "different";
  detail.textContent = `Similarity ${cosine.toFixed(3)}, ${isSame ? "at or above" : "below"} the threshold of ${threshold.toFixed(3)}.`;
  value.style.width = `${100 * position(cosine)}%`;
}

/** Where a cosine lies on the slider, 0..1. */
function position(cosine: number): number {
  const [least, most] = [Number(slider.min), Number(slider.max)];
  return Math.min(1, Math.max(0, (cosine - least) / (most - least)));
}

function setThreshold(value: number): void {
  threshold = value;
  slider.value = String(value);
  const text = value.toFixed(3);
  find(HTMLOutputElement, "#threshold-value").value = text;
  const meaning = describeThreshold(value, model?.rates ?? []);
  find(HTMLElement, "#threshold-meaning").textContent = meaning;
  slider.setAttribute("aria-valuetext", text);
  find(HTMLElement, "#scale-threshold").style.left = `${100 * position(value)}%`;
  compare();
}

/** A button for each measured threshold. */
function offerRates({ rates }: ModelAnswer): void {
  const buttons = rates.map((rate) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "plain", textContent: `FAR ${inWords(rate.far)}` });
    button.addEventListener("click", () => setThreshold(rate.threshold));
    return button;
  });
  const set = find(HTMLElement, "#rates");
  for (const button of set.querySelectorAll("button")) button.remove();
  set.append(...buttons);
}

const radio = (value: Engine["place"]) => find(HTMLInputElement, `input[name=place][value=${value}]`);

slider.addEventListener("input", () => {
  setThreshold(snap(Number(slider.value), model?.rates ?? [], Number(slider.step)));
});
radio("browser").addEventListener("change", () => inBrowser && use(inBrowser));
radio("server").addEventListener("change", () => model && use(serverEngine(server, model)));

find(HTMLFormElement, "#token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  server.useToken(find(HTMLInputElement, "#token").value.trim());
  start();
});

/** A pasted picture goes to the panel with the focus, else to the first empty one. */
document.addEventListener("paste", (event) => {
  const file = event.clipboardData?.files[0];
  if (!file) return;
  const focused = panels.find(({ root }) => root.contains(document.activeElement));
  (focused ?? panels.find(({ isEmpty }) => isEmpty) ?? panels[0]!).show(file);
});
// A file dropped beside the panels must not replace the page.
for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());

setThreshold(threshold);
start();
