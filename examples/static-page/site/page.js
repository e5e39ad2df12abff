// Two pictures in, how alike their faces are out; all of it in this browser.
import { openRecognizer, similarity } from "@topofr/recognizer/web";

/** The cosine from which two faces are one person's, as measured for your model; null: only the number is shown. */
const THRESHOLD = null;

const result = document.querySelector("#result");
const say = (text, isError = false) => {
  result.textContent = text;
  result.className = isError ? "error" : "";
};

try {
  const recognizer = await openRecognizer({
    model: "models/model.onnx",
    detector: "models/detector.onnx",
    card: {}, // what model.card.yaml says, where it is not the default: { input: { color: "bgr" } }
  });
  const panels = [...document.querySelectorAll("label")].map((label) => ({
    input: label.querySelector("input"),
    canvas: label.querySelector("canvas"),
    face: null,
  }));
  for (const panel of panels) {
    panel.input.disabled = false;
    panel.input.addEventListener("change", () => show(recognizer, panel, panels));
  }
  say("Choose two pictures.");
} catch (error) {
  say(error.message, true);
}

async function show(recognizer, panel, panels) {
  const [file] = panel.input.files;
  if (file === undefined) return;
  panel.face = null;
  say("Looking …");
  try {
    const [face] = await recognizer.recognize(file); // the largest of several
    const picture = await createImageBitmap(file);
    if (panel.input.files[0] !== file) return; // another one was chosen meanwhile
    draw(panel.canvas, picture, face);
    panel.face = face;
    compare(panels.map((each) => each.face));
  } catch (error) {
    say(error.message, true); // it names the file
  }
}

function draw(canvas, picture, { box, landmarks }) {
  [canvas.width, canvas.height] = [picture.width, picture.height];
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  context.strokeStyle = context.fillStyle = "#00c853";
  const line = Math.max(1, picture.width / 200);
  context.lineWidth = line;
  context.strokeRect(box.x, box.y, box.width, box.height);
  for (let k = 0; k < landmarks.length; k += 2)
    context.fillRect(landmarks[k] - line, landmarks[k + 1] - line, 2 * line, 2 * line);
}

function compare([a, b]) {
  if (a === null || b === null) return say("Choose the other picture.");
  const cosine = similarity(a.embedding, b.embedding);
  const verdict = THRESHOLD === null ? "" : cosine >= THRESHOLD ? ": one person" : ": two people";
  say(`Similarity ${cosine.toFixed(3)}${verdict}`);
}
