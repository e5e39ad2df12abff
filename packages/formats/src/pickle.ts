// Reads Python pickles (protocols 0 to 5) without running anything: a global is only ever looked up in a table that
// the caller gives, and whatever is not in it is refused. Source: CPython's Lib/pickletools.py.
//
// Python → JavaScript: None → null, bool → boolean, int → number (bigint beyond 2^53), float → number, str → string,
// bytes and bytearray → Uint8Array (views of the input), list → array, tuple → frozen array, dict → Map,
// set and frozenset → Set; persistent ids and calls of globals → whatever the caller's handlers return.
import { PickleCursor } from "./pickleCursor.js";
import type { UnpickleOptions } from "./pickleGlobals.js";
import { PickleMachine } from "./pickleMachine.js";

export { GlobalReference, type PickleGlobal, type UnpickleOptions } from "./pickleGlobals.js";

const MAX_OPERATIONS = 5_000_000; // bounds the number of objects; a state_dict of IResNet-200 needs about 60,000

/**
 * Reads one pickle that starts at the beginning of `bytes`; what follows it is ignored.
 *
 * Errors: E_FORMAT, with the byte, for anything malformed, truncated, oversized (over 5 million operations) or not on
 * the allow-list. Time and memory are linear in the input.
 */
export function unpickle(bytes: Uint8Array, options: UnpickleOptions): unknown {
  return unpickleAt(bytes, 0, options).value;
}

/** As `unpickle`, from byte `start`; also says where the pickle ends. For files that hold one pickle after another. */
export function unpickleAt(
  bytes: Uint8Array,
  start: number,
  options: UnpickleOptions,
): { value: unknown; end: number } {
  const cursor = new PickleCursor(bytes, options.source, start);
  const machine = new PickleMachine(cursor, options);
  for (let operations = 0; operations < MAX_OPERATIONS; operations++) {
    const opcode = cursor.opcode();
    if (opcode === STOP) return { value: machine.pop(), end: cursor.position };
    const operation = OPERATIONS[opcode];
    if (!operation) {
      throw cursor.error(
        `has opcode 0x${opcode.toString(16).padStart(2, "0")}, which is unknown or not supported`,
      );
    }
    operation(machine, cursor);
  }
  throw cursor.error(`has more than ${MAX_OPERATIONS} operations; refused`);
}

const STOP = 0x2e;

type Operation = (machine: PickleMachine, cursor: PickleCursor) => void;

// Not here, hence refused: EXT1, EXT2, EXT4 (0x82 to 0x84, a registry of the process that wrote the file) and
// NEXT_BUFFER, READONLY_BUFFER (0x97, 0x98, data kept outside of the file).
const OPERATIONS: Readonly<Record<number, Operation>> = {
  128: (m, c) => m.checkProtocol(c.u8()), // PROTO
  149: (m, c) => m.checkFrame(c.u64()), // FRAME

  78: (m) => m.push(null), // NONE
  136: (m) => m.push(true), // NEWTRUE
  137: (m) => m.push(false), // NEWFALSE
  73: (m, c) => m.push(c.booleanOrDecimal(c.line())), // INT
  76: (m, c) => m.push(c.decimal(c.line())), // LONG
  74: (m, c) => m.push(c.i32()), // BININT
  75: (m, c) => m.push(c.u8()), // BININT1
  77: (m, c) => m.push(c.u16()), // BININT2
  138: (m, c) => m.push(c.long(c.u8())), // LONG1
  139: (m, c) => m.push(c.long(c.u32())), // LONG4
  70: (m, c) => m.push(c.float(c.line())), // FLOAT
  71: (m, c) => m.push(c.f64BigEndian()), // BINFLOAT

  83: (m, c) => m.pushPython2String(c.quoted(c.line())), // STRING
  84: (m, c) => m.pushPython2String(c.take(c.u32())), // BINSTRING
  85: (m, c) => m.pushPython2String(c.take(c.u8())), // SHORT_BINSTRING
  86: (m, c) => m.push(c.rawUnicode(c.line())), // UNICODE
  140: (m, c) => m.push(c.utf8(c.u8())), // SHORT_BINUNICODE
  88: (m, c) => m.push(c.utf8(c.u32())), // BINUNICODE
  141: (m, c) => m.push(c.utf8(c.u64())), // BINUNICODE8
  67: (m, c) => m.push(c.take(c.u8())), // SHORT_BINBYTES
  66: (m, c) => m.push(c.take(c.u32())), // BINBYTES
  142: (m, c) => m.push(c.take(c.u64())), // BINBYTES8
  150: (m, c) => m.push(c.take(c.u64())), // BYTEARRAY8

  40: (m) => m.mark(), // MARK
  48: (m) => m.discard(), // POP
  49: (m) => m.popMark(), // POP_MARK
  50: (m) => m.push(m.top()), // DUP

  41: (m) => m.pushTuple([]), // EMPTY_TUPLE
  116: (m) => m.pushTuple(m.popMark()), // TUPLE
  133: (m) => m.pushTuple(m.popItems(1)), // TUPLE1
  134: (m) => m.pushTuple(m.popItems(2)), // TUPLE2
  135: (m) => m.pushTuple(m.popItems(3)), // TUPLE3
  93: (m) => m.push([]), // EMPTY_LIST
  108: (m) => m.push(m.popMark()), // LIST
  97: (m) => m.append(m.popItems(1)), // APPEND
  101: (m) => m.append(m.popMark()), // APPENDS
  125: (m) => m.push(new Map()), // EMPTY_DICT
  100: (m) => m.pushDict(m.popMark()), // DICT
  115: (m) => m.setItems(m.popItems(2)), // SETITEM
  117: (m) => m.setItems(m.popMark()), // SETITEMS
  143: (m) => m.push(new Set()), // EMPTY_SET
  144: (m) => m.addItems(m.popMark()), // ADDITEMS
  145: (m) => m.push(new Set(m.popMark())), // FROZENSET

  112: (m, c) => m.memoize(c.decimal(c.line())), // PUT
  113: (m, c) => m.memoize(c.u8()), // BINPUT
  114: (m, c) => m.memoize(c.u32()), // LONG_BINPUT
  148: (m) => m.memoize(m.memoSize), // MEMOIZE
  103: (m, c) => m.pushMemo(c.decimal(c.line())), // GET
  104: (m, c) => m.pushMemo(c.u8()), // BINGET
  106: (m, c) => m.pushMemo(c.u32()), // LONG_BINGET

  99: (m, c) => m.pushGlobal(c.line(), c.line()), // GLOBAL
  147: (m) => m.pushStackGlobal(), // STACK_GLOBAL
  105: (m, c) => m.instantiate(c.line(), c.line()), // INST
  111: (m) => m.instantiateItems(m.popMark()), // OBJ
  82: (m) => m.call(m.popItems(2)), // REDUCE
  129: (m) => m.call(m.popItems(2)), // NEWOBJ
  146: (m) => m.callWithKeywords(m.popItems(3)), // NEWOBJ_EX
  98: (m) => m.build(m.pop()), // BUILD
  80: (m, c) => m.pushPersistent(c.line()), // PERSID
  81: (m) => m.pushPersistent(m.pop()), // BINPERSID
};
