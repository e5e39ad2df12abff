// How 8-bit pixels become network input: (x - PIXEL_MEAN) / PIXEL_SCALE, in [-1, 1], RGB. The model card repeats it.

/** Subtracted from every channel. Source: TopoFR and arcface_torch, `Normalize(mean=0.5, std=0.5)` on x / 255. */
export const PIXEL_MEAN = 127.5;

/** Divides after the mean is subtracted. Same source. */
export const PIXEL_SCALE = 127.5;
