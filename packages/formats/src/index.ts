export { crc32c } from "./crc32c.js";
export { type ErrorCode, TopofrError } from "./error.js";
export type { EventMessage, SummaryImage, SummaryValue } from "./eventMessage.js";
export { fileError, isSystemError } from "./fileError.js";
export { type InputFile, openInputFile, withInputFile } from "./inputFile.js";
export { decodeNpy, encodeNpy, type NpyArray, readNpy, writeNpy } from "./npy.js";
export { GlobalReference, type PickleGlobal, type UnpickleOptions, unpickle, unpickleAt } from "./pickle.js";
export { printable } from "./printable.js";
export {
  readSafetensors,
  readSafetensorsHeader,
  type SafetensorsFile,
  type SafetensorsHeader,
  type SafetensorsInfo,
  writeSafetensors,
} from "./safetensors.js";
export { type ReadStateDictOptions, readStateDict } from "./stateDict.js";
export {
  type DType,
  elementCount,
  ITEM_SIZE,
  type TensorEntry,
  type TensorEntryInput,
} from "./tensorEntry.js";
export { openTfEvents, readTfEvents, type TfEventsOptions, type TfEventsWriter } from "./tfevents.js";
export { writeFileAtomic } from "./writeFileAtomic.js";
