// Shared by the page's primitives: operands on flat arrays, attributes, shapes and strides.

import { GraphError } from "../evaluator/errors.js";
import type { DType } from "./dtypes.js";

/**
 * Every value is stored in doubles, whatever its dtype, so that each loop reads one type of array and
 * compiles to fast machine code.  A float32 is a double rounded by Math.fround after each operation (around a
 * fused activation less often: see fused-loops.ts), an int64 is exact up to 2⁵³, a bool is 0 or 1.
 */
export type Values = Float64Array;

export type Shape = readonly number[];

export interface Operand {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: Values;
}

/** Computes one node's values from its inputs' into a preallocated buffer. */
export type Kernel = () => void;

/** Checks one application of an operation and returns its kernel, or ALIAS if the result is the input unchanged. */
export type Primitive = (out: Operand, inputs: readonly Operand[], attrs: Attrs) => Kernel;

export type Family = Readonly<Record<string, Primitive>>;

/** The most multiplications in one program; more would freeze the page for seconds. */
export const MAX_WORK = 4e9;
/** The most elements that all nodes together read and write; some nodes need lists of offsets of that length. */
export const MAX_TOUCHED = 2 ** 27;

/** The multiplications and elements that a program has left; all its nodes share them. */
export interface Budget {
  work: number;
  touched: number;
}

/** The attributes of one node, read with their types; error messages begin with the node. */
export class Attrs {
  constructor(
    readonly where: string,
    private readonly values: Readonly<Record<string, unknown>>,
    private readonly budget: Budget,
  ) {}

  /** Counts the node's multiplications; throws if the program would freeze the page. */
  spend(work: number): void {
    this.budget.work -= work;
    if (!(this.budget.work >= 0)) {
      this.fail(`the graph would take more than ${MAX_WORK.toExponential(0)} multiplications: too many for a page`);
    }
  }

  /** Counts the elements that the node reads and writes; throws if there are too many. */
  touch(elements: number): void {
    this.budget.touched -= elements;
    if (!(this.budget.touched >= 0)) {
      this.fail(`the graph's operations read and write more than ${MAX_TOUCHED} elements: too many for a page`);
    }
  }

  fail(message: string): never {
    throw new GraphError(`${this.where}: ${message}`);
  }

  has(key: string): boolean {
    return this.values[key] !== undefined && this.values[key] !== null;
  }

  raw(key: string): unknown {
    return this.values[key];
  }

  int(key: string): number {
    const x = this.values[key];
    if (typeof x === "number" && Number.isInteger(x)) return x;
    return this.fail(`${key} should be a whole number, got ${JSON.stringify(x)}`);
  }

  number(key: string): number {
    const x = this.values[key];
    if (typeof x === "number") return x;
    if (x === "NaN") return NaN;
    if (x === "Infinity") return Infinity;
    if (x === "-Infinity") return -Infinity;
    return this.fail(`${key} should be a number, got ${JSON.stringify(x)}`);
  }

  bool(key: string): boolean {
    const x = this.values[key];
    if (typeof x === "boolean") return x;
    return this.fail(`${key} should be true or false, got ${JSON.stringify(x)}`);
  }

  string(key: string): string {
    const x = this.values[key];
    if (typeof x === "string") return x;
    return this.fail(`${key} should be text, got ${JSON.stringify(x)}`);
  }

  ints(key: string): readonly number[] {
    const x = this.values[key];
    if (Array.isArray(x) && x.every((n) => Number.isInteger(n))) return x as number[];
    return this.fail(`${key} should be a list of whole numbers, got ${JSON.stringify(x)}`);
  }

  pair(key: string): readonly [number, number] {
    const x = this.ints(key);
    if (x.length === 2) return [x[0]!, x[1]!];
    return this.fail(`${key} should be two whole numbers, got ${JSON.stringify(x)}`);
  }

  /** A dimension of a tensor with `ndim` of them. */
  dim(key: string, ndim: number): number {
    const d = this.int(key);
    if (d >= 0 && d < Math.max(ndim, 1)) return d;
    return this.fail(`${key} ${d} is out of range for a tensor with ${ndim} dimensions`);
  }

  /** Distinct dimensions of a tensor with `ndim` of them. */
  dims(key: string, ndim: number): readonly number[] {
    const dims = this.ints(key);
    if (new Set(dims).size === dims.length && dims.every((d) => d >= 0 && d < Math.max(ndim, 1))) {
      return dims;
    }
    return this.fail(`${key} [${dims.join(", ")}] should be distinct dimensions of a tensor with ${ndim} dimensions`);
  }
}

// ---------------------------------------------------------------- shapes

export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

export function expectShape(out: Operand, shape: Shape, attrs: Attrs): void {
  if (!sameShape(out.shape, shape)) {
    attrs.fail(`the result should have shape [${shape.join(", ")}], but has [${out.shape.join(", ")}] in the graph`);
  }
}

export function expectInputs(inputs: readonly Operand[], count: number, attrs: Attrs): void {
  if (inputs.length !== count) attrs.fail(`takes ${count} inputs, but has ${inputs.length} in the graph`);
}

/** The shape to which NumPy broadcasts `shapes`. */
export function broadcastShapes(shapes: readonly Shape[], attrs: Attrs): number[] {
  const ndim = Math.max(0, ...shapes.map((s) => s.length));
  const out = new Array<number>(ndim).fill(1);
  for (const shape of shapes) {
    const leading = ndim - shape.length;
    shape.forEach((n, i) => {
      const m = out[leading + i]!;
      if (m === 1) out[leading + i] = n;
      else if (n !== 1 && n !== m) {
        attrs.fail(`shapes ${shapes.map((s) => `[${s.join(", ")}]`).join(" and ")} do not broadcast`);
      }
    });
  }
  return out;
}

/** Strides with which an array of `shape` is read as if it had the shape `out`: 0 where its elements are repeated. */
export function broadcastStrides(shape: Shape, out: Shape): number[] {
  const strides = stridesOf(shape);
  const leading = out.length - shape.length;
  return out.map((_, i) => (i < leading || shape[i - leading] === 1 ? 0 : strides[i - leading]!));
}

/** For each position of an array of `shape` in row-major order, the offset start + Σ index·stride. */
export function offsetsOf(shape: Shape, strides: readonly number[], start = 0): Int32Array {
  const offsets = new Int32Array(sizeOf(shape));
  if (offsets.length === 0) return offsets;
  offsets[0] = start;
  let filled = 1; // offsets[0] … offsets[filled - 1] cover the dimensions after d
  for (let d = shape.length - 1; d >= 0; d--) {
    for (let k = 1; k < shape[d]!; k++) {
      for (let i = 0; i < filled; i++) offsets[k * filled + i] = offsets[i]! + k * strides[d]!;
    }
    filled *= shape[d]!;
  }
  return offsets;
}

/** The number of elements before, along and after one dimension of `shape`; a number counts as [1]. */
export function sizesAround(shape: Shape, dim: number): { before: number; length: number; after: number } {
  return {
    before: sizeOf(shape.slice(0, dim)),
    length: shape.length ? shape[dim]! : 1,
    after: sizeOf(shape.slice(dim + 1)),
  };
}

// ---------------------------------------------------------------- kernels that only copy

/** The kernel of a node whose result is its first input, perhaps in another shape: both share one buffer. */
export const ALIAS: Kernel = () => undefined;

/** out[i] = x[offsets[i]]. */
export function copyFrom(out: Values, x: Values, offsets: Int32Array): Kernel {
  return () => {
    for (let i = 0; i < offsets.length; i++) out[i] = x[offsets[i]!]!;
  };
}

/** An entry of an index tensor as a position in 0 … length-1; negative ones count from the end. */
export function position(i: number, length: number, attrs: Attrs): number {
  if (i >= 0 && i < length) return i;
  if (i < 0 && i >= -length) return i + length;
  return attrs.fail(`index ${i} is out of bounds for a dimension of length ${length}`);
}
