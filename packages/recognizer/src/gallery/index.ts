// `@topofr/recognizer/gallery`: people and their templates in a file, searched one against all. Node only.

export {
  type CellValue,
  type EmbeddingRow,
  type EmbeddingRows,
  type EmbeddingTable,
  readEmbeddingTable,
  TABLE_FILES,
  tableEnding,
  writeEmbeddingTable,
} from "./embeddingTable.js";
export { readEntries } from "./entries.js";
export { openGallery } from "./openGallery.js";
export { SECRET_BYTES } from "./rotation.js";
export type { Gallery, GalleryEntry, GalleryInfo, GalleryMatch, GalleryOptions, Template } from "./types.js";
