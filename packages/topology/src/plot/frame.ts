// Axes, ticks and legend of the small figures, as SVG text: no document, no library, so that they are the same in a
// browser, a worker and Node. Figures for papers and reports, with titles and notes: packages/topofr/src/plots.

/** Colours by degree, told apart with any colour vision (after Okabe and Ito), at least 3:1 on white. */
export const DEGREE_COLORS = ["#0072b2", "#d55e00", "#00805c", "#a8468f"] as const;

const INK = "#1f2328";
const MUTED = "#59636e";
const GRID = "#e4e7eb";
export const FRAME = "#9aa4af";

export const MARGIN = { left: 52, right: 14, top: 34, bottom: 40 } as const;

export interface Scale {
  readonly low: number;
  readonly high: number;
  /** Pixels of `low` and `high`. */
  readonly from: number;
  readonly to: number;
}

export function position({ low, high, from, to }: Scale, value: number): string {
  return pixels(from + ((value - low) / (high - low)) * (to - from));
}

/** Hundredths of a pixel are enough; more digits only differ between platforms. */
export function pixels(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Round numbers in [low, high], about `count` of them. */
export function ticks(low: number, high: number, count: number): number[] {
  const power = 10 ** Math.floor(Math.log10((high - low) / count));
  const step = [1, 2, 5, 10]
    .map((factor) => factor * power)
    .find((size) => (high - low) / size <= count + 1)!;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) => Number(((first + k) * step).toPrecision(12)));
}

export function text(
  x: string | number,
  y: string | number,
  content: string,
  {
    anchor = "start",
    size = 11,
    color = MUTED,
  }: { anchor?: "start" | "middle" | "end"; size?: number; color?: string } = {},
): string {
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${color}" text-anchor="${anchor}">${content}</text>`;
}

/** The horizontal axis with its label; grid lines go up to `top`. */
export function horizontalAxis(scale: Scale, base: number, top: number, label: string): string {
  const lines = ticks(scale.low, scale.high, 6).map((tick) => {
    const x = position(scale, tick);
    return `<path d="M${x},${top}V${base}" stroke="${GRID}"/>${text(x, base + 15, tickText(tick), { anchor: "middle" })}`;
  });
  const middle = pixels((scale.from + scale.to) / 2);
  return (
    lines.join("") +
    `<path d="M${pixels(scale.from)},${base}H${pixels(scale.to)}" stroke="${FRAME}"/>` +
    text(middle, base + 32, label, { anchor: "middle", size: 12, color: INK })
  );
}

/** The vertical axis, its label above it. */
export function verticalAxis(scale: Scale, left: number, right: number, label: string): string {
  const lines = ticks(scale.low, scale.high, 6).map((tick) => {
    const y = position(scale, tick);
    return `<path d="M${left},${y}H${right}" stroke="${GRID}"/>${text(left - 6, Number(y) + 4, tickText(tick), { anchor: "end" })}`;
  });
  return lines.join("") + text(left - 34, scale.to - 14, label, { size: 12, color: INK });
}

/** Entries at the top right: a dot and a name for each degree. */
export function legend(
  entries: readonly { readonly name: string; readonly color: string }[],
  right: number,
): string {
  let x = right;
  return entries
    .toReversed()
    .map(({ name, color }) => {
      x -= 7 * name.length;
      const label = text(pixels(x), 16, name, { size: 12, color: INK });
      x -= 8;
      const dot = `<circle cx="${pixels(x)}" cy="12" r="4.5" fill="${color}"/>`;
      x -= 16;
      return dot + label;
    })
    .join("");
}

export function svg(width: number, height: number, label: string, content: string): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
    `font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" role="img" aria-label="${label}">` +
    `<rect width="${width}" height="${height}" fill="#ffffff"/>${content}</svg>`
  );
}

function tickText(tick: number): string {
  const size = Math.abs(tick);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? tick.toExponential() : String(tick);
}
