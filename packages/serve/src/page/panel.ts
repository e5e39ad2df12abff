// One of the two pictures: dropped, pasted, chosen or photographed; its faces, and the one that is compared.

import { Camera } from "./camera.js";
import { drawAligned, drawPicture } from "./drawing.js";
import { find, messageOf, say } from "./elements.js";
import type { Engine, SeenFace } from "./engine.js";

export interface PanelOptions {
  root: HTMLElement;
  title: string;
  /** Who computes now; null while nobody does. */
  engine(): Engine | null;
  /** Called when the face to compare is another, or none. */
  onChange(): void;
}

export class Panel {
  readonly root: HTMLElement;
  readonly #options: PanelOptions;
  readonly #canvas: HTMLCanvasElement;
  readonly #message: HTMLElement;
  readonly #camera: Camera;
  #file: Blob | null = null;
  #bitmap: ImageBitmap | null = null;
  #faces: SeenFace[] = [];
  #chosen = 0;
  /** Grows with each picture: what comes late for an older one is dropped. */
  #turn = 0;

  constructor(options: PanelOptions) {
    this.#options = options;
    this.root = options.root;
    const template = find(HTMLTemplateElement, "#panel-template");
    this.root.append(template.content.cloneNode(true));
    const title = find(HTMLHeadingElement, "h2", this.root);
    title.textContent = options.title;
    title.id = this.root.getAttribute("aria-labelledby") ?? "";
    this.#canvas = find(HTMLCanvasElement, ".picture", this.root);
    this.#message = find(HTMLElement, ".message", this.root);
    this.#camera = new Camera(find(HTMLVideoElement, ".camera", this.root));
    this.#listen();
  }

  get isEmpty(): boolean {
    return this.#file === null;
  }

  /** The face to compare, or null. */
  get face(): SeenFace | null {
    return this.#faces[this.#chosen] ?? null;
  }

  get #count(): string {
    const { length } = this.#faces;
    return length === 1 ? "1 face" : `${length} faces`;
  }

  async show(file: Blob): Promise<void> {
    this.clear();
    const turn = ++this.#turn;
    this.#file = file;
    this.#button(".clear").hidden = false;
    try {
      const bitmap = await createImageBitmap(file).catch(() => {
        throw new Error("this file is not a picture that this browser can show");
      });
      if (turn !== this.#turn) return bitmap.close();
      this.#bitmap = bitmap;
      this.#draw();
      await this.compute();
    } catch (error) {
      if (turn === this.#turn) say(this.#message, messageOf(error), { isError: true });
    }
  }

  /** Finds the faces again, with the engine of now. */
  async compute(): Promise<void> {
    const engine = this.#options.engine();
    const [file, bitmap, turn] = [this.#file, this.#bitmap, ++this.#turn];
    if (engine === null || file === null || bitmap === null) return;
    this.#faces = [];
    this.#chosen = 0;
    say(this.#message, "Looking for faces …");
    this.#draw();
    this.#options.onChange();
    await new Promise((resolve) => setTimeout(resolve, 20)); // so that this is painted before the work
    try {
      const started = performance.now();
      const faces = await engine.faces(file, bitmap);
      if (turn !== this.#turn) return;
      this.#faces = faces;
      const milliseconds = Math.round(performance.now() - started);
      if (faces.length === 0) say(this.#message, "No face found.", { isError: true });
      else say(this.#message, `${this.#count}, in ${milliseconds} ms.`);
    } catch (error) {
      if (turn !== this.#turn) return;
      say(this.#message, messageOf(error), { isError: true });
    }
    this.#offerFaces();
    this.#choose(0);
  }

  clear(): void {
    this.#turn++;
    this.#camera.stop();
    this.#showCamera(false);
    this.#bitmap?.close();
    this.#bitmap = null;
    this.#file = null;
    this.#faces = [];
    this.#button(".clear").hidden = true;
    say(this.#message, "");
    this.#offerFaces();
    this.#choose(0);
  }

  #choose(index: number): void {
    this.#chosen = index;
    this.#draw();
    const { face } = this;
    const figure = find(HTMLElement, ".aligned", this.root);
    figure.hidden = face === null;
    if (face !== null) {
      const canvas = find(HTMLCanvasElement, "canvas", figure);
      drawAligned(canvas, face.aligned);
      canvas.setAttribute("aria-label", `The aligned face of the ${this.#options.title.toLowerCase()}`);
      find(HTMLElement, "figcaption", figure).textContent =
        `What the network sees: aligned by the five landmarks, ${face.aligned.size} x ${face.aligned.size} pixels. ` +
        `Detection score ${face.score.toFixed(2)}.`;
    }
    this.#options.onChange();
  }

  #draw(): void {
    this.#canvas.hidden = this.#bitmap === null;
    find(HTMLElement, ".hint", this.root).hidden = this.#bitmap !== null || this.#camera.isOn;
    if (this.#bitmap === null) return;
    drawPicture(this.#canvas, this.#bitmap, this.#faces, this.#chosen);
    const { title } = this.#options;
    this.#canvas.setAttribute("aria-label", `${title}, ${this.#count} found`);
  }

  /** Several faces: radio buttons, in the numbers of the picture. */
  #offerFaces(): void {
    const set = find(HTMLFieldSetElement, ".faces", this.root);
    set.hidden = this.#faces.length < 2;
    for (const label of set.querySelectorAll("label")) label.remove();
    if (set.hidden) return;
    this.#faces.forEach((_, k) => {
      const input = document.createElement("input");
      Object.assign(input, { type: "radio", name: `face-${this.root.id}`, checked: k === 0 });
      input.addEventListener("change", () => this.#choose(k));
      const label = document.createElement("label");
      label.append(input, ` ${k + 1}`);
      set.append(label);
    });
  }

  #listen(): void {
    const { root } = this;
    const input = find(HTMLInputElement, ".file", root);
    input.setAttribute("aria-label", `Choose the ${this.#options.title.toLowerCase()}`);
    input.addEventListener("change", () => {
      const file = input.files?.[0];
      input.value = ""; // so that the same file can be chosen again
      if (file) this.show(file);
    });
    root.addEventListener("dragover", (event) => {
      event.preventDefault();
      root.classList.add("over");
    });
    root.addEventListener("dragleave", () => root.classList.remove("over"));
    root.addEventListener("drop", (event) => {
      event.preventDefault();
      root.classList.remove("over");
      const file = event.dataTransfer?.files[0];
      if (file) this.show(file);
    });
    this.#canvas.addEventListener("click", (event) => this.#chooseAt(event));
    this.#button(".clear").addEventListener("click", () => this.clear());
    const photograph = this.#button(".photograph");
    photograph.hidden = !Camera.isThere();
    photograph.addEventListener("click", () => this.#photograph());
  }

  /** The face under the pointer; with the keyboard: the radio buttons. */
  #chooseAt(event: MouseEvent): void {
    if (this.#bitmap === null) return;
    const { left, top, width } = this.#canvas.getBoundingClientRect();
    const scale = this.#bitmap.width / width;
    const [x, y] = [(event.clientX - left) * scale, (event.clientY - top) * scale];
    const hit = this.#faces.findIndex(
      ({ box }) => x >= box.x && y >= box.y && x <= box.x + box.width && y <= box.y + box.height,
    );
    if (hit < 0) return;
    this.root.querySelectorAll<HTMLInputElement>(".faces input").forEach((input, k) => {
      input.checked = k === hit;
    });
    this.#choose(hit);
  }

  async #photograph(): Promise<void> {
    try {
      if (this.#camera.isOn) {
        const picture = await this.#camera.take();
        await this.show(picture);
      } else {
        this.clear();
        await this.#camera.start();
        this.#showCamera(true);
        this.#button(".clear").hidden = false;
      }
    } catch (error) {
      this.#showCamera(false);
      say(this.#message, `The camera cannot be used: ${messageOf(error)}`, { isError: true });
    }
  }

  #showCamera(isOn: boolean): void {
    find(HTMLVideoElement, ".camera", this.root).hidden = !isOn;
    this.#button(".photograph").textContent = isOn ? "Take the picture" : "Camera";
    this.#draw();
  }

  #button(selector: string): HTMLButtonElement {
    return find(HTMLButtonElement, selector, this.root);
  }
}
