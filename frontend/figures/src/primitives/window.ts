// Primitives that slide a window over the last two dimensions: convolution and pooling.

import { type Matrix, gemm, reserve } from "./gemm.js";
import {
  type Attrs, type Family, type Operand, type Primitive, type Shape, type Values,
  expectInputs, expectShape, sizeOf,
} from "./primitive.js";

type Pair = readonly [number, number];

/** The most entries of a table of offsets: window positions × elements of the window. */
const MAX_TABLE = 2 ** 25;

interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
}

/** The number of window positions along a dimension of length n. */
function positions(n: number, w: Window, d: 0 | 1, ceil: boolean): number {
  const range = n + 2 * w.padding[d] - w.dilation[d] * (w.kernel[d] - 1) - 1;
  const count = Math.floor((range + (ceil ? w.stride[d] - 1 : 0)) / w.stride[d]) + 1;
  // A window that would start in the padding after the end is left out.
  return ceil && (count - 1) * w.stride[d] >= n + w.padding[d] ? count - 1 : count;
}

function readWindow(kernel: Pair, attrs: Attrs): Window {
  const w: Window = {
    kernel,
    stride: attrs.pair("stride"),
    padding: attrs.pair("padding"),
    dilation: attrs.has("dilation") ? attrs.pair("dilation") : [1, 1],
  };
  if ([...w.kernel, ...w.stride, ...w.dilation].some((n) => n < 1) || w.padding.some((n) => n < 0)) {
    attrs.fail(`kernel [${w.kernel.join(", ")}], stride [${w.stride.join(", ")}], padding [${w.padding.join(", ")}] do not define a window`);
  }
  return w;
}

/** The result's height and width. */
function resultSize(h: number, width: number, w: Window, ceil: boolean, attrs: Attrs): [number, number] {
  const out: [number, number] = [positions(h, w, 0, ceil), positions(width, w, 1, ceil)];
  if (out[0] < 1 || out[1] < 1) attrs.fail(`a window of [${w.kernel.join(", ")}] does not fit into ${h} × ${width}`);
  if (out[0] * out[1] * w.kernel[0] * w.kernel[1] > MAX_TABLE) attrs.fail("has too many windows for a page");
  return out;
}

/** Calls `visit` with the offset in a plane of element (i, j) of the window at position p; -1 in the padding. */
function visitWindows(h: number, width: number, out: Pair, w: Window, visit: (i: number, j: number, p: number, offset: number) => void): void {
  for (let i = 0; i < w.kernel[0]; i++)
    for (let j = 0; j < w.kernel[1]; j++)
      for (let y = 0, p = 0; y < out[0]; y++)
        for (let x = 0; x < out[1]; x++, p++) {
          const row = y * w.stride[0] - w.padding[0] + i * w.dilation[0];
          const col = x * w.stride[1] - w.padding[1] + j * w.dilation[1];
          visit(i, j, p, row >= 0 && row < h && col >= 0 && col < width ? row * width + col : -1);
        }
}

// ---------------------------------------------------------------- convolution

/** The sizes of a convolution, and the table that unfolds a group's planes into columns. */
interface Convolution {
  readonly images: number;
  readonly groups: number;
  /** Per group: input planes, output planes, elements of a kernel over all input planes, window positions. */
  readonly inputPlanes: number;
  readonly outputPlanes: number;
  readonly taps: number;
  readonly windows: number;
  /** The number of elements of an input plane. */
  readonly plane: number;
  /** taps × windows offsets from the group's first input plane, -1 in the padding. */
  readonly table: Int32Array;
  readonly columns: Values;
}

function convolution(x: Shape, weight: Shape, result: Shape, attrs: Attrs): Convolution {
  if (x.length !== 4 || weight.length !== 4) attrs.fail("needs (images, planes, height, width) and (out, in, height, width)");
  const [images, planes, h, width] = x as [number, number, number, number];
  const [out, inputPlanes, kh, kw] = weight as [number, number, number, number];
  const groups = attrs.int("groups");
  if (groups < 1 || planes !== inputPlanes * groups || out % groups !== 0) {
    attrs.fail(`${planes} planes, weight [${weight.join(", ")}] and ${groups} groups do not fit`);
  }
  const w = readWindow([kh, kw], attrs);
  const size = resultSize(h, width, w, false, attrs);
  if (result.length !== 4 || result[0] !== images || result[1] !== out || result[2] !== size[0] || result[3] !== size[1]) {
    attrs.fail(`the convolution's result has shape [${[images, out, ...size].join(", ")}], but [${result.join(", ")}] in the graph`);
  }
  const windows = size[0] * size[1];
  const taps = inputPlanes * kh * kw;
  if (taps * windows > MAX_TABLE) attrs.fail("unfolds to too many elements for a page");
  attrs.spend(images * out * taps * windows);
  attrs.touch(2 * taps * windows); // the table and the columns
  const table = new Int32Array(taps * windows);
  visitWindows(h, width, size, w, (i, j, p, offset) => {
    for (let c = 0; c < inputPlanes; c++) table[((c * kh + i) * kw + j) * windows + p] = offset < 0 ? -1 : c * h * width + offset;
  });
  return { images, groups, inputPlanes, outputPlanes: out / groups, taps, windows, plane: h * width, table, columns: new Float64Array(taps * windows) };
}

/** Copies the elements of all windows into columns; elements in the padding are 0. */
function unfold(columns: Values, x: Values, start: number, table: Int32Array): void {
  for (let i = 0; i < table.length; i++) columns[i] = table[i]! < 0 ? 0 : x[start + table[i]!]!;
}

/** Adds the columns to the elements from which `unfold` would copy them. */
function fold(x: Values, start: number, columns: Values, table: Int32Array): void {
  for (let i = 0; i < table.length; i++) {
    const offset = table[i]!;
    if (offset >= 0) x[start + offset] = x[start + offset]! + columns[i]!;
  }
}

/** Calls `visit` for each image and group with the offsets of its planes and of its kernels. */
function perGroup(c: Convolution, visit: (planesIn: number, planesOut: number, kernels: number) => void): void {
  for (let n = 0; n < c.images; n++)
    for (let g = 0; g < c.groups; g++) {
      const index = n * c.groups + g;
      visit(index * c.inputPlanes * c.plane, index * c.outputPlanes * c.windows, g * c.outputPlanes * c.taps);
    }
}

const conv2d: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 2, attrs);
  const [x, weight] = inputs as [Operand, Operand];
  const c = convolution(x.shape, weight.shape, out.shape, attrs);
  reserve(c.taps);
  const a: Matrix = { data: weight.data, start: 0, row: c.taps, col: 1 };
  const b: Matrix = { data: c.columns, start: 0, row: c.windows, col: 1 };
  const o: Matrix = { data: out.data, start: 0, row: c.windows, col: 1 };
  const visit = (planesIn: number, planesOut: number, kernels: number): void => {
    unfold(c.columns, x.data, planesIn, c.table);
    a.start = kernels;
    o.start = planesOut;
    gemm(c.outputPlanes, c.windows, c.taps, a, b, o, false);
  };
  return () => perGroup(c, visit);
};

const conv2dInput: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 2, attrs);
  const [g, weight] = inputs as [Operand, Operand];
  expectShape(out, attrs.ints("shape"), attrs);
  const c = convolution(out.shape, weight.shape, g.shape, attrs);
  reserve(c.outputPlanes);
  const a: Matrix = { data: weight.data, start: 0, row: 1, col: c.taps };
  const b: Matrix = { data: g.data, start: 0, row: c.windows, col: 1 };
  const o: Matrix = { data: c.columns, start: 0, row: c.windows, col: 1 };
  const visit = (planesIn: number, planesOut: number, kernels: number): void => {
    a.start = kernels;
    b.start = planesOut;
    gemm(c.taps, c.windows, c.outputPlanes, a, b, o, false);
    fold(out.data, planesIn, c.columns, c.table);
  };
  return () => {
    out.data.fill(0);
    perGroup(c, visit);
  };
};

const conv2dWeight: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 2, attrs);
  const [g, x] = inputs as [Operand, Operand];
  expectShape(out, attrs.ints("shape"), attrs);
  const c = convolution(x.shape, out.shape, g.shape, attrs);
  reserve(c.windows);
  const a: Matrix = { data: g.data, start: 0, row: c.windows, col: 1 };
  const b: Matrix = { data: c.columns, start: 0, row: 1, col: c.windows };
  const o: Matrix = { data: out.data, start: 0, row: c.taps, col: 1 };
  const visit = (planesIn: number, planesOut: number, kernels: number): void => {
    unfold(c.columns, x.data, planesIn, c.table);
    a.start = planesOut;
    o.start = kernels;
    gemm(c.outputPlanes, c.taps, c.windows, a, b, o, true);
  };
  return () => {
    out.data.fill(0);
    perGroup(c, visit);
  };
};

// ---------------------------------------------------------------- pooling

interface Pooling {
  readonly planes: number;
  /** The number of elements of a plane. */
  readonly plane: number;
  readonly windows: number;
  readonly taps: number;
  /** windows × taps offsets within a plane, -1 in the padding. */
  readonly table: Int32Array;
  readonly window: Window;
  readonly size: Pair;
}

function pooling(x: Shape, pooled: Shape, attrs: Attrs): Pooling {
  if (x.length < 2) attrs.fail(`pools planes, not shape [${x.join(", ")}]`);
  const window = readWindow(attrs.pair("kernel_size"), attrs);
  const h = x[x.length - 2]!;
  const width = x[x.length - 1]!;
  const size = resultSize(h, width, window, attrs.bool("ceil_mode"), attrs);
  const leading = x.slice(0, -2);
  if (pooled.join() !== [...leading, ...size].join()) {
    attrs.fail(`the pooled result has shape [${[...leading, ...size].join(", ")}], but [${pooled.join(", ")}] in the graph`);
  }
  const taps = window.kernel[0] * window.kernel[1];
  const windows = size[0] * size[1];
  const planes = sizeOf(leading);
  attrs.spend(planes * windows * taps);
  attrs.touch(windows * taps);
  const table = new Int32Array(windows * taps);
  visitWindows(h, width, size, window, (i, j, p, offset) => (table[p * taps + i * window.kernel[1] + j] = offset));
  return { planes, plane: h * width, windows, taps, table, window, size };
}

function maxPool(write: (o: Values, x: Values, p: Pooling) => void): Primitive {
  return (out, inputs, attrs) => {
    expectInputs(inputs, 1, attrs);
    const { shape, data } = inputs[0]!;
    const p = pooling(shape, out.shape, attrs);
    const o = out.data;
    return () => write(o, data, p);
  };
}

function maxima(o: Values, x: Values, { planes, plane, taps, table }: Pooling): void {
  for (let n = 0, k = 0; n < planes; n++)
    for (let t = 0; t < table.length; t += taps, k++) {
      let best = -Infinity;
      for (let i = t; i < t + taps; i++) {
        if (table[i]! < 0) continue;
        const v = x[n * plane + table[i]!]!;
        if (v > best || v !== v) best = v;
      }
      o[k] = best;
    }
}

/** The index in its plane of each window's first maximum, or of its last nan, as in PyTorch. */
function maximaIndices(o: Values, x: Values, { planes, plane, taps, table }: Pooling): void {
  for (let n = 0, k = 0; n < planes; n++)
    for (let t = 0; t < table.length; t += taps, k++) {
      let best = -Infinity;
      let offset = -1;
      for (let i = t; i < t + taps; i++) {
        if (table[i]! < 0) continue;
        const v = x[n * plane + table[i]!]!;
        if (offset < 0 || v > best || v !== v) {
          best = v;
          offset = table[i]!;
        }
      }
      o[k] = offset;
    }
}

/** The number by which each window's sum is divided. */
function divisors(h: number, width: number, p: Pooling, countPadding: boolean): Values {
  const { kernel, stride, padding } = p.window;
  const divisorAlong = (position: number, n: number, d: 0 | 1): number => {
    const start = position * stride[d] - padding[d];
    const end = Math.min(start + kernel[d], n + padding[d]);
    return countPadding ? end - start : Math.min(end, n) - Math.max(start, 0);
  };
  const out = new Float64Array(p.windows);
  for (let y = 0, k = 0; y < p.size[0]; y++)
    for (let x = 0; x < p.size[1]; x++, k++) out[k] = divisorAlong(y, h, 0) * divisorAlong(x, width, 1);
  return out;
}

/** The windows of average pooling, and the number by which each window's sum is divided. */
function averagePooling(planes: Shape, pooled: Shape, attrs: Attrs): { p: Pooling; divisor: Values } {
  const p = pooling(planes, pooled, attrs);
  const n = planes.length;
  return { p, divisor: divisors(planes[n - 2]!, planes[n - 1]!, p, attrs.bool("count_include_pad")) };
}

const avgPool2d: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 1, attrs);
  const { shape, data } = inputs[0]!;
  const { p, divisor } = averagePooling(shape, out.shape, attrs);
  const o = out.data;
  return () => {
    for (let n = 0, k = 0; n < p.planes; n++)
      for (let position = 0; position < p.windows; position++, k++) {
        let sum = 0;
        for (let i = position * p.taps; i < (position + 1) * p.taps; i++) if (p.table[i]! >= 0) sum += data[n * p.plane + p.table[i]!]!;
        o[k] = sum / divisor[position]!;
      }
  };
};

const avgPool2dInput: Primitive = (out, inputs, attrs) => {
  expectInputs(inputs, 1, attrs);
  const g = inputs[0]!;
  expectShape(out, attrs.ints("shape"), attrs);
  const { p, divisor } = averagePooling(out.shape, g.shape, attrs);
  const o = out.data;
  return () => {
    o.fill(0);
    for (let n = 0, k = 0; n < p.planes; n++)
      for (let position = 0; position < p.windows; position++, k++) {
        const share = g.data[k]! / divisor[position]!;
        for (let i = position * p.taps; i < (position + 1) * p.taps; i++) {
          if (p.table[i]! < 0) continue;
          const index = n * p.plane + p.table[i]!;
          o[index] = o[index]! + share;
        }
      }
  };
};

export const window: Family = {
  conv2d,
  conv2d_input: conv2dInput,
  conv2d_weight: conv2dWeight,
  max_pool2d: maxPool(maxima),
  max_pool2d_indices: maxPool(maximaIndices),
  avg_pool2d: avgPool2d,
  avg_pool2d_input: avgPool2dInput,
};
