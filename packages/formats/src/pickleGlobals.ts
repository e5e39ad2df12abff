// What a caller tells the unpickler: the table of allowed globals and its other options.

/** What a pickle may do with a global of this name. Handlers may throw any Error; it is reported with its place. */
export interface PickleGlobal {
  /** Calls it (REDUCE, NEWOBJ, INST, OBJ). Absent: it may be named, not called. */
  readonly construct?: (args: readonly unknown[]) => unknown;
  /** Takes the state that BUILD gives to an object it constructed. Absent: refused. */
  readonly build?: (instance: unknown, state: unknown) => void;
}

/** A global that a pickle named, where it is a value itself (a storage class, a dtype). */
export class GlobalReference {
  /** `"module name"`, as in the table. */
  readonly name: string;
  readonly global: PickleGlobal;

  constructor(name: string, global: PickleGlobal) {
    this.name = name;
    this.global = global;
  }
}

export interface UnpickleOptions {
  /** Name of the file, for messages. */
  readonly source: string;
  /** The allow-list: `"module name"` → handler. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** Resolves a persistent id. Absent: refused. */
  readonly persistentLoad?: (id: unknown) => unknown;
  /** What Python 2's `str` becomes: text (UTF-8, the default) or bytes (for pickled pictures). */
  readonly python2Strings?: "text" | "bytes";
  /** Appended to the refusal of a global, for instance "(a state_dict needs none)". */
  readonly refusalHint?: string;
}
