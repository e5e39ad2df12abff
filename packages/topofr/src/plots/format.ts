// Numbers as a reader of a figure wants them.

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** `0.001` → `10⁻³`, for powers of ten; anything else as {@link shortNumber}. */
export function powerOfTen(value: number): string {
  const exponent = Math.round(Math.log10(value));
  if (Math.abs(value / 10 ** exponent - 1) > 1e-9) return shortNumber(value);
  if (exponent >= 0 && exponent <= 1) return String(10 ** exponent);
  const digits = [...String(Math.abs(exponent))].map((digit) => SUPERSCRIPTS[Number(digit)]!).join("");
  return `10${exponent < 0 ? "⁻" : ""}${digits}`;
}

/** At most four significant digits and no needless zeros: `12,500`, `0.0312`, `1.2e-7`. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "-∞" : "NaN";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7))
    return value.toExponential(1).replace(".0e", "e").replace("e+", "e");
  return grouped(String(Number(value.toPrecision(Math.max(4, Math.ceil(Math.log10(size + 1)))))));
}

/** `0.1234` → `12.3%`. */
export function percent(value: number): string {
  return `${Number((value * 100).toFixed(1))}%`;
}

/** `1 pair`, `3,000 pairs`. */
export function count(number: number, noun: string): string {
  return `${shortNumber(number)} ${noun}${number === 1 ? "" : "s"}`;
}

function grouped(digits: string): string {
  const [whole = "", fraction] = digits.split(".");
  const separated = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? separated : `${separated}.${fraction}`;
}
