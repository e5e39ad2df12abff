export { crc32c } from "./crc32c.js";
export { type ErrorCode, TopofrError } from "./error.js";
export type { EventMessage, SummaryImage, SummaryValue } from "./eventMessage.js";
export { type FaceBin, type FaceBinInput, readFaceBin, writeFaceBin } from "./faceBin.js";
export { fileError, isSystemError } from "./fileError.js";
export { type InputFile, openInputFile, withInputFile } from "./inputFile.js";
export { decodeNpy, encodeNpy, type NpyArray, readNpy, writeNpy } from "./npy.js";
export { readNpz, writeNpz } from "./npz.js";
export {
  decodeOnnx,
  encodeOnnx,
  type OnnxAttribute,
  type OnnxDType,
  type OnnxFile,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from "./onnx.js";
export { GlobalReference, type PickleGlobal, type UnpickleOptions, unpickle, unpickleAt } from "./pickle.js";
export { printable } from "./printable.js";
export { encodeRecord, RECORD_MAGIC, type RecordPlace, readRecordAt } from "./recordIo.js";
export {
  decodeImageRecord,
  encodeImageRecord,
  type ImageRecord,
  type ImageRecordInput,
} from "./recordIoImage.js";
export { type RecordIndex, readRecordIndex, recordLengths } from "./recordIoIndex.js";
export { type ScanOptions, scanRecordIndex } from "./recordIoScan.js";
export { RecordWriter } from "./recordIoWriter.js";
export {
  readSafetensors,
  readSafetensorsHeader,
  type SafetensorsFile,
  type SafetensorsHeader,
  type SafetensorsInfo,
  writeSafetensors,
} from "./safetensors.js";
export { type ReadStateDictOptions, readStateDict } from "./stateDict.js";
export { type IndexTarOptions, indexTar, type TarMember } from "./tarIndex.js";
export { safeMemberName } from "./tarMemberName.js";
export { TarWriter } from "./tarWriter.js";
export {
  type DType,
  elementCount,
  ITEM_SIZE,
  type TensorEntry,
  type TensorEntryInput,
} from "./tensorEntry.js";
export { openTfEvents, readTfEvents, type TfEventsOptions, type TfEventsWriter } from "./tfevents.js";
export { writeFileAtomic } from "./writeFileAtomic.js";
