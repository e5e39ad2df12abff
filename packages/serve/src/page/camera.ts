// One picture of the camera. Browsers give it to pages of https and of localhost only, and ask first.

export class Camera {
  readonly #video: HTMLVideoElement;
  #stream: MediaStream | null = null;

  constructor(video: HTMLVideoElement) {
    this.#video = video;
  }

  static isThere(): boolean {
    return navigator.mediaDevices?.getUserMedia !== undefined;
  }

  get isOn(): boolean {
    return this.#stream !== null;
  }

  async start(): Promise<void> {
    this.#stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" }, audio: false });
    this.#video.srcObject = this.#stream;
    await this.#video.play();
  }

  /** The frame of now, as PNG; the camera goes off. */
  async take(): Promise<Blob> {
    const canvas = document.createElement("canvas");
    canvas.width = this.#video.videoWidth;
    canvas.height = this.#video.videoHeight;
    canvas.getContext("2d")!.drawImage(this.#video, 0, 0);
    this.stop();
    return new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("it gave no picture"))), "image/png");
    });
  }

  stop(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#video.srcObject = null;
  }
}
