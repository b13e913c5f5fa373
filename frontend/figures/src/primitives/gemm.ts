// The matrix product that all primitives share: C = A·B or C += A·B with any strides, 2 × 4 results at a time.

import type { Values } from "./primitive.js";

/** The layout of a matrix in a flat array: start, stride from row to row, stride from column to column. */
export interface Matrix {
  data: Values;
  start: number;
  row: number;
  col: number;
}

/** Up to four columns of a right factor, copied side by side. */
let packed = new Float64Array(0);
/** Right factors with at most this many elements are read in place: they stay in the processor's cache. */
const SMALL = 4096;

/** Makes room for products whose right factors have `k` rows; called when a program is compiled. */
export function reserve(k: number): void {
  if (4 * k > packed.length) packed = new Float64Array(4 * k);
}

/**
 * C = A·B (m × k times k × n), or C += A·B; `single` rounds the results to float32.
 * C's rows are `c.row` apart, its columns adjacent.
 */
export function gemm(
  m: number, n: number, k: number, a: Matrix, b: Matrix, c: Matrix, accumulate: boolean, single = false,
): void {
  if (n === 1) column(m, k, a, b, c, accumulate, single);
  else if (m < 3 && (b.col !== 1 || n < 4)) dots(m, n, k, a, b, c, accumulate, single);
  else {
    const inPlace = b.col === 1 && (m <= 8 || k * n <= SMALL);
    for (let j = 0; j < n; j += 4) {
      const cols = Math.min(4, n - j);
      if (inPlace && cols === 4) panel(m, 4, k, a, b.data, b.start + j, b.row, c, j, accumulate, single);
      else {
        pack(j, cols, k, b);
        panel(m, cols, k, a, packed, 0, 4, c, j, accumulate, single);
      }
    }
  }
}

/*
No loop below passes its sums to another function: if the compiler did not inline that function, each
number would become an object.
*/

/** A product with one column: four results at a time. */
function column(m: number, k: number, a: Matrix, b: Matrix, c: Matrix, accumulate: boolean, single: boolean): void {
  const x = a.data;
  const y = b.data;
  const o = c.data;
  const { row, col } = a;
  const step = b.row;
  let i = 0;
  for (; i + 3 < m; i += 4) {
    let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (let l = 0, p = a.start + i * row, q = b.start; l < k; l++, p += col, q += step) {
      const v = y[q]!;
      s0 += x[p]! * v;
      s1 += x[p + row]! * v;
      s2 += x[p + 2 * row]! * v;
      s3 += x[p + 3 * row]! * v;
    }
    const at = c.start + i * c.row;
    const third = at + 2 * c.row;
    const fourth = at + 3 * c.row;
    if (accumulate) {
      s0 += o[at]!;
      s1 += o[at + c.row]!;
      s2 += o[third]!;
      s3 += o[fourth]!;
    }
    o[at] = single ? Math.fround(s0) : s0;
    o[at + c.row] = single ? Math.fround(s1) : s1;
    o[third] = single ? Math.fround(s2) : s2;
    o[fourth] = single ? Math.fround(s3) : s3;
  }
  for (; i < m; i++) dot(k, a, a.start + i * row, b, b.start, o, c.start + i * c.row, accumulate, single);
}

/** A product with one or two rows: a dot product for each result. */
function dots(m: number, n: number, k: number, a: Matrix, b: Matrix, c: Matrix, accumulate: boolean, single: boolean): void {
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++)
      dot(k, a, a.start + i * a.row, b, b.start + j * b.col, c.data, c.start + i * c.row + j, accumulate, single);
}

/** One result, o[at]: a row of A, from x0 on, times a column of B, from y0 on. */
function dot(
  k: number, a: Matrix, x0: number, b: Matrix, y0: number, o: Values, at: number, accumulate: boolean, single: boolean,
): void {
  const x = a.data;
  const y = b.data;
  const { col } = a;
  const { row } = b;
  let s = 0, t = 0;
  let p = x0, q = y0, l = 0;
  for (; l + 1 < k; l += 2, p += 2 * col, q += 2 * row) {
    s += x[p]! * y[q]!;
    t += x[p + col]! * y[q + row]!;
  }
  if (l < k) s += x[p]! * y[q]!;
  const sum = accumulate ? o[at]! + (s + t) : s + t;
  o[at] = single ? Math.fround(sum) : sum;
}

/** Copies columns j … j + cols - 1 of B side by side; missing ones become zeros. */
function pack(j: number, cols: number, k: number, b: Matrix): void {
  const y = b.data;
  for (let l = 0, w = 0; l < k; l++, w += 4) {
    const q = b.start + l * b.row + j * b.col;
    packed[w] = y[q]!;
    packed[w + 1] = cols > 1 ? y[q + b.col]! : 0;
    packed[w + 2] = cols > 2 ? y[q + 2 * b.col]! : 0;
    packed[w + 3] = cols > 3 ? y[q + 3 * b.col]! : 0;
  }
}

/** Computes up to four columns of C, from column j on; y's rows start at y0 and are `ystep` apart. */
function panel(
  m: number, cols: number, k: number, a: Matrix, y: Values, y0: number, ystep: number,
  c: Matrix, j: number, accumulate: boolean, single: boolean,
): void {
  const x = a.data;
  const o = c.data;
  const step = a.col;
  for (let i = 0; i < m; i += 2) {
    const hasSecondRow = i + 1 < m;
    let p = a.start + i * a.row;
    let r = hasSecondRow ? p + a.row : p;
    let s0 = 0, s1 = 0, s2 = 0, s3 = 0, t0 = 0, t1 = 0, t2 = 0, t3 = 0;
    for (let l = 0, q = y0; l < k; l++, q += ystep, p += step, r += step) {
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
    const at = c.start + j + i * c.row;
    if (cols === 4 && hasSecondRow && !accumulate && !single) {
      const below = at + c.row;
      o[at] = s0;
      o[at + 1] = s1;
      o[at + 2] = s2;
      o[at + 3] = s3;
      o[below] = t0;
      o[below + 1] = t1;
      o[below + 2] = t2;
      o[below + 3] = t3;
    } else {
      tile[0] = s0;
      tile[1] = s1;
      tile[2] = s2;
      tile[3] = s3;
      tile[4] = t0;
      tile[5] = t1;
      tile[6] = t2;
      tile[7] = t3;
      putTile(o, at, c.row, hasSecondRow ? 2 : 1, cols, accumulate, single);
    }
  }
}

/** The sums of one tile, if only some of them are stored, or if they are added to C or rounded first. */
const tile = new Float64Array(8);

function putTile(o: Values, at: number, row: number, rows: number, cols: number, accumulate: boolean, single: boolean): void {
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) {
      const index = at + i * row + j;
      const s = accumulate ? o[index]! + tile[4 * i + j]! : tile[4 * i + j]!;
      o[index] = single ? Math.fround(s) : s;
    }
}
