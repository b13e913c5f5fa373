// One matrix product for everything: C (+)= A·B with any strides, B packed, 2 × 4 results at a time.

import type { Values } from "./primitive.js";

/** Where a matrix lies in a flat array: start, step from row to row, step from column to column. */
export interface Matrix {
  data: Values;
  at: number;
  row: number;
  col: number;
}

let packed = new Float64Array(0);

/** Make room for products with `k` × `n` right factors; called when a program is compiled. */
export function reserve(k: number, n: number): void {
  const size = k * (Math.ceil(n / 4) * 4);
  if (size > packed.length) packed = new Float64Array(size);
}

/** C = A·B (m × k times k × n), or C += A·B. C's rows are `c.row` apart, its columns adjacent. */
export function gemm(m: number, n: number, k: number, a: Matrix, b: Matrix, c: Matrix, accumulate: boolean): void {
  if (m < 3 || n === 1) thin(m, n, k, a, b, c, accumulate);
  else {
    pack(n, k, b);
    for (let j = 0; j < n; j += 4) panel(m, Math.min(4, n - j), k, a, packed, j * k, c.data, c.at + j, c.row, accumulate);
  }
}

/** Few results: dot products as they stand. */
function thin(m: number, n: number, k: number, a: Matrix, b: Matrix, c: Matrix, accumulate: boolean): void {
  const x = a.data;
  const y = b.data;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let s = 0, t = 0;
      let p = a.at + i * a.row, q = b.at + j * b.col;
      let l = 0;
      for (; l + 1 < k; l += 2, p += 2 * a.col, q += 2 * b.row) {
        s += x[p]! * y[q]!;
        t += x[p + a.col]! * y[q + b.row]!;
      }
      if (l < k) s += x[p]! * y[q]!;
      const at = c.at + i * c.row + j;
      c.data[at] = accumulate ? c.data[at]! + (s + t) : s + t;
    }
  }
}

/** Four columns of B side by side, missing ones as zeros. */
function pack(n: number, k: number, b: Matrix): void {
  const y = b.data;
  let w = 0;
  for (let j = 0; j < n; j += 4) {
    const last = n - j;
    for (let l = 0; l < k; l++, w += 4) {
      const q = b.at + l * b.row + j * b.col;
      packed[w] = y[q]!;
      packed[w + 1] = last > 1 ? y[q + b.col]! : 0;
      packed[w + 2] = last > 2 ? y[q + 2 * b.col]! : 0;
      packed[w + 3] = last > 3 ? y[q + 3 * b.col]! : 0;
    }
  }
}

/** Up to four columns of C. */
function panel(
  m: number, cols: number, k: number, a: Matrix, y: Values, y0: number,
  c: Values, c0: number, crow: number, accumulate: boolean,
): void {
  const x = a.data;
  const step = a.col;
  for (let i = 0; i < m; i += 2) {
    const two = i + 1 < m;
    let p = a.at + i * a.row;
    let r = two ? p + a.row : p;
    let s0 = 0, s1 = 0, s2 = 0, s3 = 0, t0 = 0, t1 = 0, t2 = 0, t3 = 0;
    for (let l = 0, q = y0; l < k; l++, q += 4, p += step, r += step) {
      const u = x[p]!, v = x[r]!;
      const y1 = y[q]!, y2 = y[q + 1]!, y3 = y[q + 2]!, y4 = y[q + 3]!;
      s0 += u * y1;
      s1 += u * y2;
      s2 += u * y3;
      s3 += u * y4;
      t0 += v * y1;
      t1 += v * y2;
      t2 += v * y3;
      t3 += v * y4;
    }
    const at = c0 + i * crow;
    put(c, at, cols, s0, s1, s2, s3, accumulate);
    if (two) put(c, at + crow, cols, t0, t1, t2, t3, accumulate);
  }
}

function put(c: Values, at: number, cols: number, s0: number, s1: number, s2: number, s3: number, accumulate: boolean): void {
  if (accumulate) {
    c[at] = c[at]! + s0;
    if (cols > 1) c[at + 1] = c[at + 1]! + s1;
    if (cols > 2) c[at + 2] = c[at + 2]! + s2;
    if (cols > 3) c[at + 3] = c[at + 3]! + s3;
  } else {
    c[at] = s0;
    if (cols > 1) c[at + 1] = s1;
    if (cols > 2) c[at + 2] = s2;
    if (cols > 3) c[at + 3] = s3;
  }
}
