// FigureTrainer: trains one figure with its recorded step, and manages its seed, batches and histories as Python does.

import { parseGraph, Program } from "./evaluator/index.js";
import type { TrainingPlanSpec } from "./grammar.js";
import { Batches, normalFrom, uniformStream } from "./random.js";
import type { Scene } from "./scene.js";
import { RecordedTrainer } from "./recorded-trainer.js";
import { toNumber } from "./spec.js";

const MAX_HISTORY = 2000;

/** A list of at most MAX_HISTORY numbers: when it is full, every second entry is dropped. */
class History {
  readonly data: number[] = [];
  get shape(): number[] {
    return [this.data.length];
  }
}

export class FigureTrainer {
  steps = 0;
  seed: number;
  private readonly loops = new Map<string, RecordedTrainer>();
  private readonly names: string[];
  private batches: Batches | null = null;
  private readonly histories = new Map<string, History>();
  private stride = 1;
  /** Tracked states at the time when the step's loss is computed, before the update. */
  private readonly before = new Map<string, number>();

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

  /** The recorded step that the static inputs choose. */
  private loop(): RecordedTrainer {
    const { scene, spec } = this;
    const key = scene.keyOf(spec.choices);
    let made = this.loops.get(key);
    if (!made) {
      made = new RecordedTrainer(new Program(parseGraph(scene.unpooled(spec.programs[key], spec.pool))), {
        state: Object.fromEntries(this.names.map((name) => [name, `new_${name}`])),
        initial: Object.fromEntries(this.names.map((name) => [name, this.initial(name)])),
        loss: spec.loss,
        feed: (program) => {
          if (this.batches) program.set("batch", this.batches.at(this.steps));
        },
      });
      this.loops.set(key, made);
    }
    return made;
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
      const spread = typeof b === "number" ? b : toNumber(b[i]!);
      return spec.draw === "normal" ? a + spread * normalFrom(uniform) : a + (spread - a) * uniform();
    });
  }

  rewind(seed = this.seed): void {
    this.seed = seed;
    for (const name of this.names) {
      const start = this.initial(name);
      this.scene.set(name, start.length === 1 && this.scene.input(name).spec.shape.length === 0 ? start[0]! : start);
    }
    this.begin();
    this.scene.refresh();
  }

  get done(): boolean {
    return this.steps >= this.spec.max_steps;
  }

  /** Runs `count` steps, fewer if the time is up; returns how many ran. */
  run(count: number, milliseconds = Infinity): number {
    const { scene, spec } = this;
    const loop = this.loop();
    const { program } = loop;
    for (const port of program.inputs) scene.feed(program, port.name);
    const tracked = spec.track.filter((name) => name in spec.state);
    for (const name of tracked) this.before.set(name, scene.input(name).tensor[0]!);
    const end = performance.now() + milliseconds;
    let ran = 0;
    while (ran < count && !this.done) {
      loop.step();
      const { loss } = loop;
      this.record(loss, program);
      for (const name of tracked) this.before.set(name, loop.state(name)[0]!);
      this.steps++;
      ran++;
      if (!Number.isFinite(loss) || performance.now() > end) break;
    }
    for (const name of this.names) {
      const made = loop.state(name);
      if (ran) scene.set(name, scene.input(name).spec.shape.length === 0 ? made[0]! : made);
    }
    this.publish();
    scene.refresh();
    return ran;
  }

  private record(loss: number, program: Program): void {
    if (this.steps % this.stride) return;
    const push = (name: string, v: number): void => void this.histories.get(name)?.data.push(v);
    push("step", this.steps);
    push("loss", loss);
    for (const name of this.spec.track) {
      push(name, this.before.get(name) ?? program.get(`new_${name}`)[0]!);
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
