// scope(): native memory with a lifetime that a reader can see.
import { native } from "./native.js";
import { refusePromise } from "./refusePromise.js";
import { isTensor, type Tensor } from "./tensor.js";

function collect(value: unknown, kept: Tensor[], seen: Set<object>): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  if (isTensor(value)) {
    kept.push(value);
    return;
  }
  seen.add(value);
  if (Array.isArray(value)) for (const item of value) collect(item, kept, seen);
  else if (value instanceof Map) for (const item of value.values()) collect(item, kept, seen);
  else if (isPlain(Object.getPrototypeOf(value)))
    for (const item of Object.values(value)) collect(item, kept, seen);
}

const isPlain = (prototype: unknown): boolean => prototype === Object.prototype || prototype === null;

/**
 * Runs `body` and disposes every tensor that it made, except those in what it returns (a Tensor, or arrays, Maps and
 * plain objects of them), which then belong to the enclosing scope. Synchronous: work after an `await` would not be covered,
 * so a body that returns a Promise is refused. Tensors inside class instances are not looked for: a Module is built outside.
 * @throws E_USAGE when `body` returns a Promise.
 */
export function scope<T>(body: () => T extends Promise<unknown> ? never : T): T {
  native.beginScope();
  const kept: Tensor[] = [];
  try {
    const result = body();
    refusePromise("scope()", result);
    collect(result, kept, new Set());
    return result;
  } finally {
    native.endScope(kept);
  }
}

/** Tensors that are not yet disposed in this thread: equal before and after a step that does not leak. */
export const liveTensors = (): number => native.liveTensors();
