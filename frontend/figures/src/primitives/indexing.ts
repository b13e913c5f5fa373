// Primitives that select elements by integer indices, and their vjps, which add up duplicates; one_hot and argsort.

import {
  type Attrs, type Family, type Operand, type Primitive, type Shape,
  broadcastShapes, broadcastStrides, expectInputs, expectShape, offsetsOf, position, sizeOf, sizesAround, stridesOf,
} from "./primitive.js";

// ---------------------------------------------------------------- gather, scatter_add

/** For each position of `index`, its offset in an array of `shape` with coordinate 0 along `dim`. */
function lineStarts(index: Operand, shape: Shape, dim: number, attrs: Attrs): Int32Array {
  if (index.shape.length !== shape.length) attrs.fail(`index has ${index.shape.length} dimensions, the tensor ${shape.length}`);
  index.shape.forEach((n, d) => {
    if (d !== dim && n > shape[d]!) attrs.fail(`index [${index.shape.join(", ")}] is larger than [${shape.join(", ")}]`);
  });
  const strides = stridesOf(shape).map((s, d) => (d === dim ? 0 : s));
  return offsetsOf(index.shape, strides);
}

const gather: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 2, attrs);
  const [x, index] = inputs as [Operand, Operand];
  const dim = attrs.dim("dim", x.shape.length);
  const starts = lineStarts(index, x.shape, dim, attrs);
  expectShape(out, index.shape, attrs);
  const { length, after } = sizesAround(x.shape, dim);
  const o = out.data;
  return () => {
    for (let i = 0; i < o.length; i++) o[i] = x.data[starts[i]! + position(index.data[i]!, length, attrs) * after]!;
  };
};

const scatterAdd: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 3, attrs);
  const [x, index, source] = inputs as [Operand, Operand, Operand];
  const dim = attrs.dim("dim", x.shape.length);
  const starts = lineStarts(index, x.shape, dim, attrs);
  expectShape(out, x.shape, attrs);
  if (source.shape.length !== index.shape.length || index.shape.some((n, d) => n > source.shape[d]!)) {
    attrs.fail(`source [${source.shape.join(", ")}] is smaller than index [${index.shape.join(", ")}]`);
  }
  const sourceOffsets = offsetsOf(index.shape, stridesOf(source.shape));
  const { length, after } = sizesAround(x.shape, dim);
  const o = out.data;
  return () => {
    o.set(x.data);
    for (let i = 0; i < sourceOffsets.length; i++) {
      const target = starts[i]! + position(index.data[i]!, length, attrs) * after;
      o[target] = o[target]! + source.data[sourceOffsets[i]!]!;
    }
  };
};

// ---------------------------------------------------------------- take: whole slices along one dimension

const take: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 2, attrs);
  const [x, index] = inputs as [Operand, Operand];
  if (x.shape.length === 0) attrs.fail("a number has no dimension to take from");
  const dim = attrs.dim("dim", x.shape.length);
  expectShape(out, [...x.shape.slice(0, dim), ...index.shape, ...x.shape.slice(dim + 1)], attrs);
  const { before, length, after } = sizesAround(x.shape, dim);
  const o = out.data;
  return () => {
    let k = 0;
    for (let p = 0; p < before; p++)
      for (let i = 0; i < index.data.length; i++) {
        const start = (p * length + position(index.data[i]!, length, attrs)) * after;
        for (let s = 0; s < after; s++) o[k++] = x.data[start + s]!;
      }
  };
};

const takeAdd: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 2, attrs);
  const [g, index] = inputs as [Operand, Operand];
  const shape = attrs.ints("shape");
  expectShape(out, shape, attrs);
  if (shape.length === 0) attrs.fail("a number has no dimension to add along");
  const dim = attrs.dim("dim", shape.length);
  expectShape(g, [...shape.slice(0, dim), ...index.shape, ...shape.slice(dim + 1)], attrs);
  const { before, length, after } = sizesAround(shape, dim);
  const o = out.data;
  return () => {
    o.fill(0);
    let k = 0;
    for (let p = 0; p < before; p++)
      for (let i = 0; i < index.data.length; i++) {
        const start = (p * length + position(index.data[i]!, length, attrs)) * after;
        for (let s = 0; s < after; s++) o[start + s] = o[start + s]! + g.data[k++]!;
      }
  };
};

// ---------------------------------------------------------------- index: several tensors at once

interface Selection {
  /** The shape of the selected values. */
  readonly shape: number[];
  /** The selected values are before × count × after, where count is the size of the indices' common shape. */
  readonly before: number;
  readonly count: number;
  readonly after: number;
  /** Length of all indexed dimensions together. */
  readonly length: number;
  /** The flat index of selection i within the indexed dimensions. */
  readonly flatIndex: (i: number) => number;
}

function selection(shape: Shape, indices: readonly Operand[], attrs: Attrs): Selection {
  const dims = attrs.dims("dims", shape.length);
  const first = dims[0] ?? 0;
  if (dims.length === 0 || dims.length !== indices.length || dims.some((d, i) => d !== first + i)) {
    attrs.fail(`dims [${dims.join(", ")}] should be adjacent, one for each of ${indices.length} indices`);
  }
  const common = broadcastShapes(indices.map((x) => x.shape), attrs);
  const lengths = dims.map((d) => shape[d]!);
  const strides = stridesOf(lengths);
  const offsets = indices.map((x) => offsetsOf(common, broadcastStrides(x.shape, common)));
  return {
    shape: [...shape.slice(0, first), ...common, ...shape.slice(first + dims.length)],
    before: sizeOf(shape.slice(0, first)),
    count: sizeOf(common),
    after: sizeOf(shape.slice(first + dims.length)),
    length: sizeOf(lengths),
    flatIndex: (i) => {
      let flat = 0;
      for (let k = 0; k < indices.length; k++) {
        flat += position(indices[k]!.data[offsets[k]![i]!]!, lengths[k]!, attrs) * strides[k]!;
      }
      return flat;
    },
  };
}

const index: Primitive = (out, inputs, attrs) => {
  const x = inputs[0]!;
  const { shape, before, count, after, length, flatIndex } = selection(x.shape, inputs.slice(1), attrs);
  expectShape(out, shape, attrs);
  const o = out.data;
  return () => {
    const values = x.data;
    for (let i = 0; i < count; i++) {
      const flat = flatIndex(i);
      for (let p = 0; p < before; p++) {
        let read = (p * length + flat) * after;
        for (let write = (p * count + i) * after, end = write + after; write < end; write++) o[write] = values[read++]!;
      }
    }
  };
};

const indexAdd: Primitive = (out, inputs, attrs) => {
  const g = inputs[0]!;
  expectShape(out, attrs.ints("shape"), attrs);
  const { shape, before, count, after, length, flatIndex } = selection(out.shape, inputs.slice(1), attrs);
  expectShape(g, shape, attrs);
  const o = out.data;
  return () => {
    o.fill(0);
    for (let i = 0; i < count; i++) {
      const flat = flatIndex(i);
      for (let p = 0; p < before; p++)
        for (let s = 0; s < after; s++) {
          const target = (p * length + flat) * after + s;
          o[target] = o[target]! + g.data[(p * count + i) * after + s]!;
        }
    }
  };
};

// ---------------------------------------------------------------- one_hot, argsort

const oneHot: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 1, attrs);
  const { shape, data } = inputs[0]!;
  const classes = attrs.int("num_classes");
  expectShape(out, [...shape, classes], attrs);
  const o = out.data;
  return () => {
    o.fill(0);
    for (let i = 0; i < data.length; i++) if (data[i]! >= 0 && data[i]! < classes) o[i * classes + data[i]!] = 1;
  };
};

/** A stable merge sort that allocates nothing; nan is last (first when descending). */
const argsort: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 1, attrs);
  const { shape, data } = inputs[0]!;
  expectShape(out, shape, attrs);
  const { before, length, after } = sizesAround(shape, attrs.dim("dim", shape.length));
  const sign = attrs.bool("descending") ? -1 : 1;
  const keys = new Float64Array(length);
  const order = new Int32Array(length);
  const spare = new Int32Array(length);
  const o = out.data;
  return () => {
    for (let p = 0; p < before; p++)
      for (let s = 0; s < after; s++) {
        const start = p * length * after + s;
        for (let j = 0; j < length; j++) {
          keys[j] = data[start + j * after]!;
          order[j] = j;
        }
        const sorted = mergeSort(keys, order, spare, sign);
        for (let j = 0; j < length; j++) o[start + j * after] = sorted[j]!;
      }
  };
};

/** Sorts `order` by `keys`, merging back and forth between two arrays; returns the one with the result. */
function mergeSort(keys: Float64Array, order: Int32Array, spare: Int32Array, sign: number): Int32Array {
  const n = order.length;
  let source = order;
  let target = spare;
  for (let width = 1; width < n; width *= 2) {
    for (let start = 0; start < n; start += 2 * width) {
      const middle = Math.min(start + width, n);
      const end = Math.min(start + 2 * width, n);
      let i = start;
      let j = middle;
      for (let k = start; k < end; k++) {
        const takesRight = i >= middle || (j < end && precedes(keys[source[j]!]!, keys[source[i]!]!, sign));
        target[k] = takesRight ? source[j++]! : source[i++]!;
      }
    }
    [source, target] = [target, source];
  }
  return source;
}

/** Whether x comes strictly before y; nan counts as the largest. */
function precedes(x: number, y: number, sign: number): boolean {
  if (x !== x) return sign < 0 && y === y;
  if (y !== y) return sign > 0;
  return sign > 0 ? x < y : x > y;
}

export const indexing: Family = {
  gather,
  scatter_add: scatterAdd,
  take,
  take_add: takeAdd,
  index,
  index_add: indexAdd,
  one_hot: oneHot,
  argsort,
};
