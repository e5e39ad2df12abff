// The forms that a data set can be packed into.

export const PACK_FORMATS = ["recordio", "tar", "folder"] as const;
export type PackFormat = (typeof PACK_FORMATS)[number];

/** The form that the ending of a path stands for; null: it does not say. */
export function formatOfPath(path: string): PackFormat | null {
  if (/\.rec$/i.test(path)) return "recordio";
  if (/\.tar$/i.test(path)) return "tar";
  return null;
}
