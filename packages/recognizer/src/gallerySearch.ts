// What `identify` needs of a gallery, and no more: the store on disk (gallery/), a remote one or one of the caller's own.

export interface GalleryMatch {
  /** Who: the name given when the template was added. */
  identity: string;
  /** Which template of that identity. */
  id: string;
  /** Cosine, -1..1. */
  similarity: number;
}

export interface GallerySearch {
  /** Numbers of an embedding. */
  readonly dimension: number;
  /** The `top` templates most like the L2-normalised `embedding` [dimension], best first; fewer when the gallery has fewer. */
  search(embedding: Float32Array, options: { top: number }): Promise<GalleryMatch[]>;
}
