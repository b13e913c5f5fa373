// Primitives that rearrange elements: reshape, permute, expand, flip, cat, pad, slices, triangles; and detach.

import {
  ALIAS, type Attrs, type Family, type Primitive, type Shape,
  broadcastShapes, broadcastStrides, copyFrom, expectInputs, expectShape, offsetsOf, sameShape, sizeOf, sizesAround, stridesOf,
} from "./primitive.js";

const reshape: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 1, attrs);
  const { shape } = inputs[0]!;
  if (sizeOf(shape) !== sizeOf(out.shape)) {
    attrs.fail(`shape [${shape.join(", ")}] cannot be reshaped to [${out.shape.join(", ")}]`);
  }
  return ALIAS;
};

const permute: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 1, attrs);
  const { shape, data } = inputs[0]!;
  const dims = shape.length ? attrs.dims("dims", shape.length) : [];
  if (dims.length !== shape.length) attrs.fail(`dims [${dims.join(", ")}] do not name all ${shape.length} dimensions`);
  expectShape(out, dims.map((d) => shape[d]!), attrs);
  const nonUnitDims = dims.filter((d) => shape[d] !== 1);
  if (nonUnitDims.every((d, i) => i === 0 || d > nonUnitDims[i - 1]!)) return ALIAS; // only dimensions of length 1 move
  const strides = stridesOf(shape);
  return copyFrom(out.data, data, offsetsOf(out.shape, dims.map((d) => strides[d]!)));
};

const expand: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 1, attrs);
  const { shape, data } = inputs[0]!;
  expectShape(out, broadcastShapes([shape, out.shape], attrs), attrs);
  if (sizeOf(shape) === sizeOf(out.shape)) return ALIAS;
  const o = out.data;
  if (data.length === 1) return () => void o.fill(data[0]!);
  return copyFrom(o, data, offsetsOf(out.shape, broadcastStrides(shape, out.shape)));
};

const flip: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 1, attrs);
  const { shape, data } = inputs[0]!;
  expectShape(out, shape, attrs);
  const dims = attrs.dims("dims", shape.length);
  if (shape.length === 0 || sizeOf(shape) === 0) return ALIAS;
  const strides = stridesOf(shape);
  let start = 0;
  for (const d of dims) {
    start += (shape[d]! - 1) * strides[d]!;
    strides[d] = -strides[d]!;
  }
  return copyFrom(out.data, data, offsetsOf(shape, strides, start));
};

const cat: Primitive = (out, inputs, attrs) => {
  const { shape } = inputs[0]!;
  const dim = attrs.dim("dim", shape.length);
  if (shape.length === 0) attrs.fail("a number has no dimension to join along");
  for (const x of inputs) {
    if (x.shape.length !== shape.length || x.shape.some((n, d) => d !== dim && n !== shape[d])) {
      attrs.fail(`shapes ${inputs.map((y) => `[${y.shape.join(", ")}]`).join(", ")} cannot be joined along ${dim}`);
    }
  }
  const total = inputs.reduce((n, x) => n + x.shape[dim]!, 0);
  expectShape(out, shape.map((n, d) => (d === dim ? total : n)), attrs);
  const { before, after } = sizesAround(shape, dim);
  const o = out.data;
  const blocks = inputs.map((x) => ({ x: x.data, length: x.shape[dim]! * after }));
  return () => {
    let k = 0;
    for (let p = 0; p < before; p++)
      for (const { x, length } of blocks) for (let i = p * length, end = i + length; i < end; i++) o[k++] = x[i]!;
  };
};

const pad: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 1, attrs);
  const { shape, data } = inputs[0]!;
  const amounts = attrs.raw("pad");
  const isPair = (p: unknown): p is [number, number] => Array.isArray(p) && p.length === 2 && p.every((n) => Number.isInteger(n) && n >= 0);
  if (!Array.isArray(amounts) || !amounts.every(isPair) || amounts.length !== shape.length) {
    return attrs.fail(`pad should be [before, after] for each of ${shape.length} dimensions, got ${JSON.stringify(amounts)}`);
  }
  const value = attrs.number("value");
  expectShape(out, shape.map((n, d) => n + amounts[d]![0] + amounts[d]![1]), attrs);
  const strides = stridesOf(out.shape);
  const start = amounts.reduce((s, [before], d) => s + before * strides[d]!, 0);
  const offsets = offsetsOf(shape, strides, start);
  const o = out.data.fill(value); // the padding never changes
  return () => {
    for (let i = 0; i < data.length; i++) o[offsets[i]!] = data[i]!;
  };
};

// ---------------------------------------------------------------- slices

/** The offsets, in an array of `shape`, of the elements that a basic index selects, and the shape of the result. */
function indexed(shape: Shape, attrs: Attrs): { shape: number[]; offsets: Int32Array } {
  const index = attrs.raw("index");
  if (!Array.isArray(index) || index.length !== shape.length) {
    return attrs.fail(`index should have ${shape.length} entries, got ${JSON.stringify(index)}`);
  }
  const strides = stridesOf(shape);
  const lengths: number[] = [];
  const steps: number[] = [];
  let start = 0;
  index.forEach((entry: unknown, d) => {
    const { first, step, length } = readEntry(entry, shape[d]!, attrs);
    start += first * strides[d]!;
    if (length === null) return;
    lengths.push(length);
    steps.push(step * strides[d]!);
  });
  return { shape: lengths, offsets: offsetsOf(lengths, steps, start) };
}

/** One entry of an index, checked against its dimension; `length` is null if the entry drops the dimension. */
function readEntry(entry: unknown, n: number, attrs: Attrs): { first: number; step: number; length: number | null } {
  if (typeof entry === "number" && Number.isInteger(entry)) {
    const first = entry < 0 ? entry + n : entry;
    if (first < 0 || first >= n) attrs.fail(`index ${entry} is out of bounds for a dimension of length ${n}`);
    return { first, step: 0, length: null };
  }
  if (!Array.isArray(entry) || entry.length !== 3 || !entry.every((k) => Number.isInteger(k)) || entry[2] === 0) {
    return attrs.fail(`an index entry should be a whole number or [start, stop, step], got ${JSON.stringify(entry)}`);
  }
  const [first, stop, step] = entry as [number, number, number];
  const length = Math.max(0, Math.ceil((stop - first) / step));
  const last = first + (length - 1) * step;
  if (length > 0 && (first < 0 || first >= n || last < 0 || last >= n)) {
    attrs.fail(`slice [${entry.join(", ")}] is out of bounds for a dimension of length ${n}`);
  }
  return { first, step, length };
}

const slice: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 1, attrs);
  const { shape, data } = inputs[0]!;
  const selected = indexed(shape, attrs);
  expectShape(out, selected.shape, attrs);
  return copyFrom(out.data, data, selected.offsets);
};

const sliceBackward: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 1, attrs);
  expectShape(out, attrs.ints("shape"), attrs);
  const { offsets, shape } = indexed(out.shape, attrs);
  const g = inputs[0]!;
  if (!sameShape(g.shape, shape)) attrs.fail(`g has shape [${g.shape.join(", ")}], the index selects [${shape.join(", ")}]`);
  const o = out.data;
  return () => {
    for (let i = 0; i < offsets.length; i++) o[offsets[i]!] = g.data[i]!;
  };
};

// ---------------------------------------------------------------- triangles

function triangle(lower: boolean): Primitive {
  return (out, inputs, attrs) => {
    expectInputs(inputs, 1, attrs);
    const { shape, data } = inputs[0]!;
    expectShape(out, shape, attrs);
    if (shape.length < 2) attrs.fail("needs at least two dimensions");
    const diagonal = attrs.int("diagonal");
    const cols = shape[shape.length - 1]!;
    const rows = shape[shape.length - 2]!;
    const o = out.data;
    return () => {
      for (let i = 0; i < o.length; i++) {
        const row = Math.floor(i / cols) % rows;
        const distance = (i % cols) - row - diagonal; // in columns, to the right of the diagonal
        o[i] = (lower ? distance <= 0 : distance >= 0) ? data[i]! : 0;
      }
    };
  };
}

/** The same values: detach only stops gradients, and those are recorded in Python. */
const detach: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 1, attrs);
  expectShape(out, inputs[0]!.shape, attrs);
  return ALIAS;
};

export const shape: Family = {
  detach,
  reshape,
  permute,
  expand,
  flip,
  cat,
  pad,
  slice,
  slice_backward: sliceBackward,
  tril: triangle(true),
  triu: triangle(false),
};
