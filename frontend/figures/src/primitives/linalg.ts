// Primitives that multiply and sum over shared dimensions: matmul and einsum.

import { type Matrix, gemm, reserve } from "./gemm.js";
import {
  type Attrs, type Family, type Kernel, type Operand, type Primitive, type Values,
  broadcastShapes, broadcastStrides, expectInputs, expectShape, offsetsOf, sizeOf, stridesOf,
} from "./primitive.js";

const matmul: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 2, attrs);
  const [x, y] = inputs as [Operand, Operand];
  if (x.shape.length === 0 || y.shape.length === 0) attrs.fail("multiplies matrices and vectors, not numbers");
  const a = x.shape.length === 1 ? [1, ...x.shape] : [...x.shape];
  const b = y.shape.length === 1 ? [...y.shape, 1] : [...y.shape];
  const m = a[a.length - 2]!;
  const k = a[a.length - 1]!;
  const n = b[b.length - 1]!;
  if (b[b.length - 2] !== k) {
    attrs.fail(`inner lengths differ: [${x.shape.join(", ")}] times [${y.shape.join(", ")}]`);
  }
  const left = a.slice(0, -2);
  const right = b.slice(0, -2);
  const batch = broadcastShapes([left, right], attrs);
  expectShape(out, [...batch, ...(x.shape.length > 1 ? [m] : []), ...(y.shape.length > 1 ? [n] : [])], attrs);
  const count = sizeOf(batch);
  attrs.spend(count * m * n * k);
  reserve(k);
  const single = out.dtype === "float32";
  const A: Matrix = { data: x.data, start: 0, row: k, col: 1 };
  const B: Matrix = { data: y.data, start: 0, row: n, col: 1 };
  const C: Matrix = { data: out.data, start: 0, row: n, col: 1 };
  if (count === 1 || right.every((r) => r === 1)) {
    // One right factor for the whole batch: a single product with a tall left factor.
    const rows = right.every((r) => r === 1) ? count * m : m;
    return () => gemm(rows, n, k, A, B, C, false, single);
  }
  const startsA = offsetsOf(batch, broadcastStrides(left, batch).map((s) => s * m * k));
  const startsB = offsetsOf(batch, broadcastStrides(right, batch).map((s) => s * k * n));
  return () => {
    for (let i = 0; i < count; i++) {
      A.start = startsA[i]!;
      B.start = startsB[i]!;
      C.start = i * m * n;
      gemm(m, n, k, A, B, C, false, single);
    }
  };
};

/** A factor of a product: a matrix, or (`transposed`) its transpose, which is read in place. */
export interface Factor2d {
  readonly matrix: Operand;
  readonly transposed: boolean;
}

/** The product of two matrices; `single` rounds it to float32. */
export function matmulKernel(out: Operand, left: Factor2d, right: Factor2d, single: boolean): Kernel {
  const [m, n] = out.shape as [number, number];
  const k = left.matrix.shape[left.transposed ? 0 : 1]!;
  const [A, B] = [layoutOf(left), layoutOf(right)];
  const C: Matrix = { data: out.data, start: 0, row: n, col: 1 };
  return () => gemm(m, n, k, A, B, C, false, single);
}

/** The layout of a factor's elements. */
export function layoutOf({ matrix: { data, shape }, transposed }: Factor2d): Matrix {
  return transposed ? { data, start: 0, row: 1, col: shape[1]! } : { data, start: 0, row: shape[1]!, col: 1 };
}

// ---------------------------------------------------------------- einsum

interface Equation {
  readonly terms: readonly string[];
  readonly result: string;
  readonly sizes: ReadonlyMap<string, number>;
}

function readEquation(inputs: readonly Operand[], attrs: Attrs): Equation {
  const equation = attrs.string("equation").replaceAll(" ", "");
  if (!/^[A-Za-z]*(,[A-Za-z]*)*->[A-Za-z]*$/.test(equation)) attrs.fail(`cannot read the equation "${equation}"`);
  const [left, result] = equation.split("->") as [string, string];
  const terms = left.split(",");
  if (terms.length !== inputs.length) attrs.fail(`the equation "${equation}" has ${terms.length} terms for ${inputs.length} inputs`);
  const sizes = new Map<string, number>();
  terms.forEach((term, i) => {
    const { shape } = inputs[i]!;
    if (term.length !== shape.length) attrs.fail(`"${term}" does not name the dimensions of [${shape.join(", ")}]`);
    [...term].forEach((letter, d) => {
      const known = sizes.get(letter) ?? shape[d]!;
      if (known !== shape[d]) attrs.fail(`"${letter}" is both ${known} and ${shape[d]} long`);
      sizes.set(letter, known);
    });
  });
  if (new Set(result).size !== result.length || [...result].some((c) => !sizes.has(c))) {
    attrs.fail(`the result "${result}" must name letters of the inputs once`);
  }
  return { terms, result, sizes };
}

/** The offset of an element of a factor is the sum of two offsets: one for the result's index, one for the summed letters. */
const einsum: Primitive = (out, inputs, attrs) => {
  const { terms, result, sizes } = readEquation(inputs, attrs);
  const summed = [...sizes.keys()].filter((c) => !result.includes(c));
  const lengths = (letters: Iterable<string>): number[] => [...letters].map((c) => sizes.get(c)!);
  expectShape(out, lengths(result), attrs);
  const inner = sizeOf(lengths(summed));
  attrs.spend(sizeOf(out.shape) * inner * inputs.length);
  attrs.touch((inner + sizeOf(out.shape)) * inputs.length); // the lists of offsets
  const factors = inputs.map((x, i) => {
    const strides = stridesOf(x.shape);
    const strideOf = (c: string): number => [...terms[i]!].reduce((s, t, d) => (t === c ? s + strides[d]! : s), 0);
    return {
      x: x.data,
      starts: offsetsOf(out.shape, [...result].map(strideOf)),
      members: offsetsOf(lengths(summed), summed.map(strideOf)),
    };
  });
  return products(out.data, inner, factors);
};

type Factor = { x: Values; starts: Int32Array; members: Int32Array };

function products(o: Values, inner: number, factors: readonly Factor[]): () => void {
  const [a, b] = factors as [Factor, Factor];
  if (factors.length === 2) {
    return () => {
      for (let i = 0; i < o.length; i++) {
        const s = a.starts[i]!;
        const t = b.starts[i]!;
        let sum = 0;
        for (let j = 0; j < inner; j++) sum += a.x[s + a.members[j]!]! * b.x[t + b.members[j]!]!;
        o[i] = sum;
      }
    };
  }
  return () => {
    for (let i = 0; i < o.length; i++) {
      let sum = 0;
      for (let j = 0; j < inner; j++) {
        let product = 1;
        for (let f = 0; f < factors.length; f++) {
          const { x, starts, members } = factors[f]!;
          product *= x[starts[i]! + members[j]!]!;
        }
        sum += product;
      }
      o[i] = sum;
    }
  };
}

export const linalg: Family = { matmul, einsum };
