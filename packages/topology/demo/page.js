// The page of index.html: reads the text, computes, draws. Everything that is wrong is said in the page.
import {
  barcodeSvg,
  bettiSvg,
  diagramSvg,
  parseDistanceMatrix,
  parseLowerDistances,
  parsePointCloud,
  persistence,
} from "@topofr/topology";

const EXAMPLE_POINTS = 60;
const PICTURE = { width: 330, height: 380 }; // two or three side by side

const element = (id) => document.getElementById(id);
const [form, input, message, pictures] = ["form", "input", "message", "pictures"].map(element);

form.addEventListener("submit", (event) => {
  event.preventDefault();
  draw();
});

element("example").addEventListener("click", () => {
  element("kind").value = "points";
  input.value = circle();
  draw();
});

function draw() {
  try {
    const started = performance.now();
    const text = input.value;
    if (text.trim() === "")
      throw new Error("there is no text yet: paste points, one a line, such as 0.5 1.25");
    const diagrams = persistence(readInput(text), {
      maxDimension: Number(element("degree").value),
      ...readThreshold(element("threshold").value),
    });
    const milliseconds = performance.now() - started;
    pictures.innerHTML =
      diagramSvg(diagrams, PICTURE) + barcodeSvg(diagrams, PICTURE) + bettiSvg(diagrams, PICTURE);
    const counts = diagrams.map(({ dimension, births }) => `${births.length} in degree ${dimension}`);
    say(`Classes: ${counts.join(", ")}. ${milliseconds.toFixed(0)} ms.`);
  } catch (error) {
    pictures.replaceChildren();
    say(error instanceof Error ? error.message : String(error), { isError: true });
  }
}

function readInput(text) {
  switch (element("kind").value) {
    case "distance":
      return { distances: parseDistanceMatrix(text).distances };
    case "lower-distance":
      return { distances: parseLowerDistances(text).distances };
    default: {
      const { points, dimension, count } = parsePointCloud(text, "points");
      if (count === 0)
        throw new Error("points: no numbers found; paste points, one a line, such as 0.5 1.25");
      return { points, dimension, metric: element("metric").value };
    }
  }
}

function readThreshold(text) {
  if (text.trim() === "") return {};
  const threshold = Number(text);
  if (!(threshold >= 0)) throw new Error(`largest scale: a number of at least 0 expected, "${text}" found`);
  return { threshold };
}

function say(text, { isError = false } = {}) {
  message.textContent = text;
  message.className = isError ? "error" : "";
}

/** A circle that is not quite round: one long bar in degree 1. */
function circle() {
  return Array.from({ length: EXAMPLE_POINTS }, (_, k) => {
    const angle = (2 * Math.PI * k) / EXAMPLE_POINTS;
    const radius = 1 + 0.12 * Math.sin(7 * angle) + 0.06 * Math.cos(12.3 * k);
    return `${(radius * Math.cos(angle)).toFixed(4)} ${(radius * Math.sin(angle)).toFixed(4)}`;
  }).join("\n");
}
