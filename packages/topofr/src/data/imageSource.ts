// Where the encoded bytes of one image are: a file, a part of one, a RecordIO record, or memory. Plain data, so that it can be
// sent to a decode worker. Reading and decoding: readImage.ts, decodeImage.ts.

/** Five points x1, y1, … x5, y5 in pixels of the stored picture, in the order of `ARCFACE_TEMPLATE` (@topofr/recognizer/align). */
export type Landmarks = readonly number[];

export type ImageSource = EncodedImage & {
  /** Bring the face onto the ArcFace template by these points; absent: it is aligned already. */
  landmarks?: Landmarks;
};

type EncodedImage =
  /** A file of its own. */
  | { kind: "file"; path: string }
  /** A part of an uncompressed archive; `name` is the member's. */
  | { kind: "part"; path: string; offset: number; length: number; name: string }
  /**
   * A record of a RecordIO file: `length` bytes from the first part's magic on hold all of it (and may hold more). The label
   * that the record states is compared with `label`: the index and the records of a set must agree.
   */
  | { kind: "record"; path: string; offset: number; length: number; key: number; label: number }
  /** Bytes in memory, as a .bin benchmark's pickle has them. */
  | { kind: "bytes"; name: string; bytes: Uint8Array };

export function imageFile(path: string): ImageSource {
  return { kind: "file", path };
}

/** How messages, logs and reports call an image. */
export function sourceName(source: ImageSource): string {
  switch (source.kind) {
    case "file":
      return source.path;
    case "part":
      return `${source.path}: ${source.name}`;
    case "record":
      return `${source.path}: record ${source.key} at byte ${source.offset}`;
    case "bytes":
      return source.name;
  }
}
