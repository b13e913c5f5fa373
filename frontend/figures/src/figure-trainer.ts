// FigureTrainer: trains a figure by its recorded step, and manages its seed, batches and histories as Python does.

import { parseGraph, Program } from "./evaluator/index.js";
import type { TrainingPlanSpec } from "./grammar.js";
import { Batches, normalFrom, uniformStream } from "./random.js";
import type { Scene } from "./scene.js";
import { RecordedTrainer } from "./recorded-trainer.js";
import { toNumber } from "./spec.js";

const MAX_HISTORY = 2000;

/** The values of one quantity during the training; when there are MAX_HISTORY of them, every second one is removed. */
class History {
  readonly data: number[] = [];
  get shape(): number[] {
    return [this.data.length];
  }
}

export class FigureTrainer {
  steps = 0;
  seed: number;
  /** The trainers by the key of the static inputs' values. */
  private readonly trainers = new Map<string, RecordedTrainer>();
  private readonly names: string[];
  private batches: Batches | null = null;
  private readonly histories = new Map<string, History>();
  private stride = 1;
  /** The tracked states before the step's update, which are those with which its loss is computed. */
  private readonly beforeUpdate = new Map<string, number>();

  constructor(readonly scene: Scene, readonly spec: TrainingPlanSpec) {
    this.names = Object.keys(spec.state);
    this.seed = spec.seed;
    for (const name of ["step", "loss", ...spec.track]) {
      const history = new History();
      this.histories.set(name, history);
      scene.extras.set(`history_${name}`, history);
    }
    scene.chooseStep = (step) => {
      this.steps = Math.min(spec.max_steps, Math.max(0, Math.round(step)));
      this.publish();
    };
    scene.chooseSeed = (seed) => this.rewind(Math.min(spec.seeds - 1, Math.max(0, Math.round(seed))));
    this.begin();
  }

  /** The trainer of the recorded step that the static inputs select. */
  private recordedTrainer(): RecordedTrainer {
    const { scene, spec } = this;
    const key = scene.keyOf(spec.static_inputs);
    let trainer = this.trainers.get(key);
    if (!trainer) {
      trainer = new RecordedTrainer(new Program(parseGraph(scene.unpooled(spec.programs[key], spec.pool))), {
        state: Object.fromEntries(this.names.map((name) => [name, `new_${name}`])),
        initial: Object.fromEntries(this.names.map((name) => [name, this.initial(name)])),
        loss: spec.loss,
        feed: (program) => {
          if (this.batches) program.set("batch", this.batches.at(this.steps));
        },
      });
      this.trainers.set(key, trainer);
    }
    return trainer;
  }

  private begin(): void {
    const { batch } = this.spec;
    this.batches = batch ? new Batches(this.seed, batch.count, batch.size) : null;
    this.steps = 0;
    this.stride = 1;
    for (const history of this.histories.values()) history.data.length = 0;
    this.publish();
  }

  private publish(): void {
    this.scene.extras.set("step", { data: [this.steps], shape: [] });
    this.scene.extras.set("seed", { data: [this.seed], shape: [] });
  }

  /** The initial value of a state for the current seed. */
  initial(name: string): Float64Array {
    const spec = this.spec.state[name]!;
    const size = this.scene.input(name).tensor.length;
    if ("data" in spec) return Float64Array.from(spec.data, toNumber);
    if ("seeds" in spec) return Float64Array.from(spec.seeds[this.seed % spec.seeds.length]!, toNumber);
    const uniform = uniformStream(this.seed, spec.stream);
    const { a, b } = spec;
    return Float64Array.from({ length: size }, (_, i) => {
      const second = typeof b === "number" ? b : toNumber(b[i]!); // the standard deviation, or the upper bound
      return spec.distribution === "normal" ? a + second * normalFrom(uniform) : a + (second - a) * uniform();
    });
  }

  /** Goes back to step 0 and to the initial values for a seed. */
  rewind(seed = this.seed): void {
    this.seed = seed;
    for (const name of this.names) {
      const initial = this.initial(name);
      this.scene.set(name, initial.length === 1 && this.scene.input(name).spec.shape.length === 0 ? initial[0]! : initial);
    }
    this.begin();
    this.scene.refresh();
  }

  get done(): boolean {
    return this.steps >= this.spec.max_steps;
  }

  /**
   * Takes up to `count` steps and returns how many it took: fewer if the time is up, the training is done
   * or the loss is not finite.
   */
  run(count: number, milliseconds = Infinity): number {
    const { scene, spec } = this;
    const trainer = this.recordedTrainer();
    const { program } = trainer;
    for (const port of program.inputs) scene.feed(program, port.name);
    const tracked = spec.track.filter((name) => name in spec.state);
    for (const name of tracked) this.beforeUpdate.set(name, scene.input(name).tensor[0]!);
    const deadline = performance.now() + milliseconds;
    let taken = 0;
    while (taken < count && !this.done) {
      trainer.step();
      const { loss } = trainer;
      this.addToHistories(loss, program);
      for (const name of tracked) this.beforeUpdate.set(name, trainer.state(name)[0]!);
      this.steps++;
      taken++;
      if (!Number.isFinite(loss) || performance.now() > deadline) break;
    }
    for (const name of this.names) {
      const value = trainer.state(name);
      if (taken) scene.set(name, scene.input(name).spec.shape.length === 0 ? value[0]! : value);
    }
    this.publish();
    scene.refresh();
    return taken;
  }

  /** Adds the step to the histories, if its number is a multiple of the stride. */
  private addToHistories(loss: number, program: Program): void {
    if (this.steps % this.stride) return;
    const push = (name: string, v: number): void => void this.histories.get(name)?.data.push(v);
    push("step", this.steps);
    push("loss", loss);
    for (const name of this.spec.track) {
      push(name, this.beforeUpdate.get(name) ?? program.get(`new_${name}`)[0]!);
    }
    if (this.histories.get("step")!.data.length < MAX_HISTORY) return;
    this.stride *= 2;
    for (const { data } of this.histories.values()) {
      let k = 0;
      for (let i = 0; i < data.length; i += 2) data[k++] = data[i]!;
      data.length = k;
    }
  }
}
