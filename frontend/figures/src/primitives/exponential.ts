// exp and tanh, which take most of a figure's time: two to three times as fast as those of Math.
// Their relative errors are below 2⁻⁵² (exp) and 1.3·10⁻¹⁴ (tanh).

import type { Values } from "./primitive.js";

/*
With s the integer nearest to 32 x / ln 2:  e^x = 2^(s/32) e^r,  |r| ≤ ln 2 / 64.
2^(s/32) is looked up, e^r - 1 is its Taylor polynomial of degree 6, whose remainder is below 10⁻¹⁷.
Both functions are small enough for the compiler to inline them into the loops that call them.  Constants
are written as literals, and each loop passes in the tables, which it has read into local variables: a variable
from outside the function would be read again for each element, which would double the time.
*/

export const ROOTS = Float64Array.from({ length: 32 }, (_, i) => 2 ** (i / 32));
export const POWERS = Float64Array.from({ length: 2046 }, (_, i) => 2 ** (i - 1022));

/** e^x; `roots` is ROOTS and `powers` is POWERS. */
export function exp(x: number, roots: Values, powers: Values): number {
  if (!(x > -707 && x < 709)) return Math.exp(x); // nan, infinities, and powers of 2 that are not in the table
  // 32 / ln 2; adding and subtracting 1.5 · 2⁵² rounds to a whole number.
  const s = x * 46.16624130844683 + 6755399441055744 - 6755399441055744;
  // ln 2 / 32 as a sum of two numbers: s times the first is exact.
  const r = x - s * 0.02166084938653512 - s * 5.9631716539705866e-12;
  const q = r * r;
  const p = r + q * (0.5 + r * (1 / 6)) + q * q * (1 / 24 + r * (1 / 120) + q * (1 / 720));
  const root = roots[s & 31]!;
  return (root + root * p) * powers[(s >> 5) + 1022]!;
}

/** tanh at the multiples of 1/64 up to ±20, where it is ±1; -0 in the middle, so that tanh(-0) is -0. */
export const TANHS = Float64Array.from({ length: 2561 }, (_, i) => (i === 1280 ? -0 : Math.tanh((i - 1280) / 64)));

/**
 * With a the multiple of 1/64 nearest to x and r = x - a:  tanh x = (tanh a + tanh r) / (1 + tanh a tanh r).
 * tanh a is looked up, tanh r is its Taylor polynomial of degree 5, whose remainder is below 1.3·10⁻¹⁴ |r|.
 * `table` is TANHS. No branch calls a function, so a loop keeps its values in registers; NaN propagates
 * through r.
 */
export function tanh(x: number, table: Values): number {
  const u = x > 19.9 ? 19.9 : x < -19.9 ? -19.9 : x;
  const s = u * 64 + 6755399441055744 - 6755399441055744; // rounded to a whole number, as above
  const r = u - s * 0.015625;
  const q = r * r;
  const t = r * (1 + q * (-1 / 3 + q * (2 / 15)));
  const a = table[(s + 1280) | 0]!;
  return (a + t) / (1 + a * t);
}
