// Fuses steps of a program that can run in one loop: two of + - ×, a bias and its activation, whole layers.

import {
  LEAST_ROWS, type Pair, activationKernel, fusesWithSum, layerKernel, outerTanhVjpKernel, pairKernel, tanhVjpKernel,
} from "../primitives/fused-loops.js";
import { type Factor2d, matmulKernel } from "../primitives/linalg.js";
import { ALIAS, type Kernel, type Operand, sameShape } from "../primitives/primitive.js";
import type { GraphNode } from "./graph.js";

/** One node's kernel, and the nodes that it reads. */
export interface Step {
  readonly node: number;
  readonly kernel: Kernel;
  readonly inputs: readonly number[];
}

/** The nodes and buffers of the program whose steps are fused. */
export interface Compiled {
  readonly nodes: readonly GraphNode[];
  readonly operands: readonly (Operand | undefined)[];
  /** Nodes whose values are read from outside the program. */
  readonly readOutside: ReadonlySet<number>;
}

/**
 * Fuses the steps that can run in one loop. A value between two steps is dropped only if nothing
 * else reads it; steps whose results are no longer read are removed.
 */
export function fuse(steps: readonly Step[], compiled: Compiled): Step[] {
  const fuser = new Fuser(steps, compiled);
  const fused = steps.map((step) => fuser.fusedOrSame(step));
  return withoutUnread(fused, compiled.readOutside);
}

/** The steps whose results another step or code outside the program reads. */
function withoutUnread(steps: readonly Step[], readOutside: ReadonlySet<number>): Step[] {
  const read = new Set(readOutside);
  const remaining: Step[] = [];
  for (const step of [...steps].reverse()) {
    if (!read.has(step.node)) continue;
    for (const n of step.inputs) read.add(n);
    remaining.push(step);
  }
  return remaining.reverse();
}

class Fuser {
  private readonly byNode = new Map<number, Step>();
  /** For each node, the nodes whose steps read it, once for each use. */
  private readonly readers = new Map<number, number[]>();
  /** Nodes that a later step computes in its own loop. */
  private readonly absorbed = new Set<number>();
  private readonly fused = new Map<number, Step>();

  constructor(steps: readonly Step[], private readonly compiled: Compiled) {
    for (const step of steps) {
      this.byNode.set(step.node, step);
      for (const n of step.inputs) this.addReader(n, step.node);
    }
    this.plan(steps);
  }

  private addReader(node: number, reader: number): void {
    const readers = this.readers.get(node);
    if (readers) readers.push(reader);
    else this.readers.set(node, [reader]);
  }

  /** Starts with the last steps, because they end the longest chains. */
  private plan(steps: readonly Step[]): void {
    for (const step of [...steps].reverse()) {
      if (this.absorbed.has(step.node)) continue;
      const fused = this.fusedStep(step);
      if (fused) this.fused.set(step.node, fused);
    }
  }

  /** The fused step that replaces a step, or the step itself. */
  fusedOrSame(step: Step): Step {
    return this.fused.get(step.node) ?? step;
  }

  /** A step fused with the steps before it; null if that is not possible. */
  private fusedStep(step: Step): Step | null {
    if (step.kernel === ALIAS) return null;
    const { op, dtype } = this.node(step.node);
    if (dtype !== "float32" && dtype !== "float64") return null;
    if (op === "matmul") return this.matmul(step);
    if (fusesWithSum(op)) return this.activation(step);
    if (op === "mul") return this.tanhVjp(step) ?? this.pair(step);
    return op === "add" || op === "sub" ? this.pair(step) : null;
  }

  // ---------------------------------------------------------------- the patterns

  /** A matrix product that reads transposed factors in place, without copying them. */
  private matmul(step: Step): Step | null {
    const [left, right] = step.inputs.map((n) => this.factor(n)) as [Factor2d, Factor2d];
    if (left.matrix.shape.length !== 2 || right.matrix.shape.length !== 2) return null;
    if (!left.transposed && !right.transposed) return null;
    const inputs = step.inputs.map((n) => this.transposeOf(n) ?? n);
    const single = this.node(step.node).dtype === "float32";
    return { node: step.node, kernel: matmulKernel(this.operand(step.node), left, right, single), inputs };
  }

  private factor(node: number): Factor2d {
    const source = this.transposeOf(node);
    return { matrix: this.operand(source ?? node), transposed: source !== null };
  }

  /** act(a + b); if a is X·W, the whole layer. */
  private activation(step: Step): Step | null {
    const sum = this.inner(step.inputs[0]!, step, ["add"]);
    if (!sum) return null;
    const layer = this.layer(step, sum);
    if (layer) return layer;
    this.absorbed.add(sum.node);
    const [a, b] = sum.inputs as [number, number];
    const kernel = activationKernel(this.node(step.node).op, this.operand(step.node), [this.operand(a), this.operand(b)]);
    return { node: step.node, kernel, inputs: sum.inputs };
  }

  private layer(step: Step, sum: Step): Step | null {
    const [a, bias] = sum.inputs as [number, number];
    const matmul = this.inner(a, sum, ["matmul"]);
    if (!matmul) return null;
    const [x, w] = matmul.inputs.map((n) => this.factor(n)) as [Factor2d, Factor2d];
    const out = this.operand(step.node);
    const b = this.operand(bias);
    const isPerColumn = b.data.length === 1 || (b.data.length === out.shape[1] && b.shape.at(-1) === out.shape[1]);
    if (x.matrix.shape.length !== 2 || w.matrix.shape.length !== 2 || out.shape[0]! < LEAST_ROWS || !isPerColumn) return null;
    this.absorbed.add(sum.node).add(matmul.node);
    const kernel = layerKernel(this.node(step.node).op, out, x, w, b, this.isRounded(step));
    return { node: step.node, kernel, inputs: [...matmul.inputs.map((n) => this.transposeOf(n) ?? n), bias] };
  }

  /** Whether a float32 result is rounded: not if a single matrix product reads it, as between two layers. */
  private isRounded(step: Step): boolean {
    if (this.node(step.node).dtype !== "float32") return false;
    const readers = this.readers.get(step.node) ?? [];
    return this.compiled.readOutside.has(step.node) || readers.length !== 1 || this.node(readers[0]!).op !== "matmul";
  }

  /** g · (1 - h·h), the gradient pulled back through h = tanh(…). */
  private tanhVjp(step: Step): Step | null {
    for (const [side, other] of [[1, 0], [0, 1]] as const) {
      const derivative = this.inner(step.inputs[side]!, step, ["sub"]);
      const square = derivative && this.inner(derivative.inputs[1]!, derivative, ["mul"]);
      if (!square || square.inputs[0] !== square.inputs[1]) continue;
      this.absorbed.add(derivative.node).add(square.node);
      const [g, one, h] = [step.inputs[other]!, derivative.inputs[0]!, square.inputs[0]!];
      return this.outerTanhVjp(step, g, one, h) ?? this.elementwiseTanhVjp(step, g, one, h);
    }
    return null;
  }

  /** g · (1 - h·h), whatever g is. */
  private elementwiseTanhVjp(step: Step, g: number, one: number, h: number): Step {
    const operands = [this.operand(g), this.operand(one), this.operand(h)] as const;
    return { node: step.node, kernel: tanhVjpKernel(this.operand(step.node), operands), inputs: [g, one, h] };
  }

  /** The same if g is a column times a row; null if it is not. */
  private outerTanhVjp(step: Step, g: number, one: number, h: number): Step | null {
    const matmul = this.inner(g, step, ["matmul"]);
    const out = this.operand(step.node);
    if (!matmul || out.shape.length !== 2 || this.operand(one).data.length !== 1) return null;
    const [column, row] = matmul.inputs as [number, number];
    const shapes = [this.operand(column).shape, this.operand(row).shape];
    if (shapes[0]!.length !== 2 || shapes[0]![1] !== 1 || shapes[1]!.length !== 2 || !sameShape(this.operand(h).shape, out.shape)) return null;
    this.absorbed.add(matmul.node);
    const kernel = outerTanhVjpKernel(out, this.operand(column), this.operand(row), this.operand(one), this.operand(h));
    return { node: step.node, kernel, inputs: [column, row, one, h] };
  }

  /** Two of + - × one after the other. */
  private pair(step: Step): Step | null {
    const { op } = this.node(step.node);
    for (const [side, other] of [[0, 1], [1, 0]] as const) {
      const first = this.inner(step.inputs[side]!, step, ["add", "sub", "mul"]);
      if (!first) continue;
      const innerOp = this.node(first.node).op;
      const outerSign = op === "sub" ? -1 : 1;
      const pair: Pair = {
        inner: innerOp === "mul" ? "product" : "sum",
        outer: op === "mul" ? "product" : "sum",
        sign: innerOp === "sub" ? -1 : 1,
        signs: side === 0 ? [1, outerSign] : [outerSign, 1],
      };
      this.absorbed.add(first.node);
      const inputs = [...first.inputs, step.inputs[other]!];
      const operands = inputs.map((n) => this.operand(n)) as [Operand, Operand, Operand];
      return { node: step.node, kernel: pairKernel(pair, this.operand(step.node), operands), inputs };
    }
    return null;
  }

  // ---------------------------------------------------------------- which steps can be fused

  /** The step that computes `node`, if only `reader` reads it and both loops run over the same elements; else null. */
  private inner(node: number, reader: Step, ops: readonly string[]): Step | null {
    const step = this.byNode.get(node);
    if (!step || this.absorbed.has(node) || this.compiled.readOutside.has(node) || this.readers.get(node)?.length !== 1) return null;
    const [a, b] = [this.node(node), this.node(reader.node)];
    return ops.includes(a.op) && a.dtype === b.dtype && sameShape(a.shape, b.shape) ? step : null;
  }

  /** The matrix of which `node` is a transposed copy; null if it is not one. */
  private transposeOf(node: number): number | null {
    const step = this.byNode.get(node);
    if (!step || step.kernel === ALIAS) return null;
    const { op, shape } = this.node(node);
    return op === "permute" && shape.length === 2 ? step.inputs[0]! : null;
  }

  private node(n: number): GraphNode {
    return this.compiled.nodes[n]!;
  }

  private operand(n: number): Operand {
    return this.compiled.operands[n]!;
  }
}
