// Elementwise primitives: one loop each, broadcasting by strides.

import {
  ALIAS, type Attrs, type Family, type Operand, type Primitive, type Values,
  broadcastShapes, expectInputs, expectShape, sameShape,
} from "./primitive.js";
import { POWERS, ROOTS, TANHS, exp as expOf, tanh as tanhOf } from "./exponential.js";
import { erf, roundHalfEven } from "./special.js";
import { broadcastKernel, type StridedLoop } from "./strided-loop.js";

/*
Every operation has a loop of its own (no function is passed to a common loop), because a call per
element would cost more than the operation and would box each number in an object.
*/

/**
 * Checks that the inputs broadcast to the recorded shape. It may be larger than their common shape, because
 * Program lets elementwise operations read the input of an `expand`.
 */
function expectBroadcast(out: Operand, inputs: readonly Operand[], attrs: Attrs): void {
  const shapes = inputs.map((x) => x.shape);
  if (!sameShape(broadcastShapes([...shapes, out.shape], attrs), out.shape)) {
    attrs.fail(`shapes ${shapes.map((s) => `[${s.join(", ")}]`).join(", ")} do not broadcast to [${out.shape.join(", ")}]`);
  }
}

// ---------------------------------------------------------------- two arguments

type Loop2 = (o: Values, a: Values, b: Values, w: StridedLoop) => void;

function binary(loop: Loop2, forIntegers: Loop2 = loop): Primitive {
  return (out, inputs, attrs) => {
    expectInputs(inputs, 2, attrs);
    expectBroadcast(out, inputs, attrs);
    const o = out.data;
    const a = inputs[0]!.data;
    const b = inputs[1]!.data;
    const loopOfDtype = out.dtype === "int64" ? forIntegers : loop;
    return broadcastKernel(out, inputs, (w) => loopOfDtype(o, a, b, w));
  };
}

const add: Loop2 = (o, a, b, w) => {
  const { single, rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) {
      const t = a[x]! + b[y]!;
      o[k++] = single ? Math.fround(t) : t;
    }
};
const sub: Loop2 = (o, a, b, w) => {
  const { single, rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) {
      const t = a[x]! - b[y]!;
      o[k++] = single ? Math.fround(t) : t;
    }
};
const mul: Loop2 = (o, a, b, w) => {
  const { single, rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) {
      const t = a[x]! * b[y]!;
      o[k++] = single ? Math.fround(t) : t;
    }
};
const div: Loop2 = (o, a, b, w) => {
  const { single, rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) {
      const t = a[x]! / b[y]!;
      o[k++] = single ? Math.fround(t) : t;
    }
};
/** C's pow, which NumPy and PyTorch use: 1 to any power and (±1)^±∞ are 1; JavaScript returns NaN for some of them. */
const pow: Loop2 = (o, a, b, w) => {
  if (b.length === 1 && a.length === o.length && (b[0] === 2 || b[0] === 1)) return firstOrSecondPower(o, a, b[0]);
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) {
      const s = a[x]!;
      const t = b[y]!;
      o[k++] = s === 1 || ((t === Infinity || t === -Infinity) && s === -1) ? 1 : s ** t;
    }
};
/** Powers 2 and 1 without calling pow; power 1 comes from the derivative of a square. */
function firstOrSecondPower(o: Values, a: Values, power: 1 | 2): void {
  if (power === 1) o.set(a);
  else for (let i = 0; i < o.length; i++) o[i] = a[i]! * a[i]!;
}
/** nan propagates, as in NumPy. */
const maximum: Loop2 = (o, a, b, w) => {
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) {
      const s = a[x]!;
      const t = b[y]!;
      o[k++] = s > t || s !== s ? s : t;
    }
};
const minimum: Loop2 = (o, a, b, w) => {
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) {
      const s = a[x]!;
      const t = b[y]!;
      o[k++] = s < t || s !== s ? s : t;
    }
};
const atan2: Loop2 = (o, a, b, w) => {
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) o[k++] = Math.atan2(a[x]!, b[y]!);
};
/** Python's %: the result has the sign of the divisor. */
const remainder: Loop2 = (o, a, b, w) => {
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) {
      const t = b[y]!;
      const r = a[x]! % t;
      o[k++] = r === 0 ? (t < 0 || (t === 0 && 1 / t < 0) ? -0 : 0) : r < 0 !== t < 0 ? r + t : r;
    }
};
const remainderOfIntegers: Loop2 = (o, a, b, w) => {
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) {
      const t = b[y]!;
      const r = a[x]! % t;
      o[k++] = t === 0 ? 0 : r !== 0 && r < 0 !== t < 0 ? r + t : r;
    }
};
/** Python's //: the floor of the exact quotient, computed from the exact remainder. */
const floorDivide: Loop2 = (o, a, b, w) => {
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) {
      const s = a[x]!;
      const t = b[y]!;
      o[k++] = floorQuotient(s, t);
    }
};
const floorDivideIntegers: Loop2 = (o, a, b, w) => {
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) {
      const s = a[x]!;
      const t = b[y]!;
      const r = s % t;
      o[k++] = t === 0 ? 0 : (s - (r !== 0 && r < 0 !== t < 0 ? r + t : r)) / t;
    }
};

// Comparisons use `+(…)`: the branch of `? 1 : 0` takes three times as long if the processor cannot predict it.
const eq: Loop2 = (o, a, b, w) => {
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) o[k++] = +(a[x]! === b[y]!);
};
const ne: Loop2 = (o, a, b, w) => {
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) o[k++] = +(a[x]! !== b[y]!);
};
const lt: Loop2 = (o, a, b, w) => {
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) o[k++] = +(a[x]! < b[y]!);
};
const le: Loop2 = (o, a, b, w) => {
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) o[k++] = +(a[x]! <= b[y]!);
};
const gt: Loop2 = (o, a, b, w) => {
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) o[k++] = +(a[x]! > b[y]!);
};
const ge: Loop2 = (o, a, b, w) => {
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) o[k++] = +(a[x]! >= b[y]!);
};
const logicalAnd: Loop2 = (o, a, b, w) => {
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) o[k++] = a[x]! !== 0 && b[y]! !== 0 ? 1 : 0;
};
const logicalOr: Loop2 = (o, a, b, w) => {
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) o[k++] = a[x]! !== 0 || b[y]! !== 0 ? 1 : 0;
};
const logicalXor: Loop2 = (o, a, b, w) => {
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) o[k++] = (a[x]! !== 0) !== (b[y]! !== 0) ? 1 : 0;
};

// Bitwise operations: JavaScript's own operators use 32 bits, so larger numbers are converted to BigInt.
const bitwiseAnd: Loop2 = (o, a, b, w) => {
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) {
      const s = a[x]!, t = b[y]!;
      o[k++] = (s | 0) === s && (t | 0) === t ? s & t : Number(BigInt(s) & BigInt(t));
    }
};
const bitwiseOr: Loop2 = (o, a, b, w) => {
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) {
      const s = a[x]!, t = b[y]!;
      o[k++] = (s | 0) === s && (t | 0) === t ? s | t : Number(BigInt(s) | BigInt(t));
    }
};
const bitwiseXor: Loop2 = (o, a, b, w) => {
  const { rows, cols, ar, ac, br, bc } = w;
  for (let i = 0, k = w.o, xr = w.a, yr = w.b; i < rows; i++, xr += ar, yr += br)
    for (let j = 0, x = xr, y = yr; j < cols; j++, x += ac, y += bc) {
      const s = a[x]!, t = b[y]!;
      o[k++] = (s | 0) === s && (t | 0) === t ? s ^ t : Number(BigInt(s) ^ BigInt(t));
    }
};

function floorQuotient(s: number, t: number): number {
  if (t === 0) return s / t;
  let r = s % t;
  let q = (s - r) / t;
  if (r !== 0 && r < 0 !== t < 0) {
    r += t;
    q -= 1;
  }
  if (q === 0) return s < 0 !== t < 0 ? -0 : 0;
  const below = Math.floor(q);
  return q - below > 0.5 ? below + 1 : below;
}

// ---------------------------------------------------------------- one argument

type Loop1 = (o: Values, a: Values, single: boolean) => void;

function unary(loop: Loop1): Primitive {
  return (out, inputs, attrs) => {
    expectInputs(inputs, 1, attrs);
    expectShape(out, inputs[0]!.shape, attrs);
    const o = out.data;
    const a = inputs[0]!.data;
    const single = out.dtype === "float32";
    return () => loop(o, a, single);
  };
}

const neg: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = -a[i]!;
};
const abs: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.abs(a[i]!);
};
const sign: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.sign(a[i]!) + 0; // -0 becomes 0
};
const exp: Loop1 = (o, a, single) => {
  const roots = ROOTS;
  const powers = POWERS;
  for (let i = 0; i < o.length; i++) {
    const t = expOf(a[i]!, roots, powers);
    o[i] = single ? Math.fround(t) : t;
  }
};
const expm1: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.expm1(a[i]!);
};
const exp2: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = 2 ** a[i]!;
};
const log: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.log(a[i]!);
};
const log1p: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.log1p(a[i]!);
};
const log2: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.log2(a[i]!);
};
const log10: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.log10(a[i]!);
};
const sqrt: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.sqrt(a[i]!);
};
const sin: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.sin(a[i]!);
};
const cos: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.cos(a[i]!);
};
const tan: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.tan(a[i]!);
};
const asin: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.asin(a[i]!);
};
const acos: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.acos(a[i]!);
};
const atan: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.atan(a[i]!);
};
const sinh: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.sinh(a[i]!);
};
const cosh: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.cosh(a[i]!);
};
const tanh: Loop1 = (o, a, single) => {
  const table = TANHS;
  for (let i = 0; i < o.length; i++) {
    const t = tanhOf(a[i]!, table);
    o[i] = single ? Math.fround(t) : t;
  }
};
const asinh: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.asinh(a[i]!);
};
const acosh: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.acosh(a[i]!);
};
const atanh: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.atanh(a[i]!);
};
const sigmoid: Loop1 = (o, a, single) => {
  const roots = ROOTS;
  const powers = POWERS;
  for (let i = 0; i < o.length; i++) {
    const t = 1 / (1 + expOf(-a[i]!, roots, powers));
    o[i] = single ? Math.fround(t) : t;
  }
};
const softplus: Loop1 = (o, a) => {
  const roots = ROOTS;
  const powers = POWERS;
  for (let i = 0; i < o.length; i++) {
    const x = a[i]!;
    o[i] = (x > 0 || x !== x ? x : 0) + Math.log1p(expOf(-Math.abs(x), roots, powers));
  }
};
const relu: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) {
    const x = a[i]!;
    o[i] = x > 0 || x !== x ? x : 0;
  }
};
const erfLoop: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = erf(a[i]!);
};
const floor: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.floor(a[i]!);
};
const ceil: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.ceil(a[i]!);
};
const round: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = roundHalfEven(a[i]!);
};
const trunc: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.trunc(a[i]!);
};
const logicalNot: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = a[i]! === 0 ? 1 : 0;
};
const isnan: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = a[i]! !== a[i]! ? 1 : 0;
};
const isinf: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) {
    const x = a[i]!;
    o[i] = x === Infinity || x === -Infinity ? 1 : 0;
  }
};
const isfinite: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = a[i]! - a[i]! === 0 ? 1 : 0;
};

/** The result equals the input, so nothing is copied and both share a buffer. */
const clone: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 1, attrs);
  expectShape(out, inputs[0]!.shape, attrs);
  return ALIAS;
};

/** Converts as C does: floats are truncated towards zero, anything but 0 becomes true. */
const cast: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 1, attrs);
  expectShape(out, inputs[0]!.shape, attrs);
  const from = inputs[0]!.dtype;
  const to = attrs.string("dtype");
  if (to !== out.dtype) attrs.fail(`casts to ${to}, but the graph's dtype for the result is ${out.dtype}`);
  if (from === to || from === "bool" || (to === "float64" && from === "float32")) return ALIAS;
  return unary(to === "bool" ? toBool : to === "int64" ? toInt64 : copy)(out, inputs, attrs);
};

const toBool: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = a[i]! !== 0 ? 1 : 0;
};
/** nan and infinities become the smallest int64, as on the machines that run NumPy. */
const toInt64: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) {
    const x = a[i]!;
    o[i] = x - x === 0 ? Math.trunc(x) : -(2 ** 63);
  }
};
const copy: Loop1 = (o, a) => {
  for (let i = 0; i < o.length; i++) o[i] = a[i]!;
};

const clamp: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 1, attrs);
  expectShape(out, inputs[0]!.shape, attrs);
  const rounded = out.dtype === "float32" ? Math.fround : Number;
  const min = attrs.has("min") ? rounded(attrs.number("min")) : -Infinity;
  const max = attrs.has("max") ? rounded(attrs.number("max")) : Infinity;
  const o = out.data;
  const a = inputs[0]!.data;
  return () => {
    for (let i = 0; i < o.length; i++) {
      const x = a[i]!;
      const atLeastMin = x < min ? min : x;
      o[i] = atLeastMin > max ? max : atLeastMin;
    }
  };
};

const where: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 3, attrs);
  expectBroadcast(out, inputs, attrs);
  const o = out.data;
  const [a, b, c] = inputs.map((x) => x.data) as [Values, Values, Values];
  return broadcastKernel(out, inputs, (w) => {
    const { rows, cols, ar, ac, br, bc, cr, cc } = w;
    for (let i = 0, k = w.o, xr = w.a, yr = w.b, zr = w.c; i < rows; i++, xr += ar, yr += br, zr += cr)
      for (let j = 0, x = xr, y = yr, z = zr; j < cols; j++, x += ac, y += bc, z += cc)
        o[k++] = a[x] !== 0 ? b[y]! : c[z]!;
  });
};

/** Operations whose loops round their results to float32 themselves: a second loop for it would cost as much again. */
export const ROUNDING: ReadonlySet<string> = new Set(["add", "sub", "mul", "div", "exp", "tanh", "sigmoid"]);

export const elementwise: Family = {
  add: binary(add),
  sub: binary(sub),
  mul: binary(mul),
  div: binary(div),
  pow: binary(pow),
  maximum: binary(maximum),
  minimum: binary(minimum),
  atan2: binary(atan2),
  remainder: binary(remainder, remainderOfIntegers),
  floor_divide: binary(floorDivide, floorDivideIntegers),
  eq: binary(eq),
  ne: binary(ne),
  lt: binary(lt),
  le: binary(le),
  gt: binary(gt),
  ge: binary(ge),
  logical_and: binary(logicalAnd),
  logical_or: binary(logicalOr),
  logical_xor: binary(logicalXor),
  bitwise_and: binary(bitwiseAnd),
  bitwise_or: binary(bitwiseOr),
  bitwise_xor: binary(bitwiseXor),
  neg: unary(neg),
  abs: unary(abs),
  sign: unary(sign),
  exp: unary(exp),
  expm1: unary(expm1),
  exp2: unary(exp2),
  log: unary(log),
  log1p: unary(log1p),
  log2: unary(log2),
  log10: unary(log10),
  sqrt: unary(sqrt),
  sin: unary(sin),
  cos: unary(cos),
  tan: unary(tan),
  asin: unary(asin),
  acos: unary(acos),
  atan: unary(atan),
  sinh: unary(sinh),
  cosh: unary(cosh),
  tanh: unary(tanh),
  asinh: unary(asinh),
  acosh: unary(acosh),
  atanh: unary(atanh),
  sigmoid: unary(sigmoid),
  softplus: unary(softplus),
  relu: unary(relu),
  erf: unary(erfLoop),
  floor: unary(floor),
  ceil: unary(ceil),
  round: unary(round),
  trunc: unary(trunc),
  logical_not: unary(logicalNot),
  isnan: unary(isnan),
  isinf: unary(isinf),
  isfinite: unary(isfinite),
  where,
  clamp,
  cast,
  clone,
};
