// libjpeg-turbo as WebAssembly: aligned JPEGs to RGB four times as fast as a whole image pipeline, with the pixels that OpenCV,
// Pillow and libvips give. It runs in its own memory, so a hostile file harms nothing. Other formats, sizes, rotation
// and colour profiles: decodeImage.ts.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** What the module of @cwasm/jpeg-turbo exports: the C library's functions, on addresses in `memory`. */
interface TurboJpeg {
  memory: { buffer: ArrayBuffer };
  malloc(bytes: number): number;
  free(address: number): void;
  tjInitDecompress(): number;
  tjDecompress2(
    handle: number,
    jpeg: number,
    jpegBytes: number,
    pixels: number,
    width: number,
    pitch: number,
    height: number,
    pixelFormat: number,
    flags: number,
  ): number;
}

/** As much of the standard global as is used; Node has it, TypeScript declares it only for browsers. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: unknown };
};

const RGB = 0; // TJPF_RGB: three bytes a pixel, no padding

// The library reports an error by longjmp, which the module leaves to its host.
const HOST = {
  env: {
    setjmp: () => 0,
    longjmp: () => {
      throw new Error("libjpeg-turbo gave up");
    },
  },
  wasi_snapshot_preview1: {
    environ_sizes_get: () => 0,
    environ_get: () => 0,
    proc_exit: () => 0,
    fd_close: () => 0,
    fd_seek: () => 0,
    fd_write: () => 0,
  },
};

let module: object | undefined;

export class JpegTurbo {
  #library: TurboJpeg | undefined;
  #handle = 0;
  #jpeg = { address: 0, bytes: 0 };
  #pixels = { address: 0, bytes: 0 };

  /**
   * Decodes a JPEG of three channels or one, whose size the caller has read from its header.
   *
   * @returns pixels [height, width, 3], a view valid until the next call; null when the file is damaged, be it by a warning
   */
  decode(jpeg: Uint8Array, width: number, height: number): Uint8Array | null {
    try {
      const library = this.#load();
      this.#jpeg = fit(library, this.#jpeg, jpeg.length);
      this.#pixels = fit(library, this.#pixels, width * height * 3);
      new Uint8Array(library.memory.buffer, this.#jpeg.address).set(jpeg);
      const { address } = this.#pixels;
      const status = library.tjDecompress2(
        this.#handle,
        this.#jpeg.address,
        jpeg.length,
        address,
        width,
        width * 3,
        height,
        RGB,
        0,
      );
      if (status === 0) return new Uint8Array(library.memory.buffer, address, width * height * 3);
    } catch {
      // Out of the library's memory, or an error that unwound it.
    }
    this.#forget(); // what it holds after an error is not defined
    return null;
  }

  #load(): TurboJpeg {
    if (this.#library) return this.#library;
    module ??= new WebAssembly.Module(
      readFileSync(createRequire(import.meta.url).resolve("@cwasm/jpeg-turbo/jpeg-turbo.wasm")),
    );
    this.#library = new WebAssembly.Instance(module, HOST).exports as TurboJpeg;
    this.#handle = this.#library.tjInitDecompress();
    return this.#library;
  }

  #forget(): void {
    this.#library = undefined;
    this.#jpeg = { address: 0, bytes: 0 };
    this.#pixels = { address: 0, bytes: 0 };
  }
}

/** The same block when it is large enough, else a larger one. */
function fit(library: TurboJpeg, block: { address: number; bytes: number }, bytes: number): typeof block {
  if (bytes <= block.bytes) return block;
  if (block.address !== 0) library.free(block.address);
  const address = library.malloc(bytes);
  if (address === 0) throw new Error("out of memory");
  return { address, bytes };
}
