// The zip form of torch.save (PyTorch 1.6 and later): <folder>/data.pkl, <folder>/data/<key> for each storage,
// <folder>/byteorder. Source: torch/serialization.py.
import { TopofrError } from "./error.js";
import type { InputFile } from "./inputFile.js";
import { printable } from "./printable.js";
import type { ReadStorage } from "./torchTensors.js";
import { openZip } from "./zipArchive.js";

const MAX_PICKLE_BYTES = 64 * 1024 * 1024; // IResNet-200's is about 0.2 MB

export interface TorchArchive {
  readonly pickle: Uint8Array;
  readonly readStorage: ReadStorage;
}

/** Errors: E_FORMAT when records are missing, damaged, too large, of another byte order, or of TorchScript. */
export async function openTorchZip(file: InputFile): Promise<TorchArchive> {
  const fail = (message: string) => new TopofrError("E_FORMAT", `${file.path}: ${message}`);
  const zip = await openZip(file);
  const pickles = zip.names.filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) {
    throw fail(
      `zip archive with ${pickles.length} records named */data.pkl, expected 1; not written by torch.save`,
    );
  }
  const folder = pickles[0]!.slice(0, -"data.pkl".length);
  if (zip.size(`${folder}constants.pkl`) !== undefined) {
    throw fail("a TorchScript archive; save torch.jit.load(path).state_dict() by torch.save instead");
  }
  if (zip.size(`${folder}byteorder`) !== undefined) {
    const order = Buffer.from(await zip.read(`${folder}byteorder`)).toString("latin1");
    if (order !== "little") throw fail(`byte order "${printable(order)}", only "little" is supported`);
  }
  const pickleBytes = zip.size(`${folder}data.pkl`)!;
  if (pickleBytes > MAX_PICKLE_BYTES) {
    throw fail(`${folder}data.pkl has ${pickleBytes} bytes, at most ${MAX_PICKLE_BYTES} are read; refused`);
  }
  return {
    pickle: await zip.read(`${folder}data.pkl`),
    async readStorage({ key, type, numel }) {
      const name = `${folder}data/${key}`;
      const found = zip.size(name);
      if (found !== undefined && found !== numel * type.itemSize) {
        const expected = `${numel} elements of ${type.dtype} take ${numel * type.itemSize}`;
        throw fail(`record ${printable(name)} has ${found} bytes, ${expected}`);
      }
      return zip.read(name);
    },
  };
}
