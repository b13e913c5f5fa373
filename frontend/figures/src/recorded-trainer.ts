// RecordedTrainer: runs a recorded training step again and again; its new state becomes the next step's input.

import { GraphError, type Program } from "./evaluator/index.js";

export interface TrainerOptions {
  /** Input name → the output that becomes it after each step (weights, the optimiser's state, …). */
  readonly state: Readonly<Record<string, string>>;
  /** The state before the first step. */
  readonly initial: Readonly<Record<string, ArrayLike<number> | number>>;
  /** The output that is the loss, if the graph has one. */
  readonly loss?: string;
  /** Sets the step's other inputs (a mini-batch, a seed, a learning rate); `step` counts from 0. */
  readonly feed?: (program: Program, step: number) => void;
}

/** A state input, its buffer, the buffer of the output that becomes its value, and a buffer for a copy if one is needed. */
interface StatePort {
  readonly input: string;
  readonly value: Float64Array;
  readonly source: Float64Array;
  readonly staged: Float64Array | null;
}

/*
    const trainer = new RecordedTrainer(program, { state: { w: "w_next" }, initial: { w: w0 }, loss: "loss" });
    trainer.step();        // runs the graph once; program's outputs (loss, gradients) are of this step
    trainer.loss           // the loss before this step's update, as Python's loop prints it
    trainer.state("w")     // the weights after the update
    trainer.rewind();      // back to the initial state
*/
export class RecordedTrainer {
  private readonly statePorts: readonly StatePort[];
  private readonly initial = new Map<string, Float64Array>();
  private readonly byInput = new Map<string, StatePort>();
  private readonly lossValue: Float64Array | null;
  private taken = 0;

  constructor(
    readonly program: Program,
    private readonly options: TrainerOptions,
  ) {
    const buffers = new Set(program.inputs.map((port) => program.at(port.node)!.buffer));
    this.statePorts = Object.entries(options.state).map(([input, output]) => this.statePort(input, output, buffers));
    for (const port of this.statePorts) this.byInput.set(port.input, port);
    this.lossValue = options.loss === undefined ? null : program.get(options.loss);
    this.setInitial(options.initial);
  }

  /** Steps taken since the start. */
  get steps(): number {
    return this.taken;
  }

  /** The loss that the last step computed; nan before the first. */
  get loss(): number {
    return this.taken > 0 && this.lossValue ? this.lossValue[0]! : NaN;
  }

  /** Takes `count` steps. */
  step(count = 1): void {
    const { feed } = this.options;
    for (let i = 0; i < count; i++) {
      feed?.(this.program, this.taken);
      this.program.run();
      this.carryState();
      this.taken++;
    }
  }

  /** The current value of one state input: the initial one, or the result of the last step. */
  state(input: string): Float64Array {
    const port = this.byInput.get(input);
    if (port) return port.value;
    throw new GraphError(`"${input}" is not a state of this trainer; it has ${[...this.byInput.keys()].join(", ")}`);
  }

  /** Sets other initial values (for another seed, or weights that were saved) and goes back to step 0. */
  setInitial(values: Readonly<Record<string, ArrayLike<number> | number>>): void {
    for (const { input, value } of this.statePorts) {
      const initial = values[input];
      if (initial === undefined) throw new GraphError(`the state "${input}" has no initial value`);
      this.program.set(input, initial);
      this.initial.set(input, value.slice());
    }
    this.taken = 0;
  }

  /** Goes back to the initial state and step 0. */
  rewind(): void {
    for (const [input, value] of this.initial) this.program.set(input, value);
    this.taken = 0;
  }

  private statePort(input: string, output: string, buffers: ReadonlySet<ArrayBufferLike>): StatePort {
    const port = this.program.inputs.find((p) => p.name === input);
    const result = this.program.outputs.find((p) => p.name === output);
    if (!port) throw new GraphError(`the step has no input "${input}" for its state`);
    if (!result) throw new GraphError(`the step has no output "${output}" for the state "${input}"`);
    const value = this.program.at(port.node)!;
    const source = this.program.at(result.node)!;
    if (source.length !== value.length) {
      throw new GraphError(`state "${input}" has shape [${port.shape.join(", ")}], but "${output}" has [${result.shape.join(", ")}]`);
    }
    // An output that shares an input's buffer would be overwritten while the state is carried over.
    return { input, value, source, staged: buffers.has(source.buffer) ? new Float64Array(source.length) : null };
  }

  /** Copies the new state from the outputs to the inputs. */
  private carryState(): void {
    const { statePorts, program } = this;
    for (let i = 0; i < statePorts.length; i++) statePorts[i]!.staged?.set(statePorts[i]!.source);
    for (let i = 0; i < statePorts.length; i++) program.set(statePorts[i]!.input, statePorts[i]!.staged ?? statePorts[i]!.source);
  }
}
