// Reads the JSON of docs/graph-schema.md into a checked Graph; rejects anything unknown.

import { knowsOp } from "../primitives/registry.js";
import { DTYPES, type DType } from "../primitives/dtypes.js";
import { type Values, sizeOf } from "../primitives/primitive.js";
import { GraphError } from "./errors.js";

export interface GraphNode {
  readonly op: string;
  readonly inputs: readonly number[];
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly size: number;
  /** An input's name; "" for every other node. */
  readonly name: string;
  /** A constant's values; null for every other node. */
  readonly data: Values | null;
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly outputs: readonly { readonly name: string; readonly node: number }[];
}

export const FORMAT = "nnlib.graph";
export const VERSION = 1;
export const MAX_NODES = 100_000;
/** Elements in all nodes together: 2²⁵ doubles are 256 MB. */
export const MAX_ELEMENTS = 2 ** 25;
const MAX_DIMENSIONS = 32;

type Json = Readonly<Record<string, unknown>>;

/** The graph in `json` (already parsed from text); throws a GraphError if it is invalid. */
export function parseGraph(json: unknown): Graph {
  const top = asObject(json, "the graph");
  if (top["format"] !== FORMAT) {
    throw new GraphError(`this is not a recorded graph: its format is ${shown(top["format"])}, expected "${FORMAT}"`);
  }
  if (top["version"] !== VERSION) {
    throw new GraphError(
      `the graph has version ${shown(top["version"])}, this page reads version ${VERSION}: ` +
        "it was probably recorded by a newer nnlib; rebuild the page with that one",
    );
  }
  const nodes = readNodes(asList(top["nodes"], "nodes"));
  return { nodes, outputs: readOutputs(asList(top["outputs"], "outputs"), nodes.length) };
}

function readNodes(raw: readonly unknown[]): GraphNode[] {
  if (raw.length > MAX_NODES) {
    throw new GraphError(`the graph has ${raw.length} nodes; at most ${MAX_NODES} are run in a page`);
  }
  const nodes: GraphNode[] = [];
  const names = new Set<string>();
  let elements = 0;
  for (let i = 0; i < raw.length; i++) {
    const node = readNode(asObject(raw[i], `node ${i}`), i);
    elements += node.size;
    if (elements > MAX_ELEMENTS) {
      throw new GraphError(
        `the graph's values have more than ${MAX_ELEMENTS} elements by node ${i} (${node.op}, ` +
          `shape [${node.shape.join(", ")}]): too many for a page`,
      );
    }
    if (node.op === "input") {
      if (names.has(node.name)) throw new GraphError(`two inputs are named "${node.name}"`);
      names.add(node.name);
    }
    nodes.push(node);
  }
  return nodes;
}

function readNode(raw: Json, i: number): GraphNode {
  const op = raw["op"];
  if (typeof op !== "string") throw new GraphError(`node ${i} has no op: got ${shown(op)}`);
  const where = `node ${i} (${op})`;
  if (op !== "input" && op !== "constant" && !knowsOp(op)) {
    throw new GraphError(`node ${i} needs the operation "${op}", which this page does not know: the graph is newer than the page`);
  }
  const shape = readShape(raw["shape"], where);
  const dtype = readDType(raw["dtype"], where);
  const size = sizeOf(shape);
  if (!(size <= MAX_ELEMENTS)) {
    throw new GraphError(`${where} has shape [${shape.join(", ")}], ${size} elements; at most ${MAX_ELEMENTS} fit in a page`);
  }
  const name = raw["name"] ?? "";
  if (op === "input" && (typeof name !== "string" || name === "")) {
    throw new GraphError(`${where} needs a name, got ${shown(raw["name"])}`);
  }
  const leaf = op === "input" || op === "constant";
  return {
    op,
    inputs: leaf ? [] : readInputs(raw["in"], i, where),
    attrs: raw["attrs"] === undefined ? {} : asObject(raw["attrs"], `${where}'s attrs`),
    shape,
    dtype,
    size,
    name: op === "input" ? (name as string) : "",
    data: op === "constant" ? readConstant(raw, dtype, size, where) : null,
  };
}

function readShape(raw: unknown, where: string): number[] {
  const shape = asList(raw, `${where}'s shape`);
  if (shape.length > MAX_DIMENSIONS) throw new GraphError(`${where} has ${shape.length} dimensions; at most ${MAX_DIMENSIONS} are allowed`);
  return shape.map((n) => {
    if (typeof n !== "number" || !Number.isInteger(n) || n < 0) {
      throw new GraphError(`${where} has a shape with ${shown(n)}, which is not a length`);
    }
    return n;
  });
}

function readDType(raw: unknown, where: string): DType {
  const dtype = DTYPES.find((name) => name === raw);
  if (dtype) return dtype;
  throw new GraphError(`${where} has dtype ${shown(raw)}; a page supports ${DTYPES.join(", ")}`);
}

function readInputs(raw: unknown, i: number, where: string): number[] {
  return asList(raw, `${where}'s in`).map((n) => {
    if (typeof n !== "number" || !Number.isInteger(n) || n < 0) {
      throw new GraphError(`${where} takes ${shown(n)}, which is not a node`);
    }
    if (n >= i) throw new GraphError(`${where} takes node ${n}, which does not come before it`);
    return n;
  });
}

function readOutputs(raw: readonly unknown[], nodes: number): { name: string; node: number }[] {
  const names = new Set<string>();
  return raw.map((entry, k) => {
    const { name, node } = asObject(entry, `output ${k}`);
    if (typeof name !== "string") throw new GraphError(`output ${k} has no name: got ${shown(name)}`);
    if (names.has(name)) throw new GraphError(`two outputs are named "${name}"`);
    names.add(name);
    if (typeof node !== "number" || !Number.isInteger(node) || node < 0 || node >= nodes) {
      throw new GraphError(`output "${name}" is node ${shown(node)}, but there are ${nodes} nodes`);
    }
    return { name, node };
  });
}

// ---------------------------------------------------------------- constants

function readConstant(raw: Json, dtype: DType, size: number, where: string): Values {
  const base64 = raw["base64"];
  const values = typeof base64 === "string" ? fromBase64(base64, storage(raw, dtype, where), size, where) : fromList(asList(raw["data"], `${where}'s data`), where);
  if (values.length !== size) {
    throw new GraphError(`${where} has ${values.length} values for a shape of ${size} elements`);
  }
  if (dtype === "float32") for (let i = 0; i < size; i++) values[i] = Math.fround(values[i]!);
  return values;
}

const SPECIAL: Readonly<Record<string, number>> = { NaN: NaN, Infinity: Infinity, "-Infinity": -Infinity };

function fromList(data: readonly unknown[], where: string): Values {
  const values = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const x = data[i];
    if (typeof x === "number") values[i] = x;
    else if (typeof x === "boolean") values[i] = x ? 1 : 0;
    else if (typeof x === "string" && Object.hasOwn(SPECIAL, x)) values[i] = SPECIAL[x]!;
    else throw new GraphError(`${where} contains ${shown(x)}, which is not a number`);
  }
  return values;
}

type Stored = DType | "float16";
const WIDTHS: Readonly<Record<Stored, number>> = { float16: 2, float32: 4, float64: 8, int64: 8, bool: 1 };

/** The dtype in which a constant's bytes are stored: its own, or float16 if that loses nothing. */
function storage(raw: Json, dtype: DType, where: string): Stored {
  const stored = raw["stored"];
  if (stored === undefined) return dtype;
  if (stored === "float16" && dtype === "float32") return stored;
  throw new GraphError(`${where} is stored as ${shown(stored)}, which is not supported for ${dtype}`);
}

function fromBase64(text: string, dtype: Stored, size: number, where: string): Values {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new GraphError(`${where} has base64 data that cannot be decoded`);
  }
  const width = WIDTHS[dtype];
  if (binary.length !== size * width) {
    throw new GraphError(`${where} has ${binary.length} bytes of data; ${size} elements of ${dtype} take ${size * width}`);
  }
  const buffer = new ArrayBuffer(binary.length);
  const bytes = new Uint8Array(buffer);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return toDoubles(buffer, dtype, size);
}

/** Converts stored numbers to doubles; their bytes are little-endian, as on every machine that runs a browser. */
function toDoubles(buffer: ArrayBuffer, dtype: Stored, size: number): Values {
  switch (dtype) {
    case "float64":
      return new Float64Array(buffer);
    case "float32":
      return new Float64Array(new Float32Array(buffer));
    case "bool":
      return new Float64Array(new Uint8Array(buffer).map((v) => (v ? 1 : 0)));
    case "float16": {
      const halves = new Uint16Array(buffer);
      const values = new Float64Array(size);
      for (let i = 0; i < size; i++) values[i] = fromHalf(halves[i]!);
      return values;
    }
    case "int64": { // exact up to 2⁵³, which is enough for indices and counts
      const words = new Int32Array(buffer);
      const values = new Float64Array(size);
      for (let i = 0; i < size; i++) values[i] = words[2 * i + 1]! * 2 ** 32 + (words[2 * i]! >>> 0);
      return values;
    }
  }
}

function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -24 * fraction;
}

// ---------------------------------------------------------------- reading JSON

function asObject(x: unknown, name: string): Json {
  if (typeof x === "object" && x !== null && !Array.isArray(x)) return x as Json;
  throw new GraphError(`${name} should be an object, got ${shown(x)}`);
}

function asList(x: unknown, name: string): readonly unknown[] {
  if (Array.isArray(x)) return x as readonly unknown[];
  throw new GraphError(`${name} should be a list, got ${shown(x)}`);
}

/** A value as text for a message, never longer than a line. */
function shown(x: unknown): string {
  const text = x === undefined ? "nothing" : (JSON.stringify(x) ?? String(x));
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
