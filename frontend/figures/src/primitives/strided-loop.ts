// Loops over broadcast operands: two nested loops with strides, whatever the shapes.

import { type Kernel, type Operand, type Shape, broadcastStrides, offsetsOf, sizeOf } from "./primitive.js";

/** Two nested loops over the result, with the strides of each operand; `o` is the offset of the first result. */
export interface StridedLoop {
  /** Whether the result is float32; the loops of `ROUNDING` and the fused loops then round it themselves. */
  readonly single: boolean;
  rows: number;
  cols: number;
  o: number;
  /** For each operand a, b and c: the offset of its first element, its strides from row to row and from column to column. */
  a: number; ar: number; ac: number;
  b: number; br: number; bc: number;
  c: number; cr: number; cc: number;
}

/** Merges adjacent dimensions of the result through which every operand moves with a constant stride. */
function mergeDimensions(shape: Shape, strides: readonly (readonly number[])[]): { shape: number[]; strides: number[][] } {
  const sizes: number[] = [];
  const merged: number[][] = strides.map(() => []);
  shape.forEach((n, d) => {
    if (n === 1) return;
    const last = sizes.length - 1;
    if (last >= 0 && strides.every((s, k) => merged[k]![last] === s[d]! * n)) {
      sizes[last]! *= n;
      strides.forEach((s, k) => (merged[k]![last] = s[d]!));
    } else {
      sizes.push(n);
      strides.forEach((s, k) => merged[k]!.push(s[d]!));
    }
  });
  return { shape: sizes, strides: merged };
}

/** A kernel that calls `loop` for each index of the outer dimensions; `loop` runs over the two innermost ones. */
export function broadcastKernel(out: Operand, inputs: readonly Operand[], loop: (w: StridedLoop) => void): Kernel {
  const { shape, strides } = mergeDimensions(out.shape, inputs.map((x) => broadcastStrides(x.shape, out.shape)));
  const ndim = shape.length;
  const rows = ndim > 1 ? shape[ndim - 2]! : 1;
  const cols = ndim > 0 ? shape[ndim - 1]! : 1;
  const stride = (k: number, d: number): number => (d >= 0 ? (strides[k]?.[d] ?? 0) : 0);
  const w: StridedLoop = {
    single: out.dtype === "float32",
    rows, cols, o: 0,
    a: 0, ar: stride(0, ndim - 2), ac: stride(0, ndim - 1),
    b: 0, br: stride(1, ndim - 2), bc: stride(1, ndim - 1),
    c: 0, cr: stride(2, ndim - 2), cc: stride(2, ndim - 1),
  };
  if (sizeOf(out.shape) === 0) return () => undefined;
  if (ndim <= 2) return () => loop(w);
  const outer = shape.slice(0, ndim - 2);
  const starts = [0, 1, 2].map((k) => offsetsOf(outer, outer.map((_, d) => stride(k, d))));
  const [a, b, c] = starts as [Int32Array, Int32Array, Int32Array];
  const block = rows * cols;
  return () => {
    for (let i = 0; i < a.length; i++) {
      w.o = i * block;
      w.a = a[i]!;
      w.b = b[i]!;
      w.c = c[i]!;
      loop(w);
    }
  };
}
