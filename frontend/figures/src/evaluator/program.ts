// Program: a graph compiled to kernels with fixed buffers. A run calls only the kernels that changed inputs affect.

import { type DType, converted } from "../primitives/dtypes.js";
import { compile } from "../primitives/registry.js";
import { ALIAS, type Kernel, type Operand, type Budget, type Shape, Attrs, MAX_TOUCHED, MAX_WORK } from "../primitives/primitive.js";
import { GraphError } from "./errors.js";
import { type Step, fuse } from "./fuse.js";
import type { Graph, GraphNode } from "./graph.js";

export interface Port {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
  /** Position in the graph's nodes. */
  readonly node: number;
}

export interface ProgramOptions {
  /** Compute every node, even those on which no output depends, so that a figure can show their values. */
  readonly everyNode?: boolean;
}

/** The most plans that a program stores. A plan lists the kernels to run after certain inputs have changed. */
const MAX_PLANS = 256;

export class Program {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  private readonly operands: (Operand | undefined)[];
  private readonly steps: readonly Step[];
  private readonly ports = new Map<string, Port>();
  private readonly inputIndices = new Map<string, number>();
  private readonly changed: Uint8Array;
  private readonly plannedFor: Uint8Array;
  private plan: readonly Kernel[] = [];
  private readonly plans = new Map<string, readonly Kernel[]>();
  private dirty = true;

  constructor(
    readonly graph: Graph,
    options: ProgramOptions = {},
  ) {
    const { nodes } = graph;
    this.inputs = nodes.flatMap((n, i) => (n.op === "input" ? [portOf(n.name, n, i)] : []));
    this.outputs = graph.outputs.map(({ name, node }) => portOf(name, nodes[node]!, node));
    this.inputs.forEach((port, k) => this.inputIndices.set(port.name, k));
    for (const port of [...this.inputs, ...this.outputs]) this.ports.set(port.name, port);
    this.operands = new Array<Operand | undefined>(nodes.length).fill(undefined);
    const steps = this.compileNodes(options.everyNode === true);
    const { constant, dependent } = this.split(steps);
    for (const step of constant) step.kernel(); // nodes that depend on no input are computed once
    this.steps = options.everyNode ? dependent : this.fused(dependent);
    this.changed = new Uint8Array(this.inputs.length).fill(1);
    this.plannedFor = new Uint8Array(this.inputs.length);
  }

  /** Sets the values of an input, all of them if `values` is one number; returns whether a value has changed. */
  set(name: string, values: ArrayLike<number> | number): boolean {
    const k = this.inputIndices.get(name);
    if (k === undefined) return this.noInput(name);
    const { data, dtype, shape } = this.operands[this.inputs[k]!.node]!;
    if (typeof values !== "number" && values.length !== data.length) {
      throw new GraphError(`input "${name}" has shape [${shape.join(", ")}], ${data.length} elements, but was given ${values.length}`);
    }
    const hasChanged = store(data, values, dtype);
    if (hasChanged) {
      this.changed[k] = 1;
      this.dirty = true;
    }
    return hasChanged;
  }

  /** Computes all nodes that depend on inputs that have changed since the last run. */
  run(): void {
    if (!this.dirty) return;
    if (!equal(this.changed, this.plannedFor)) this.makePlan();
    const plan = this.plan;
    for (let i = 0; i < plan.length; i++) plan[i]!();
    this.changed.fill(0);
    this.dirty = false;
  }

  /** The values of an input. */
  input(name: string): Float64Array {
    const k = this.inputIndices.get(name);
    return k === undefined ? this.noInput(name) : this.operands[this.inputs[k]!.node]!.data;
  }

  /**
   * The values of an output or, if no output has this name, of an input, in row-major order. Each run
   * writes into the same array.
   */
  get(name: string): Float64Array {
    return this.operands[this.port(name).node]!.data;
  }

  shape(name: string): Shape {
    return this.port(name).shape;
  }

  /** The values of one node; undefined if the program does not store them (with `everyNode` it stores all). */
  at(node: number): Float64Array | undefined {
    return this.operands[node]?.data;
  }

  private noInput(name: string): never {
    throw new GraphError(`the graph has no input "${name}"; it has ${this.inputs.map((p) => p.name).join(", ") || "none"}`);
  }

  private port(name: string): Port {
    const port = this.ports.get(name);
    if (port) return port;
    throw new GraphError(`the graph has no output "${name}"; it has ${this.outputs.map((p) => p.name).join(", ") || "none"}`);
  }

  /** Buffers and kernels for all nodes that are needed, in the graph's order. */
  private compileNodes(everyNode: boolean): Step[] {
    const { nodes } = this.graph;
    const sources = everyNode ? nodes.map((n) => n.inputs) : withoutExpansions(nodes);
    const needed = everyNode ? null : reachable(sources, this.outputs, this.inputs);
    const steps: Step[] = [];
    const budget = { work: MAX_WORK, touched: MAX_TOUCHED };
    nodes.forEach((node, i) => {
      if (needed && !needed[i]) return;
      const inputs = sources[i]!.map((n) => this.operands[n]!);
      const { operand, kernel } = makeNode(node, i, inputs, budget);
      this.operands[i] = operand;
      if (kernel) steps.push({ node: i, kernel, inputs: sources[i]! });
    });
    return steps;
  }

  /** Separates the steps that depend on no input from those that do. */
  private split(steps: readonly Step[]): { constant: Step[]; dependent: Step[] } {
    const affected = new Uint8Array(this.graph.nodes.length);
    for (const port of this.inputs) affected[port.node] = 1;
    const constant: Step[] = [];
    const dependent: Step[] = [];
    for (const step of steps) {
      if (step.inputs.some((n) => affected[n])) {
        affected[step.node] = 1;
        dependent.push(step);
      } else constant.push(step);
    }
    return { constant, dependent };
  }

  /** The same steps in fewer loops; values that are needed only inside a loop are no longer stored. */
  private fused(steps: readonly Step[]): Step[] {
    const readOutside = new Set([...this.outputs, ...this.inputs].map((port) => port.node));
    const fusedSteps = fuse(steps, { nodes: this.graph.nodes, operands: this.operands, readOutside });
    const remaining = new Set(fusedSteps.map((step) => step.node));
    for (const { node } of steps) if (!remaining.has(node)) this.operands[node] = undefined;
    return fusedSteps;
  }

  private makePlan(): void {
    const key = this.changed.join("");
    let plan = this.plans.get(key);
    if (!plan) {
      plan = this.downstream();
      if (this.plans.size >= MAX_PLANS) this.plans.clear();
      this.plans.set(key, plan);
    }
    this.plan = plan;
    this.plannedFor.set(this.changed);
  }

  /** The kernels of all nodes downstream of the changed inputs. */
  private downstream(): Kernel[] {
    const affected = new Uint8Array(this.graph.nodes.length);
    this.inputs.forEach((port, k) => (affected[port.node] = this.changed[k]!));
    const kernels: Kernel[] = [];
    for (const step of this.steps) {
      if (!step.inputs.some((n) => affected[n])) continue;
      affected[step.node] = 1;
      if (step.kernel !== ALIAS) kernels.push(step.kernel);
    }
    return kernels;
  }
}

function portOf(name: string, node: GraphNode, i: number): Port {
  return { name, shape: node.shape, dtype: node.dtype, node: i };
}

/** The operand of one node and its kernel. A leaf has no kernel; with ALIAS the node shares its input's buffer. */
function makeNode(node: GraphNode, i: number, inputs: readonly Operand[], budget: Budget): { operand: Operand; kernel: Kernel | null } {
  const { shape, dtype, size } = node;
  if (node.data) return { operand: { shape, dtype, data: node.data }, kernel: null };
  const operand = { shape, dtype, data: new Float64Array(size) };
  if (node.op === "input") return { operand, kernel: null };
  const kernel = compile(node.op, operand, inputs, new Attrs(`node ${i} (${node.op})`, node.attrs, budget));
  if (kernel === ALIAS) return { operand: { shape, dtype, data: inputs[0]!.data }, kernel };
  return { operand, kernel };
}

/**
 * The inputs of each node. Elementwise operations skip an `expand` and read its input instead, because
 * they broadcast it themselves to the shape of their result.
 */
function withoutExpansions(nodes: readonly GraphNode[]): (readonly number[])[] {
  const origin: number[] = []; // for an expansion the node that it expands, else the node itself
  return nodes.map((node, i) => {
    origin.push(node.op === "expand" && node.inputs.length === 1 ? origin[node.inputs[0]!]! : i);
    return BROADCASTING.has(node.op) ? node.inputs.map((n) => origin[n]!) : node.inputs;
  });
}

const BROADCASTING: ReadonlySet<string> = new Set(
  ("add sub mul div pow maximum minimum atan2 remainder floor_divide " +
    "eq ne lt le gt ge logical_and logical_or logical_xor where").split(" "),
);

function reachable(sources: readonly (readonly number[])[], outputs: readonly Port[], inputs: readonly Port[]): Uint8Array {
  const needed = new Uint8Array(sources.length);
  for (const port of [...outputs, ...inputs]) needed[port.node] = 1;
  for (let i = sources.length - 1; i >= 0; i--) if (needed[i]) for (const n of sources[i]!) needed[n] = 1;
  return needed;
}

/** Writes values, converted to a dtype, into `data`; returns whether any has changed (0 to -0 is a change). */
function store(data: Float64Array, values: ArrayLike<number> | number, dtype: DType): boolean {
  let hasChanged = false;
  for (let i = 0; i < data.length; i++) {
    const x = converted(typeof values === "number" ? values : values[i]!, dtype);
    const before = data[i]!;
    if (x !== before || (x === 0 && 1 / x !== 1 / before)) {
      data[i] = x;
      hasChanged = true;
    }
  }
  return hasChanged;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
