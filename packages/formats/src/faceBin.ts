// The .bin files of face verification benchmarks (lfw.bin, agedb_30.bin …): a Python pickle of (2 P encoded images, P flags), image
// 2 i and image 2 i + 1 being pair i. Decoding the images and scoring the pairs is not done here. Source: insightface,
// recognition/arcface_torch/eval/verification.py, load_bin.
import { TopofrError } from "./error.js";
import { withInputFile } from "./inputFile.js";
import { NumpyArray, numpyGlobals } from "./numpyPickle.js";
import { unpickle } from "./pickle.js";
import { writeFileAtomic } from "./writeFileAtomic.js";

export interface FaceBin {
  /** [2 P] encoded images, each in memory of its own (an image that the pickle has twice: once). */
  readonly images: Uint8Array[];
  /** [P] whether images 2 i and 2 i + 1 show the same person. */
  readonly same: boolean[];
}

/** What a writer takes: as many images as twice the flags, one at a time if wanted. */
export interface FaceBinInput {
  readonly images: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  readonly same: readonly boolean[];
}

const MAX_FILE_BYTES = 4 * 1024 ** 3 - 1; // the largest in use have 0.2 GB

/**
 * Reads a benchmark without running its pickle: images as Python 2 `str`, `bytes`, `bytearray` or NumPy uint8 arrays of shape (n,) or
 * (n, 1); flags as bool, 0 and 1, NumPy bools, or a NumPy array of bool; protocols 0 to 5.
 *
 * Errors: E_FILE; E_FORMAT when the pickle is damaged, truncated or names any other global (which is refused and named), when an
 * image or a flag is something else (its place in the list is said), or when there are not two images a flag.
 */
export async function readFaceBin(path: string): Promise<FaceBin> {
  const bytes = await withInputFile(path, async (file) => {
    if (file.size <= MAX_FILE_BYTES) return file.read(0, file.size);
    throw new TopofrError(
      "E_FORMAT",
      `${path}: ${file.size} bytes, a .bin of up to ${MAX_FILE_BYTES} can be read`,
    );
  });
  const fail = (message: string) => new TopofrError("E_FORMAT", `${path}: ${message}`);
  const value = unpickle(bytes, {
    source: path,
    globals: numpyGlobals(bytes.length),
    python2Strings: "bytes",
    refusalHint: "(a .bin benchmark needs only bytes and NumPy arrays)",
  });
  if (!Array.isArray(value) || value.length !== 2) {
    throw fail("the pickle is not a pair of a list of images and a list of flags; it is no .bin benchmark");
  }
  const [images, flags] = value as unknown[];
  if (!Array.isArray(images)) throw fail("the first of the pickle's two values is not a list of images");
  const same = flagsOf(flags, fail);
  if (images.length !== 2 * same.length) {
    throw fail(
      `${images.length} images and ${same.length} flags, expected two images a flag; write the file again`,
    );
  }
  // Views of the file would keep all of it alive, and all of it would go along when one is sent to a worker.
  const copies = new Map<Uint8Array, Uint8Array>();
  const copyOf = (view: Uint8Array): Uint8Array => {
    const copy = copies.get(view) ?? view.slice();
    copies.set(view, copy);
    return copy;
  };
  return { images: images.map((image, i) => copyOf(imageOf(image, i, fail))), same };
}

/**
 * Writes a benchmark that Python's `pickle.load` and every reader of the field accepts: protocol 4, images as `bytes`, flags as
 * `bool`. Atomic; memory of one image at a time.
 *
 * Errors: E_USAGE for an empty image, or when there are not two images a flag (the earlier file is then unchanged); E_FILE; what
 * `images` throws.
 */
export async function writeFaceBin(path: string, { images, same }: FaceBinInput): Promise<void> {
  await writeFileAtomic(path, pickleParts(path, images, same));
}

type Fail = (message: string) => TopofrError;

function imageOf(value: unknown, index: number, fail: Fail): Uint8Array {
  const image = value instanceof NumpyArray ? encodedArray(value, index, fail) : value;
  if (!(image instanceof Uint8Array)) {
    throw fail(`image ${index} is neither bytes nor a NumPy array of uint8; encode it as JPEG or PNG`);
  }
  if (image.length === 0) throw fail(`image ${index} has no bytes`);
  return image;
}

function encodedArray({ dtype, shape, data }: NumpyArray, index: number, fail: Fail): Uint8Array {
  const isVector = shape.length > 0 && shape.filter((size) => size !== 1).length <= 1;
  if (dtype === "uint8" && isVector) return data;
  throw fail(
    `image ${index} is a NumPy array of ${dtype} and shape (${shape}), expected the encoded file: uint8 and (n,) or (n, 1)`,
  );
}

function flagsOf(flags: unknown, fail: Fail): boolean[] {
  if (flags instanceof NumpyArray && flags.shape.length === 1)
    return Array.from(flags.data, (byte, i) => flagOf(byte, i, fail));
  if (Array.isArray(flags)) return flags.map((flag, i) => flagOf(flag, i, fail));
  throw fail("the second of the pickle's two values is not a list of flags");
}

function flagOf(value: unknown, index: number, fail: Fail): boolean {
  const flag = value instanceof NumpyArray && value.shape.length === 0 ? value.data[0] : value;
  if (flag === true || flag === 1) return true;
  if (flag === false || flag === 0) return false;
  throw fail(`flag ${index} is neither True nor False`);
}

const BATCH = 1000; // items of a list by one opcode, as CPython writes them

async function* pickleParts(
  path: string,
  images: FaceBinInput["images"],
  same: readonly boolean[],
): AsyncGenerator<Uint8Array> {
  const mismatch = (found: string) =>
    new TopofrError(
      "E_USAGE",
      `${path}: ${found} images for ${same.length} flags, expected ${2 * same.length}`,
    );
  yield Uint8Array.of(0x80, 4, 0x5d, 0x28); // PROTO 4, EMPTY_LIST, MARK
  let count = 0;
  for await (const image of images) {
    if (image.length === 0) throw new TopofrError("E_USAGE", `${path}: image ${count} has no bytes`);
    if (count === 2 * same.length) throw mismatch(`more than ${count}`);
    if (count > 0 && count % BATCH === 0) yield Uint8Array.of(0x65, 0x28); // APPENDS, MARK
    yield bytesHead(image.length);
    yield image;
    count++;
  }
  if (count !== 2 * same.length) throw mismatch(String(count));
  yield Uint8Array.of(0x65, 0x5d, 0x28); // APPENDS, EMPTY_LIST, MARK
  yield Uint8Array.from(same, (flag) => (flag ? 0x88 : 0x89)); // NEWTRUE, NEWFALSE
  yield Uint8Array.of(0x65, 0x86, 0x2e); // APPENDS, TUPLE2, STOP
}

/** SHORT_BINBYTES, BINBYTES or BINBYTES8 and the length. */
function bytesHead(length: number): Uint8Array {
  if (length < 256) return Uint8Array.of(0x43, length);
  const head = Buffer.alloc(length < 2 ** 32 ? 5 : 9);
  head[0] = head.length === 5 ? 0x42 : 0x8e;
  if (head.length === 5) head.writeUInt32LE(length, 1);
  else head.writeBigUInt64LE(BigInt(length), 1);
  return head;
}
