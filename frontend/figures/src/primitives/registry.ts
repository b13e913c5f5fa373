// All primitives by name, in the families of nnlib/primitives, and the rounding of their results.

import { GraphError } from "../evaluator/errors.js";
import type { DType } from "./dtypes.js";
import { ROUNDING, elementwise } from "./elementwise.js";
import { indexing } from "./indexing.js";
import { linalg } from "./linalg.js";
import { ALIAS, type Attrs, type Family, type Kernel, type Operand, type Values } from "./primitive.js";
import { reduce } from "./reduce.js";
import { shape } from "./shape.js";
import { window } from "./window.js";

export const families: Readonly<Record<string, Family>> = { elementwise, reduce, shape, linalg, index: indexing, window };

const registry: Family = Object.assign(Object.create(null) as object, ...Object.values(families)) as Family;

export function knowsOp(op: string): boolean {
  return op in registry;
}

/** The names of all primitives. */
export function opNames(): string[] {
  return Object.keys(registry);
}

/** The kernel of one application of `op`, its result rounded to the dtype that the graph records. */
export function compile(op: string, out: Operand, inputs: readonly Operand[], attrs: Attrs): Kernel {
  const primitive = registry[op];
  if (!primitive) throw new GraphError(`${attrs.where}: this page does not know the operation "${op}"`);
  if (inputs.length === 0) attrs.fail("has no inputs");
  attrs.touch(inputs.reduce((sum, x) => sum + x.data.length, out.data.length));
  const kernel = primitive(out, inputs, attrs);
  if (kernel === ALIAS) return kernel;
  if (out.dtype === "float32" && (ROUNDING.has(op) || op === "matmul")) return kernel;
  if (KEEPS_ROUNDING.has(op) && inputs.every((x) => x.dtype === out.dtype || x.dtype === "int64" || x.dtype === "bool")) return kernel;
  return rounded(kernel, out.data, out.dtype);
}

/** These copy values, take absolute values or insert 0, so rounded inputs give rounded results. */
const KEEPS_ROUNDING: ReadonlySet<string> = new Set(
  "permute expand flip cat slice slice_backward tril triu gather take index relu abs where maximum minimum amax amin max_pool2d".split(" "),
);

/** The kernel followed by the rounding of its results; the values of float64 and bool need none. */
function rounded(kernel: Kernel, out: Values, dtype: DType): Kernel {
  switch (dtype) {
    case "float64": case "bool": return kernel;
    case "float32":
      return () => {
        kernel();
        for (let i = 0; i < out.length; i++) out[i] = Math.fround(out[i]!);
      };
    case "int64":
      return () => {
        kernel();
        for (let i = 0; i < out.length; i++) out[i] = out[i]! + 0; // integers have no -0
      };
    default: return dtype satisfies never;
  }
}
