// Operators that are not methods: `ops.conv2d(input, weight, { stride: 2 })`. operator(name) reaches every other one.
import { native } from "./native.js";
import { functionNames, type Operators } from "./operators.generated.js";

/** Any registered operator by its full name, untyped: operator("aten::linalg_svd")(matrix). Throws E_TENSOR when unknown. */
export const operator = (name: string): ((...args: unknown[]) => unknown) => native.operator(name);

/** Names of all operators of this libtorch. */
export const operatorNames = (): string[] => native.operatorNames();

export const ops: Operators = Object.fromEntries(
  functionNames.map(([name, qualified]) => [name, native.operator(qualified)]),
) as unknown as Operators;
