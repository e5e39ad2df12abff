// NumPy arrays, NumPy scalars and byte strings in a pickle: the allow-list of globals that they need, for unpickle(). Elements are
// uint8 or bool, as in pickled pictures and flags; no arithmetic. Sources: numpy/core/src/multiarray/methods.c (array_setstate),
// numpy/core/numeric.py (_frombuffer), CPython's Objects/bytesobject.c and bytearrayobject.c (__reduce__).
import type { PickleGlobal } from "./pickle.js";
import { elementCount, isCount } from "./tensorEntry.js";

/** An array of a pickle; `data` is a view of the pickle wherever it can be. */
export class NumpyArray {
  dtype: "uint8" | "bool" = "uint8";
  shape: readonly number[] = [0];
  data: Uint8Array = new Uint8Array(0);
}

/** A dtype by its name without byte order ("u1"), which may be one that is not supported until an array uses it. */
class NumpyDtype {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

const DTYPES: ReadonlyMap<string, NumpyArray["dtype"]> = new Map([
  ["u1", "uint8"],
  ["b1", "bool"],
  ["uint8", "uint8"],
  ["bool", "bool"],
]);

const NAME_ONLY: PickleGlobal = {};

/**
 * The globals that pickles of bytes, bytearrays and NumPy arrays name, by Python 2 and 3 and NumPy 1 and 2.
 *
 * @param maxBytes bytes that text may be turned into altogether; a true pickle needs no more than its own size
 */
export function numpyGlobals(maxBytes: number): ReadonlyMap<string, PickleGlobal> {
  let encodedBytes = 0;
  const encode = (text: string): Uint8Array => {
    encodedBytes += text.length;
    if (encodedBytes > maxBytes)
      throw new Error(`more than ${maxBytes} bytes, the size of the file; refused`);
    if (/[\u0100-\uffff]/.test(text)) throw new Error("the text is not Latin-1");
    return new Uint8Array(Buffer.from(text, "latin1"));
  };
  const bytesOf: PickleGlobal = {
    construct: ([value, encoding]) => {
      if (value === undefined) return new Uint8Array(0);
      if (value instanceof Uint8Array) return value;
      if (typeof value === "string" && isLatin1(encoding)) return encode(value);
      throw new Error("expected bytes, or text and its encoding latin1");
    },
  };
  const globals: [string, PickleGlobal][] = [
    ["_codecs encode", bytesOf],
    ["numpy ndarray", NAME_ONLY],
    ["numpy dtype", { construct: dtype, build: setDtypeState }],
  ];
  for (const module of ["builtins", "__builtin__"]) {
    globals.push([`${module} bytes`, bytesOf], [`${module} bytearray`, bytesOf]);
  }
  for (const module of ["numpy.core", "numpy._core"]) {
    globals.push(
      [`${module}.multiarray _reconstruct`, { construct: () => new NumpyArray(), build: setArrayState }],
      [`${module}.multiarray scalar`, { construct: scalar }],
      [`${module}.numeric _frombuffer`, { construct: fromBuffer }],
    );
  }
  return new Map(globals);
}

function isLatin1(encoding: unknown): boolean {
  return /^latin-?1$/i.test(asText(encoding));
}

/** `dtype("u1", False, True)`, or, by name, `dtype("uint8")`. */
function dtype([name]: readonly unknown[]): NumpyDtype {
  return new NumpyDtype(asText(name).replace(/^[|<>=]/, ""));
}

/** `(version, byte order, subarray, names, fields, size, alignment, flags)`: nothing of it matters to one-byte elements. */
function setDtypeState(_dtype: unknown, state: unknown): void {
  if (!Array.isArray(state) || state.length < 5) throw new Error("expected the 8 values of a dtype");
  if (state[2] !== null || state[3] !== null) throw new Error("a structured dtype is not supported");
}

/** `(version, shape, dtype, is Fortran, data)`; the first ndarrays had no version. */
function setArrayState(instance: unknown, state: unknown): void {
  if (!Array.isArray(state)) throw new Error("expected the tuple of an array");
  const [shape, type, , data] = state.length === 5 ? state.slice(1) : state;
  fill(instance as NumpyArray, data, type, shape);
}

/** `_frombuffer(buffer, dtype, shape, order)`, protocol 5. */
function fromBuffer([buffer, type, shape]: readonly unknown[]): NumpyArray {
  return fill(new NumpyArray(), buffer, type, shape);
}

/** `scalar(dtype, bytes)`: an array without dimensions. */
function scalar([type, data]: readonly unknown[]): NumpyArray {
  return fill(new NumpyArray(), data, type, []);
}

function fill(array: NumpyArray, data: unknown, type: unknown, shape: unknown): NumpyArray {
  const name = type instanceof NumpyDtype ? type.name : undefined;
  const known = name === undefined ? undefined : DTYPES.get(name);
  if (!known) throw new Error(`dtype ${name ?? "missing"}; only uint8 (u1) and bool (b1) are supported`);
  if (!Array.isArray(shape) || !shape.every(isCount)) throw new Error("the shape is not a tuple of counts");
  if (!(data instanceof Uint8Array)) throw new Error("the data are not bytes");
  const count = elementCount(shape);
  if (data.length !== count)
    throw new Error(`shape (${shape}) takes ${count} bytes, the data have ${data.length}`);
  return Object.assign(array, { dtype: known, shape, data });
}

/** Text of either Python: `str`, or Python 2's bytes. */
function asText(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  return typeof value === "string" ? value : "";
}
