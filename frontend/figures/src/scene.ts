// The state of one figure: its inputs, the recorded programs over them, and the listeners that redraw.

import { converted, parseGraph, Program } from "./evaluator/index.js";
import type { Drag, FigureSpec, InputSpec, Live, Ref, Scalar } from "./grammar.js";
import { type InputValue, isLive, toNumber } from "./spec.js";

export interface Value {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}

export type Raw = number | boolean | string | Float64Array;

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const SHARE_EVENT = "nnlib-live-share";

/** One input: its value for controls (`raw`) and for programs (`tensor`). */
export class Input {
  raw: Raw;
  readonly tensor: Float64Array;
  /** The value that Reset restores. */
  readonly initial: Raw;

  constructor(readonly name: string, readonly spec: InputSpec) {
    this.tensor = new Float64Array(sizeOf(spec.shape));
    this.initial = this.accept(spec.value)!;
    this.raw = this.initial instanceof Float64Array ? this.initial.slice() : this.initial;
    this.fill();
  }

  /** The value converted to this input's form and limited to its bounds; undefined if that is not possible. */
  accept(value: InputValue | Raw | null | undefined): Raw | undefined {
    const { spec } = this;
    switch (spec.control) {
      case "text":
        if (typeof value !== "string") return undefined;
        return [...value].filter((c) => spec.alphabet.includes(c)).join("").slice(0, spec.length);
      case "checkbox":
        return value === true || value === 1;
      case "dropdown": {
        const index = Number(value);
        return Number.isInteger(index) && index >= 0 && index < spec.labels.length ? index : undefined;
      }
      case "paint":
        return this.asArray(value);
      case "array":
        return spec.shape.length > 0 ? this.asArray(value) : this.asNumber(value);
      default:
        return this.asNumber(value);
    }
  }

  private asArray(value: InputValue | Raw | null | undefined): Float64Array | undefined {
    if (value === null || typeof value !== "object" || value.length !== this.tensor.length) return undefined;
    const numbers = new Float64Array(value.length);
    for (let i = 0; i < numbers.length; i++) numbers[i] = this.fit(toNumber(value[i] as Scalar));
    return numbers;
  }

  private asNumber(value: InputValue | Raw | null | undefined): number | undefined {
    const x = Number(typeof value === "object" && value !== null ? value[0] : value);
    // `raw` keeps the exact number; `tensor` has it rounded to the input's dtype
    return Number.isNaN(x) ? undefined : this.spec.dtype === "int64" ? this.fit(x) : this.bounded(x);
  }

  private bounded(x: number): number {
    const { min = -Infinity, max = Infinity } = boundsOf(this.spec);
    return Math.min(max, Math.max(min, x));
  }

  private fit(x: number): number {
    const { dtype } = this.spec;
    const bounded = this.bounded(x);
    return converted(dtype === "int64" ? Math.round(bounded) : bounded, dtype);
  }

  /** Writes the value into `tensor` as numbers. */
  fill(): void {
    const { raw, tensor, spec } = this;
    if (spec.control === "text" && typeof raw === "string") {
      for (let i = 0; i < tensor.length; i++) {
        tensor[i] = i < raw.length ? spec.alphabet.indexOf(raw[i]!) : spec.alphabet.length;
      }
    } else if (spec.control === "dropdown" && spec.values) {
      spec.values[Number(raw)]!.forEach((v, i) => (tensor[i] = toNumber(v)));
    } else if (raw instanceof Float64Array) tensor.set(raw);
    else tensor[0] = converted(Number(raw), spec.dtype);
  }

  /** The input's name for the reader. */
  get label(): string {
    return this.spec.label ?? this.name;
  }

  /** The value as it appears in texts: the word that is typed, or the chosen option; undefined for numbers. */
  words(): string | undefined {
    const { raw, spec } = this;
    if (spec.control === "text") return String(raw);
    return spec.control === "dropdown" ? spec.labels[Number(raw)] : undefined;
  }

  /** The value as JSON. */
  jsonValue(): InputValue {
    return this.raw instanceof Float64Array ? Array.from(this.raw) : this.raw;
  }
}

export interface Bounds { readonly min?: number; readonly max?: number; readonly step?: number }

/** The bounds of an input; none if its control has none. */
export function boundsOf(spec: InputSpec): Bounds {
  switch (spec.control) {
    case "slider": case "number": case "array": case "stepper": return spec;
    default: return {};
  }
}

const equal = (a: Raw, b: Raw): boolean =>
  a instanceof Float64Array && b instanceof Float64Array
    ? a.length === b.length && a.every((v, i) => Object.is(v, b[i]))
    : a === b;

export class Scene {
  readonly inputs = new Map<string, Input>();
  /** Values by name that the page itself provides: the step, histories, whether a prediction is committed. */
  readonly extras = new Map<string, Value>();
  error: string | null = null;
  /** Restarts the training with a seed, if there is a training. */
  chooseSeed: ((seed: number) => void) | null = null;
  /** Sets the number of steps that the training has taken, as stored in a link. */
  chooseStep: ((step: number) => void) | null = null;
  /** The figure's element, once it is built: animations wait while it is out of view. */
  figure: Element | null = null;
  private readonly programs = new Map<string, Program>();
  private readonly drags: Program[] = [];
  private readonly listeners = new Set<() => void>();
  private readonly savers = new Set<() => void>();
  private readonly dirty = new Set<string>();
  private readonly touched = new Set<string>();
  private readonly constants = new WeakMap<object, Value>();
  private key: string | null = null;
  private frame = 0;
  private current: Program | null = null;
  private readonly abort = new AbortController();

  constructor(readonly spec: FigureSpec) {
    const position = new Map(spec.order?.map((name, i) => [name, i]));
    const listed = Object.entries(spec.inputs).sort(([a], [b]) => (position.get(a) ?? 0) - (position.get(b) ?? 0));
    for (const [name, input] of listed) this.inputs.set(name, new Input(name, input));
    for (const name of this.inputs.keys()) this.dirty.add(name);
    for (const graph of spec.drags ?? []) this.drags.push(new Program(parseGraph(this.unpooled(graph))));
    document.addEventListener(SHARE_EVENT, (event) => this.receiveShared(event), { signal: this.abort.signal });
  }

  dispose(): void {
    this.abort.abort();
    if (this.frame) cancelAnimationFrame(this.frame);
    this.listeners.clear();
    this.savers.clear();
  }

  /** A copy of a graph in which references to pooled constants are replaced by the constants. */
  unpooled(graph: unknown, constants = this.spec.pool): unknown {
    const source = graph as { nodes?: unknown[] };
    if (!Array.isArray(source.nodes)) return graph;
    const nodes = source.nodes.map((node) => {
      const { pool, ...rest } = node as { pool?: number };
      return pool === undefined ? node : { ...rest, base64: constants?.[pool] };
    });
    return { ...source, nodes };
  }

  // ---- inputs

  input(name: string): Input {
    const input = this.inputs.get(name);
    if (!input) throw new Error(`the figure has no input ${name}`);
    return input;
  }

  /**
   * Sets the value of an input; if it is shared, also in the page's other figures.
   * Returns whether the input exists and the value fits it.
   */
  set(name: string, value: InputValue | Raw, share = true): boolean {
    const input = this.inputs.get(name);
    const accepted = input?.accept(value);
    if (!input || accepted === undefined) return false;
    if (equal(accepted, input.raw)) return true;
    input.raw = accepted;
    input.fill();
    this.dirty.add(name);
    this.touched.add(name);
    this.refresh();
    if (share && input.spec.share) {
      const detail = { share: input.spec.share, value: input.jsonValue(), from: this };
      document.dispatchEvent(new CustomEvent(SHARE_EVENT, { detail }));
    }
    return true;
  }

  private receiveShared(event: Event): void {
    const { share, value, from } = (event as CustomEvent<{ share: string; value: InputValue; from: unknown }>).detail;
    if (from === this) return;
    for (const [name, input] of this.inputs) if (input.spec.share === share) this.set(name, value, false);
  }

  /** Sets one number of an input: the input itself if it is a number, else its entry at an index. */
  setAt(target: Live, value: number): void {
    const input = this.inputs.get(target.ref);
    if (!input) return;
    if (!(input.raw instanceof Float64Array)) return void this.set(target.ref, value);
    const copy = input.raw.slice();
    const index = flatIndex(input.spec.shape, target.at ?? [0]);
    if (index < 0 || index >= copy.length) return;
    copy[index] = value;
    this.set(target.ref, copy);
  }

  canSet(ref: Ref | undefined): ref is Live {
    return !!ref && isLive(ref) && this.inputs.has(ref.ref);
  }

  bounds(name: string): Bounds {
    return boundsOf(this.input(name).spec);
  }

  reset(): void {
    for (const [name, input] of this.inputs) this.set(name, input.initial);
  }

  /** Applies a drag rule for a position. */
  drag(rule: Drag, x: number, y: number): void {
    if (!("program" in rule)) {
      if (rule.x) this.setAt(rule.x, x);
      if (rule.y) this.setAt(rule.y, y);
      return;
    }
    const program = this.drags[rule.program];
    if (!program) return;
    for (const port of program.inputs) {
      if (port.name === "x") program.set("x", x);
      else if (port.name === "y") program.set("y", y);
      else this.feed(program, port.name);
    }
    program.run();
    for (const port of program.outputs) {
      const values = program.get(port.name);
      if (!values.every(Number.isFinite)) continue; // if a rule divides by zero, its input keeps its value
      this.set(port.name, this.input(port.name).raw instanceof Float64Array ? values : values[0]!);
    }
  }

  /** Sets an input of a program to the figure's input of that name, or to a word's length for NAME_length. */
  feed(program: Program, name: string): void {
    const input = this.inputs.get(name);
    if (input) program.set(name, input.tensor);
    else if (name.endsWith("_length")) {
      const word = this.inputs.get(name.slice(0, -"_length".length))?.raw;
      if (typeof word === "string") program.set(name, word.length);
    }
  }

  // ---- outputs

  /** The key of the recorded program that the values of the static inputs select. */
  keyOf(staticInputs: readonly string[]): string {
    return staticInputs.map((name) => String(Number(this.input(name).raw))).join(",");
  }

  private program(): Program | null {
    const key = this.keyOf(this.spec.static_inputs);
    if (key === this.key) return this.current;
    this.key = key;
    let program = this.programs.get(key);
    if (!program) {
      const graph = this.spec.programs[key];
      if (graph === undefined) {
        this.current = null;
        return null;
      }
      program = new Program(parseGraph(this.unpooled(graph)));
      this.programs.set(key, program);
    }
    for (const name of this.inputs.keys()) this.dirty.add(name);
    this.current = program;
    return program;
  }

  /** Computes for the first time. A redraw that is already due is cancelled, because the first drawing follows anyway. */
  begin(): void {
    if (this.frame) cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.compute();
  }

  compute(): void {
    try {
      const program = this.program();
      if (program) {
        for (const port of program.inputs) {
          const stem = port.name.endsWith("_length") ? port.name.slice(0, -"_length".length) : port.name;
          if (this.dirty.has(port.name) || this.dirty.has(stem)) this.feed(program, port.name);
        }
        program.run();
      }
      this.error = null;
    } catch (error) {
      this.error = error instanceof Error ? error.message : String(error);
    }
    this.dirty.clear();
  }

  /** The numbers that a reference refers to; undefined while there are none. */
  get(ref: Ref | undefined): Value | undefined {
    if (!ref) return undefined;
    if (!isLive(ref)) {
      let value = this.constants.get(ref);
      if (!value) this.constants.set(ref, (value = { shape: ref.shape, data: Float64Array.from(ref.data, toNumber) }));
      return value;
    }
    const value = this.named(ref.ref);
    if (!value || !ref.at) return value;
    return value.data.length ? sliceOf(value, ref.at) : undefined; // an empty history has no last entry
  }

  named(name: string): Value | undefined {
    const extra = this.extras.get(name);
    if (extra) return extra;
    const input = this.inputs.get(name);
    if (input) return { data: input.tensor, shape: input.spec.shape };
    if (this.current?.outputs.some((port) => port.name === name)) {
      return { data: this.current.get(name), shape: this.current.shape(name) };
    }
    return undefined;
  }

  number(ref: Ref | undefined, otherwise = NaN): number {
    return this.get(ref)?.data[0] ?? otherwise;
  }

  shown(when: Ref | undefined): boolean {
    return !when || this.number(when, 0) !== 0;
  }

  // ---- redrawing

  onChange(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** Adds a function that is called after a redraw if inputs have changed; `takeTouched` gives their names. */
  onSave(saver: () => void): void {
    this.savers.add(saver);
  }

  /** Returns the names of the inputs that have changed since the last call. */
  takeTouched(): string[] {
    const names = [...this.touched];
    this.touched.clear();
    return names;
  }

  refresh(): void {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => this.flush());
  }

  /** Computes and redraws at once if a redraw is due in the next frame. */
  settle(): void {
    if (this.frame) this.flush();
  }

  /** Computes and redraws at once. */
  flush(): void {
    if (this.frame) cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.compute();
    for (const listener of this.listeners) listener();
    if (this.touched.size) for (const saver of this.savers) saver();
  }
}

function flatIndex(shape: readonly number[], index: readonly (number | null)[]): number {
  let flat = 0;
  for (let d = 0; d < shape.length; d++) {
    const i = index[d] ?? 0;
    flat = flat * shape[d]! + (i < 0 ? i + shape[d]! : i);
  }
  return flat;
}

/** A slice of a value: an integer selects an entry of its dimension; null, or no entry, keeps the dimension. */
function sliceOf(value: Value, index: readonly (number | null)[]): Value {
  const { shape, data } = value;
  const remaining = shape.filter((_, d) => index[d] === null || index[d] === undefined);
  const strides = shape.map((_, d) => sizeOf(shape.slice(d + 1)));
  let start = 0;
  index.forEach((i, d) => {
    if (i !== null && d < shape.length) start += (i < 0 ? i + shape[d]! : i) * strides[d]!;
  });
  const remainingStrides = shape.map((_, d) => d).filter((d) => index[d] === null || index[d] === undefined).map((d) => strides[d]!);
  const entries = new Float64Array(sizeOf(remaining));
  for (let k = 0; k < entries.length; k++) {
    let rest = k;
    let offset = start;
    for (let d = remaining.length - 1; d >= 0; d--) {
      offset += (rest % remaining[d]!) * remainingStrides[d]!;
      rest = Math.floor(rest / remaining[d]!);
    }
    entries[k] = data[offset] ?? NaN;
  }
  return { shape: remaining, data: entries };
}
