// Primitives that reduce dimensions: sums and products, extremes, the softmax family; and running sums.

import { POWERS, ROOTS, exp } from "./exponential.js";
import {
  type Attrs, type Family, type Kernel, type Operand, type Primitive, type Values,
  expectInputs, expectShape, offsetsOf, sizeOf, sizesAround, stridesOf,
} from "./primitive.js";

// ---------------------------------------------------------------- which elements are reduced to one result

interface Members {
  /** Offset in x of the first element of each result. */
  readonly starts: Int32Array;
  /** Offsets of all elements of one result from its first. */
  readonly members: Int32Array;
}

/** Checks the shapes of a reduction over `dim` and lists the elements of each result. */
function membersOf(out: Operand, inputs: readonly Operand[], attrs: Attrs): Members {
  expectInputs(inputs, 1, attrs);
  const { shape } = inputs[0]!;
  return listMembers(out, shape, attrs.dims("dim", shape.length), attrs);
}

function listMembers(out: Operand, shape: readonly number[], dims: readonly number[], attrs: Attrs): Members {
  const keepdim = attrs.bool("keepdim");
  const reduced = shape.map((_, d) => dims.includes(d));
  expectShape(out, shape.flatMap((n, d) => (reduced[d] ? (keepdim ? [1] : []) : [n])), attrs);
  const strides = stridesOf(shape);
  const entriesOf = (values: readonly number[], ofReduced: boolean): number[] => values.filter((_, d) => reduced[d] === ofReduced);
  return {
    starts: offsetsOf(entriesOf(shape, false), entriesOf(strides, false)),
    members: offsetsOf(entriesOf(shape, true), entriesOf(strides, true)),
  };
}

type ReduceLoop = (o: Values, x: Values, starts: Int32Array, members: Int32Array) => void;

function reduction(loop: ReduceLoop): Primitive {
  return (out, inputs, attrs) => {
    const { starts, members } = membersOf(out, inputs, attrs);
    const o = out.data;
    const x = inputs[0]!.data;
    return () => loop(o, x, starts, members);
  };
}

// ---------------------------------------------------------------- sums

/** Adds into four partial sums, which is faster and lets rounding errors grow more slowly. */
const sumLoop: ReduceLoop = (o, x, starts, members) => {
  const step = members.length > 1 ? members[1]! - members[0]! : 1;
  if (evenlySpaced(members, step)) evenSums(o, x, starts, step, members.length);
  else memberSums(o, x, starts, members);
};

function evenlySpaced(members: Int32Array, step: number): boolean {
  for (let j = 0; j < members.length; j++) if (members[j] !== j * step) return false;
  return true;
}

function evenSums(o: Values, x: Values, starts: Int32Array, step: number, n: number): void {
  for (let i = 0; i < starts.length; i++) {
    let a = 0, b = 0, c = 0, d = 0;
    let j = 0, k = starts[i]!;
    for (; j + 3 < n; j += 4, k += 4 * step) {
      a += x[k]!;
      b += x[k + step]!;
      c += x[k + 2 * step]!;
      d += x[k + 3 * step]!;
    }
    for (; j < n; j++, k += step) a += x[k]!;
    o[i] = a + b + (c + d);
  }
}

function memberSums(o: Values, x: Values, starts: Int32Array, members: Int32Array): void {
  const n = members.length;
  for (let i = 0; i < starts.length; i++) {
    const s = starts[i]!;
    let a = 0, b = 0, c = 0, d = 0;
    let j = 0;
    for (; j + 3 < n; j += 4) {
      a += x[s + members[j]!]!;
      b += x[s + members[j + 1]!]!;
      c += x[s + members[j + 2]!]!;
      d += x[s + members[j + 3]!]!;
    }
    for (; j < n; j++) a += x[s + members[j]!]!;
    o[i] = a + b + (c + d);
  }
}

const meanLoop: ReduceLoop = (o, x, starts, members) => {
  sumLoop(o, x, starts, members);
  for (let i = 0; i < o.length; i++) o[i] = o[i]! / members.length;
};

const prodLoop: ReduceLoop = (o, x, starts, members) => {
  for (let i = 0; i < starts.length; i++) {
    let p = 1;
    for (let j = 0; j < members.length; j++) p *= x[starts[i]! + members[j]!]!;
    o[i] = p;
  }
};

// ---------------------------------------------------------------- extremes: nan propagates, as in NumPy

const maxLoop: ReduceLoop = (o, x, starts, members) => {
  for (let i = 0; i < starts.length; i++) {
    let best = -Infinity;
    for (let j = 0; j < members.length; j++) {
      const v = x[starts[i]! + members[j]!]!;
      if (v > best || v !== v) best = v;
    }
    o[i] = best;
  }
};

const minLoop: ReduceLoop = (o, x, starts, members) => {
  for (let i = 0; i < starts.length; i++) {
    let best = Infinity;
    for (let j = 0; j < members.length; j++) {
      const v = x[starts[i]! + members[j]!]!;
      if (v < best || v !== v) best = v;
    }
    o[i] = best;
  }
};

const anyLoop: ReduceLoop = (o, x, starts, members) => {
  for (let i = 0; i < starts.length; i++) {
    let result = 0;
    for (let j = 0; j < members.length && !result; j++) result = x[starts[i]! + members[j]!] !== 0 ? 1 : 0;
    o[i] = result;
  }
};

const allLoop: ReduceLoop = (o, x, starts, members) => {
  for (let i = 0; i < starts.length; i++) {
    let result = 1;
    for (let j = 0; j < members.length && result; j++) result = x[starts[i]! + members[j]!] !== 0 ? 1 : 0;
    o[i] = result;
  }
};

/** The index of the first maximum (`sign` -1: minimum), or of the first nan. */
function argExtreme(sign: 1 | -1): Primitive {
  return (out, inputs, attrs) => {
    expectInputs(inputs, 1, attrs);
    const { shape, data: x } = inputs[0]!;
    const dims = attrs.has("dim") ? [attrs.dim("dim", shape.length)] : shape.map((_, d) => d);
    const { starts, members } = listMembers(out, shape, shape.length ? dims : [], attrs);
    if (members.length === 0) attrs.fail("an empty dimension has no largest or smallest element");
    const o = out.data;
    return () => {
      for (let i = 0; i < starts.length; i++) {
        const s = starts[i]!;
        let index = 0;
        let best = sign * x[s + members[0]!]!;
        for (let j = 1; j < members.length && best === best; j++) {
          const v = sign * x[s + members[j]!]!;
          if (v > best || v !== v) {
            best = v;
            index = j;
          }
        }
        o[i] = index;
      }
    };
  };
}

// ---------------------------------------------------------------- the softmax family

const logsumexpLoop: ReduceLoop = (o, x, starts, members) => {
  const roots = ROOTS;
  const powers = POWERS;
  for (let i = 0; i < starts.length; i++) {
    const s = starts[i]!;
    let m = -Infinity;
    for (let j = 0; j < members.length; j++) {
      const v = x[s + members[j]!]!;
      if (v > m || v !== v) m = v;
    }
    if (m - m !== 0) m = 0; // infinite or nan: without a shift the sum gives the right result
    let sum = 0;
    for (let j = 0; j < members.length; j++) sum += exp(x[s + members[j]!]! - m, roots, powers);
    o[i] = Math.log(sum) + m;
  }
};

/** Computes one line of o from one line of x along `dim`: element j of a line is at start + j·step. */
type LineLoop = (o: Values, x: Values, start: number, step: number, length: number) => void;

function along(loop: LineLoop): Primitive {
  return (out, inputs, attrs) => {
    expectInputs(inputs, 1, attrs);
    const { shape, data: x } = inputs[0]!;
    expectShape(out, shape, attrs);
    return lines(shape, attrs.dim("dim", shape.length), out.data, x, loop);
  };
}

function lines(shape: readonly number[], dim: number, o: Values, x: Values, loop: LineLoop): Kernel {
  const { before, length, after } = sizesAround(shape, dim);
  if (sizeOf(shape) === 0) return () => undefined;
  return () => {
    for (let p = 0; p < before; p++) for (let s = 0; s < after; s++) loop(o, x, p * length * after + s, after, length);
  };
}

function largest(x: Values, start: number, step: number, length: number): number {
  let m = x[start]!;
  for (let j = 1, k = start + step; j < length; j++, k += step) if (x[k]! > m || x[k] !== x[k]) m = x[k]!;
  return m;
}

const softmaxLine: LineLoop = (o, x, start, step, length) => {
  const roots = ROOTS;
  const powers = POWERS;
  const m = largest(x, start, step, length);
  let sum = 0;
  for (let j = 0, k = start; j < length; j++, k += step) sum += o[k] = exp(x[k]! - m, roots, powers);
  for (let j = 0, k = start; j < length; j++, k += step) o[k] = o[k]! / sum;
};

const logSoftmaxLine: LineLoop = (o, x, start, step, length) => {
  const roots = ROOTS;
  const powers = POWERS;
  const m = largest(x, start, step, length);
  let sum = 0;
  for (let j = 0, k = start; j < length; j++, k += step) sum += exp(x[k]! - m, roots, powers);
  const log = Math.log(sum);
  for (let j = 0, k = start; j < length; j++, k += step) o[k] = x[k]! - m - log;
};

const cumsumLine: LineLoop = (o, x, start, step, length) => {
  let sum = 0;
  for (let j = 0, k = start; j < length; j++, k += step) o[k] = sum += x[k]!;
};

const cumprodLine: LineLoop = (o, x, start, step, length) => {
  let product = 1;
  for (let j = 0, k = start; j < length; j++, k += step) o[k] = product *= x[k]!;
};

export const reduce: Family = {
  sum: reduction(sumLoop),
  mean: reduction(meanLoop),
  prod: reduction(prodLoop),
  amax: reduction(maxLoop),
  amin: reduction(minLoop),
  any: reduction(anyLoop),
  all: reduction(allLoop),
  argmax: argExtreme(1),
  argmin: argExtreme(-1),
  logsumexp: reduction(logsumexpLoop),
  softmax: along(softmaxLine),
  log_softmax: along(logSoftmaxLine),
  cumsum: along(cumsumLine),
  cumprod: along(cumprodLine),
};
