// Fused loops: each computes several operations at once.

import { POWERS, ROOTS, TANHS, exp, tanh } from "./exponential.js";
import { type Matrix, gemm } from "./gemm.js";
import { type Factor2d, layoutOf } from "./linalg.js";
import type { Kernel, Operand, Values } from "./primitive.js";
import { broadcastKernel, type StridedLoop } from "./strided-loop.js";

/*
An intermediate value costs a store and a load, and each loop has its own overhead.  The loops below avoid
both.  A fused pair of + - × gives the same result to the last bit as the two operations.  Around an activation
float32 values stay doubles until the loop's result is rounded, since each rounding costs a third of a tanh;
a result that only the next matrix product reads is not rounded at all.
*/

// ---------------------------------------------------------------- two of + - ×

/** t = a ∘ b, result = t ∘ c or c ∘ t; `+ -` are sums with signs: s₀ t + s₁ c, where t may be a + s b. */
export interface Pair {
  readonly inner: "sum" | "product";
  readonly outer: "sum" | "product";
  /** Sign of b in the inner sum. */
  readonly sign: number;
  /** Signs of t and of c in the outer sum. */
  readonly signs: readonly [number, number];
}

type PairLoop = (o: Values, a: Values, b: Values, c: Values, w: StridedLoop, pair: Pair) => void;

const sumOfProduct: PairLoop = (o, a, b, c, w, { signs: [s, u] }) => {
  const { single, rows, cols, ar, ac, br, bc, cr, cc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b, zr = w.c; i < rows; i++, xr += ar, yr += br, zr += cr)
    for (let j = 0, x = xr, y = yr, z = zr; j < cols; j++, x += ac, y += bc, z += cc) {
      const t = a[x]! * b[y]!;
      const r = s * (single ? Math.fround(t) : t) + u * c[z]!;
      o[k++] = single ? Math.fround(r) : r;
    }
};

const productOfProduct: PairLoop = (o, a, b, c, w) => {
  const { single, rows, cols, ar, ac, br, bc, cr, cc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b, zr = w.c; i < rows; i++, xr += ar, yr += br, zr += cr)
    for (let j = 0, x = xr, y = yr, z = zr; j < cols; j++, x += ac, y += bc, z += cc) {
      const t = a[x]! * b[y]!;
      const r = (single ? Math.fround(t) : t) * c[z]!;
      o[k++] = single ? Math.fround(r) : r;
    }
};

const productOfSum: PairLoop = (o, a, b, c, w, { sign }) => {
  const { single, rows, cols, ar, ac, br, bc, cr, cc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b, zr = w.c; i < rows; i++, xr += ar, yr += br, zr += cr)
    for (let j = 0, x = xr, y = yr, z = zr; j < cols; j++, x += ac, y += bc, z += cc) {
      const t = a[x]! + sign * b[y]!;
      const r = (single ? Math.fround(t) : t) * c[z]!;
      o[k++] = single ? Math.fround(r) : r;
    }
};

const sumOfSum: PairLoop = (o, a, b, c, w, { sign, signs: [s, u] }) => {
  const { single, rows, cols, ar, ac, br, bc, cr, cc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b, zr = w.c; i < rows; i++, xr += ar, yr += br, zr += cr)
    for (let j = 0, x = xr, y = yr, z = zr; j < cols; j++, x += ac, y += bc, z += cc) {
      const t = a[x]! + sign * b[y]!;
      const r = s * (single ? Math.fround(t) : t) + u * c[z]!;
      o[k++] = single ? Math.fround(r) : r;
    }
};

export function pairKernel(pair: Pair, out: Operand, inputs: readonly [Operand, Operand, Operand]): Kernel {
  const o = out.data;
  const [a, b, c] = inputs.map((x) => x.data) as [Values, Values, Values];
  const loop =
    pair.outer === "sum" ? (pair.inner === "sum" ? sumOfSum : sumOfProduct) : pair.inner === "sum" ? productOfSum : productOfProduct;
  return broadcastKernel(out, inputs, (w) => loop(o, a, b, c, w, pair));
}

// ---------------------------------------------------------------- a bias, then an activation

type BiasLoop = (o: Values, a: Values, b: Values, w: StridedLoop) => void;

const tanhOfSum: BiasLoop = (o, a, b, w) => {
  const table = TANHS;
  const { single, rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) {
      const r = tanh(a[x]! + b[y]!, table);
      o[k++] = single ? Math.fround(r) : r;
    }
};

const sigmoidOfSum: BiasLoop = (o, a, b, w) => {
  const roots = ROOTS;
  const powers = POWERS;
  const { single, rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) {
      const r = 1 / (1 + exp(-(a[x]! + b[y]!), roots, powers));
      o[k++] = single ? Math.fround(r) : r;
    }
};

const reluOfSum: BiasLoop = (o, a, b, w) => {
  const { single, rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) {
      const t = a[x]! + b[y]!;
      const r = single ? Math.fround(t) : t;
      o[k++] = r > 0 || r !== r ? r : 0;
    }
};

/**
 * act(o + b) in place, for rows `start` … `end` - 1 of a matrix with n columns: column by column, so that
 * its bias stays in a register. Each activation has loops of its own (see elementwise.ts).
 */
type ColumnsLoop = (o: Values, start: number, end: number, n: number, b: Values, step: number, single: boolean) => void;

const tanhColumns: ColumnsLoop = (o, start, end, n, b, step, single) => {
  const table = TANHS;
  for (let j = 0; j < n; j++) {
    const bias = b[j * step]!;
    for (let q = start * n + j, last = end * n; q < last; q += n) {
      const r = tanh(o[q]! + bias, table);
      o[q] = single ? Math.fround(r) : r;
    }
  }
};

const sigmoidColumns: ColumnsLoop = (o, start, end, n, b, step, single) => {
  const roots = ROOTS;
  const powers = POWERS;
  for (let j = 0; j < n; j++) {
    const bias = b[j * step]!;
    for (let q = start * n + j, last = end * n; q < last; q += n) {
      const r = 1 / (1 + exp(-(o[q]! + bias), roots, powers));
      o[q] = single ? Math.fround(r) : r;
    }
  }
};

const reluColumns: ColumnsLoop = (o, start, end, n, b, step, single) => {
  for (let j = 0; j < n; j++) {
    const bias = b[j * step]!;
    for (let q = start * n + j, last = end * n; q < last; q += n) {
      const t = o[q]! + bias;
      const r = single ? Math.fround(t) : t;
      o[q] = r > 0 || r !== r ? r : 0;
    }
  }
};

interface Activation {
  readonly ofSum: BiasLoop;
  readonly layer: ColumnsLoop;
}

const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  tanh: { ofSum: tanhOfSum, layer: tanhColumns },
  sigmoid: { ofSum: sigmoidOfSum, layer: sigmoidColumns },
  relu: { ofSum: reluOfSum, layer: reluColumns },
};

/** Whether an operation is an activation that can be fused with the sum before it. */
export function fusesWithSum(op: string): boolean {
  return Object.hasOwn(ACTIVATIONS, op);
}

/** act(a + b), for any shapes that broadcast. */
export function activationKernel(op: string, out: Operand, inputs: readonly [Operand, Operand]): Kernel {
  const loop = ACTIVATIONS[op]!.ofSum;
  const o = out.data;
  const [a, b] = [inputs[0].data, inputs[1].data];
  return broadcastKernel(out, inputs, (w) => loop(o, a, b, w));
}

// ---------------------------------------------------------------- a whole layer

/** The number of rows that are computed together, so that they stay in the processor's first-level cache. */
const BLOCK = 64;
/** The fewest rows with which a loop for each column is worth its overhead. */
export const LEAST_ROWS = 16;

/** act(X·W + b), where b is one number or one for each column; `single` rounds the result to float32. */
export function layerKernel(op: string, out: Operand, x: Factor2d, w: Factor2d, bias: Operand, single: boolean): Kernel {
  const layer = ACTIVATIONS[op]!.layer;
  const [m, n] = out.shape as [number, number];
  const k = x.matrix.shape[x.transposed ? 0 : 1]!;
  const [A, B] = [layoutOf(x), layoutOf(w)];
  const C: Matrix = { data: out.data, start: 0, row: n, col: 1 };
  const step = bias.data.length === 1 ? 0 : 1;
  const [o, c] = [out.data, bias.data];
  if (op === "tanh" && k === 2) {
    return () => {
      for (let start = 0; start < m; start += BLOCK) {
        const end = Math.min(m, start + BLOCK);
        for (let j = 0; j < n; j++) twoInputs(o, A, start, end, j, n, B, c[j * step]!, single);
      }
    };
  }
  if (op === "tanh" && k === 8) {
    return () => {
      for (let start = 0; start < m; start += BLOCK) {
        const end = Math.min(m, start + BLOCK);
        for (let j = 0; j < n; j++) eightInputs(o, A, start, end, j, n, B, c[j * step]!, single);
      }
    };
  }
  return () => {
    for (let start = 0; start < m; start += BLOCK) {
      const end = Math.min(m, start + BLOCK);
      A.start = start * A.row;
      C.start = start * n;
      gemm(end - start, n, k, A, B, C, false);
      layer(o, start, end, n, c, step, single);
    }
  };
}

/** One neuron's outputs for the rows `start` … `end` - 1: tanh(X · column j of W + bias). */
type Neuron = (
  o: Values, x: Matrix, start: number, end: number, j: number, n: number, w: Matrix, bias: number, single: boolean,
) => void;

/** A neuron with two inputs, its weights in registers. */
const twoInputs: Neuron = (o, x, start, end, j, n, w, bias, single) => {
  const table = TANHS;
  const { data, row, col } = x;
  const first = j * w.col;
  const w0 = w.data[first]!;
  const w1 = w.data[first + w.row]!;
  for (let i = start, p = start * row, q = start * n + j; i < end; i++, p += row, q += n) {
    const r = tanh(data[p]! * w0 + data[p + col]! * w1 + bias, table);
    o[q] = single ? Math.fround(r) : r;
  }
};

/** A neuron with eight inputs, the width of most hidden layers in the book's figures. */
const eightInputs: Neuron = (o, x, start, end, j, n, w, bias, single) => {
  const table = TANHS;
  const { data, row, col } = x;
  const { data: v, row: step } = w;
  const first = j * w.col;
  const w0 = v[first]!, w1 = v[first + step]!, w2 = v[first + 2 * step]!, w3 = v[first + 3 * step]!;
  const w4 = v[first + 4 * step]!, w5 = v[first + 5 * step]!, w6 = v[first + 6 * step]!, w7 = v[first + 7 * step]!;
  for (let i = start, p = start * row, q = start * n + j; i < end; i++, p += row, q += n) {
    const firstHalf = data[p]! * w0 + data[p + col]! * w1 + (data[p + 2 * col]! * w2 + data[p + 3 * col]! * w3);
    const secondHalf = data[p + 4 * col]! * w4 + data[p + 5 * col]! * w5 + (data[p + 6 * col]! * w6 + data[p + 7 * col]! * w7);
    const r = tanh(firstHalf + secondHalf + bias, table);
    o[q] = single ? Math.fround(r) : r;
  }
};

// ---------------------------------------------------------------- tanh's derivative

/** g · (one - h·h), the gradient pulled back through h = tanh(…). */
export function tanhVjpKernel(out: Operand, inputs: readonly [Operand, Operand, Operand]): Kernel {
  const o = out.data;
  const [g, one, h] = inputs.map((x) => x.data) as [Values, Values, Values];
  return broadcastKernel(out, inputs, (w) => {
    const { single, rows, cols, ar, ac, br, bc, cr, cc } = w;
    for (let i = 0, k = w.o, xr = w.a, yr = w.b, zr = w.c; i < rows; i++, xr += ar, yr += br, zr += cr)
      for (let j = 0, x = xr, y = yr, z = zr; j < cols; j++, x += ac, y += bc, z += cc) {
        const s = h[z]!;
        const r = g[x]! * (one[y]! - s * s);
        o[k++] = single ? Math.fround(r) : r;
      }
  });
}

/** The same if g is a column times a row, as for the gradient that a layer with one neuron passes back. */
export function outerTanhVjpKernel(out: Operand, column: Operand, row: Operand, one: Operand, h: Operand): Kernel {
  const [m, n] = out.shape as [number, number];
  const [o, g, w, a, oneData] = [out.data, column.data, row.data, h.data, one.data];
  const single = out.dtype === "float32";
  return () => {
    const unit = oneData[0]!;
    for (let i = 0, k = 0; i < m; i++) {
      const v = g[i]!;
      for (let j = 0; j < n; j++, k++) {
        const s = a[k]!;
        const r = v * w[j]! * (unit - s * s);
        o[k] = single ? Math.fround(r) : r;
      }
    }
  };
}
