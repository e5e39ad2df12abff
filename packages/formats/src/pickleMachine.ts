// The stack, the memo and the object operations of the pickle machine. The opcodes that drive it: pickle.ts.
import { TopofrError } from "./error.js";
import type { PickleCursor } from "./pickleCursor.js";
import { GlobalReference, type UnpickleOptions } from "./pickleGlobals.js";
import { printable } from "./printable.js";

const HIGHEST_PROTOCOL = 5;
const MAX_MARKS = 1000; // containers open at one time

export class PickleMachine {
  readonly #cursor: PickleCursor;
  readonly #options: UnpickleOptions;
  readonly #stack: unknown[] = [];
  readonly #marks: number[] = []; // stack heights at which a container's items begin
  readonly #memo = new Map<number | bigint, unknown>();
  readonly #constructedBy = new WeakMap<object, GlobalReference>();

  constructor(cursor: PickleCursor, options: UnpickleOptions) {
    this.#cursor = cursor;
    this.#options = options;
  }

  checkProtocol(protocol: number): void {
    if (protocol > HIGHEST_PROTOCOL) {
      throw this.#cursor.error(`has protocol ${protocol}; at most ${HIGHEST_PROTOCOL} is supported`);
    }
  }

  checkFrame(length: number): void {
    const rest = this.#cursor.bytes.length - this.#cursor.position;
    if (length > rest) {
      throw this.#cursor.error(
        `announces a frame of ${length} bytes, ${rest} are left; the file is truncated`,
      );
    }
  }

  // The stack.

  push(value: unknown): void {
    this.#stack.push(value);
  }

  pop(): unknown {
    this.#checkNotEmpty();
    return this.#stack.pop();
  }

  top(): unknown {
    this.#checkNotEmpty();
    return this.#stack.at(-1);
  }

  /** The last `count` items, in the order in which they were pushed. */
  popItems(count: number): unknown[] {
    const items: unknown[] = [];
    for (let i = 0; i < count; i++) items.push(this.pop());
    return items.reverse();
  }

  mark(): void {
    if (this.#marks.length === MAX_MARKS)
      throw this.#cursor.error(`nests more than ${MAX_MARKS} deep; refused`);
    this.#marks.push(this.#stack.length);
  }

  popMark(): unknown[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#cursor.error("closes a container that was never opened");
    return this.#stack.splice(mark);
  }

  /** POP, which also takes away a mark when that is on top. */
  discard(): void {
    if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
    else this.pop();
  }

  #checkNotEmpty(): void {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) throw this.#cursor.error("uses an empty stack");
  }

  // Values and containers.

  pushPython2String(bytes: Uint8Array): void {
    this.push(this.#options.python2Strings === "bytes" ? bytes : this.#cursor.decodeUtf8(bytes));
  }

  pushTuple(items: unknown[]): void {
    this.push(Object.freeze(items));
  }

  append(items: readonly unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list) || Object.isFrozen(list)) {
      throw this.#cursor.error("appends to something that is no list");
    }
    for (const item of items) list.push(item);
  }

  pushDict(items: readonly unknown[]): void {
    this.push(new Map());
    this.setItems(items);
  }

  setItems(items: readonly unknown[]): void {
    const dict = this.top();
    if (!(dict instanceof Map)) throw this.#cursor.error("sets an item of something that is no dict");
    if (items.length % 2 !== 0) throw this.#cursor.error("sets items of a dict with a key that has no value");
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
  }

  addItems(items: readonly unknown[]): void {
    const set = this.top();
    if (!(set instanceof Set)) throw this.#cursor.error("adds an item to something that is no set");
    for (const item of items) set.add(item);
  }

  // The memo.

  get memoSize(): number {
    return this.#memo.size;
  }

  memoize(index: number | bigint): void {
    this.#memo.set(index, this.top());
  }

  pushMemo(index: number | bigint): void {
    if (!this.#memo.has(index)) throw this.#cursor.error(`uses memo ${index}, which was never set`);
    this.push(this.#memo.get(index));
  }

  // Globals, and what is made of them.

  pushGlobal(module: string, name: string): void {
    const key = `${module} ${name}`;
    const global = this.#options.globals.get(key);
    if (!global) {
      const { source, refusalHint } = this.#options;
      throw new TopofrError(
        "E_FORMAT",
        `${source}: pickle asks for the Python global ${printable(`${module}.${name}`)}, which is not on the ` +
          `allow-list; refused${refusalHint ? ` ${refusalHint}` : ""}`,
      );
    }
    this.push(new GlobalReference(key, global));
  }

  pushStackGlobal(): void {
    const [module, name] = this.popItems(2);
    if (typeof module !== "string" || typeof name !== "string") {
      throw this.#cursor.error("names a global by something that is no text");
    }
    this.pushGlobal(module, name);
  }

  /** INST: a class by its name, its arguments on the stack. */
  instantiate(module: string, name: string): void {
    const args = this.popMark();
    this.pushGlobal(module, name);
    this.call([this.pop(), Object.freeze(args)]);
  }

  /** OBJ: a class and its arguments on the stack. */
  instantiateItems([callee, ...args]: unknown[]): void {
    this.call([callee, Object.freeze(args)]);
  }

  callWithKeywords([callee, args, keywords]: unknown[]): void {
    if (!(keywords instanceof Map) || keywords.size > 0) {
      throw this.#cursor.error("calls a global with keyword arguments; refused");
    }
    this.call([callee, args]);
  }

  call([callee, args]: unknown[]): void {
    if (!(callee instanceof GlobalReference)) throw this.#cursor.error("calls something that is no global");
    if (!Array.isArray(args) || !Object.isFrozen(args)) {
      throw this.#cursor.error("calls a global without a tuple of arguments");
    }
    const { construct } = callee.global;
    if (!construct) throw this.#cursor.error(`calls ${dotted(callee)}, which may only be named; refused`);
    const instance = this.#guard(`call of ${dotted(callee)}`, () => construct(args));
    if (isObject(instance)) this.#constructedBy.set(instance, callee);
    this.push(instance);
  }

  build(state: unknown): void {
    const instance = this.top();
    const callee = isObject(instance) ? this.#constructedBy.get(instance) : undefined;
    const build = callee?.global.build;
    if (!callee || !build) throw this.#cursor.error("sets the state of an object that takes none; refused");
    this.#guard(`state of ${dotted(callee)}`, () => build(instance, state));
  }

  pushPersistent(id: unknown): void {
    const { persistentLoad } = this.#options;
    if (!persistentLoad) throw this.#cursor.error("refers to an object outside of it; refused");
    this.push(this.#guard("persistent id", () => persistentLoad(id)));
  }

  /** Runs a handler; whatever it throws becomes an E_FORMAT with the place. */
  #guard<T>(what: string, run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (error instanceof TopofrError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw this.#cursor.error(`has a bad ${what}: ${reason}`, error);
    }
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function dotted(reference: GlobalReference): string {
  return reference.name.replace(" ", ".");
}
