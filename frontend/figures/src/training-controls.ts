// The controls of a training: play, step, rewind, seed, speed.

import { action, attributes, element, reducedMotion, setText, uniqueId, showResumed, watchVisibility } from "./dom.js";
import { Pace } from "./pace.js";
import type { FigureTrainer } from "./figure-trainer.js";
import type { View } from "./view.js";

/** The speeds that the reader can choose, and their names in the menu. */
const SPEEDS: Record<string, string> = { slow: "5 steps a second", frame: "1 step a frame", fast: "16 steps a frame", full: "full speed" };

/** How many steps are taken together, and the milliseconds from one such group to the next. */
function stepsDue(speed: string): { steps: number; wait: number } {
  if (speed === "slow") return { steps: 1, wait: 200 };
  const steps = speed === "full" ? Infinity : speed === "fast" ? 16 : 1;
  return reducedMotion() ? { steps: steps * 30, wait: 500 } : { steps, wait: 0 };
}

/** What a player reads from the page, and the callbacks that it calls when its state changes. */
interface PlayerOptions {
  /** The training plays only while these are in the page. */
  readonly controls: Element;
  /** The element that has to be in view; the training pauses while it is not. */
  readonly figure: () => Element;
  readonly speed: () => string;
  readonly playing: (on: boolean) => void;
  /** Called when the figure is in view again. */
  readonly resumed: () => void;
}

/** Runs the training frame by frame while it plays and is in view. */
class Player {
  private playing = false;
  /** Whether it plays but is out of view. */
  private waiting = false;
  private frame = 0;
  /** The time at which steps were last taken. */
  private last = 0;
  private pace = new Pace();
  private stopWatching = (): void => undefined;

  constructor(private readonly trainer: FigureTrainer, private readonly options: PlayerOptions) {}

  toggle(): void {
    if (this.playing) return this.stop();
    this.playing = true;
    this.pace = new Pace();
    this.stopWatching = watchVisibility(this.options.figure(), (visible) => this.visibilityChanged(visible));
    this.options.playing(true);
    this.next();
  }

  stop(): void {
    this.playing = false;
    this.waiting = false;
    this.stopWatching();
    cancelAnimationFrame(this.frame);
    this.options.playing(false);
  }

  private next(): void {
    this.frame = requestAnimationFrame((now) => this.tick(now));
  }

  private tick(now: number): void {
    if (!this.playing || this.waiting) return;
    if (!this.options.controls.isConnected || this.trainer.done) return this.stop();
    const { steps, wait } = stepsDue(this.options.speed());
    if (now - this.last >= wait) {
      this.last = now;
      if (!this.run(now, steps)) return this.stop();
    }
    this.next();
  }

  /** Takes as many of the steps as this frame has time for; returns whether the training can continue. */
  private run(now: number, steps: number): boolean {
    const share = this.pace.share(now, steps);
    if (share.steps <= 0) return true;
    const taken = this.trainer.run(share.steps, share.milliseconds);
    if (taken > 0) this.pace.stepsTaken(taken, share, steps);
    return taken > 0;
  }

  private visibilityChanged(visible: boolean): void {
    this.waiting = !visible;
    if (!visible) return cancelAnimationFrame(this.frame);
    this.options.resumed();
    this.next();
  }
}

const button = (label: string, words: string, act: () => void): HTMLButtonElement => action(label, act, { class: "nn-button", title: words });

const labelled = (words: string, control: HTMLElement): HTMLElement =>
  element("span", { class: "nn-pair" }, element("label", { for: control.id }, words), control);

/** The box in which the reader chooses the seed; `stop` is called before the training restarts. */
function seedBox(trainer: FigureTrainer, stop: () => void): HTMLInputElement {
  const { seed, seeds } = trainer.spec;
  const box = element("input", { type: "number", id: uniqueId("seed"), min: 0, max: seeds - 1, step: 1, value: seed });
  box.addEventListener("change", () => {
    stop();
    const chosen = Math.min(seeds - 1, Math.max(0, Math.round(Number(box.value) || 0)));
    box.value = String(chosen);
    trainer.rewind(chosen);
  });
  return box;
}

function speedMenu(speed: string): HTMLSelectElement {
  const menu = element("select", { id: uniqueId("speed") }, ...Object.entries(SPEEDS).map(([key, words]) => element("option", { value: key }, words)));
  menu.value = speed;
  return menu;
}

export function trainingControls(trainer: FigureTrainer): View {
  const { spec } = trainer;
  const root = element("div", { class: "nn-training", role: "group", "aria-label": "training" });
  const note = element("span", { class: "nn-note", role: "status" });
  const count = element("output", { class: "nn-value" });
  const speed = speedMenu(spec.speed);
  const play = button("▶ train", "train, or pause", () => player.toggle());
  const player = new Player(trainer, {
    controls: root,
    figure: () => trainer.scene.figure ?? root,
    speed: () => speed.value,
    playing(on) {
      setText(play, on ? "❚❚ pause" : "▶ train");
      attributes(play, { "aria-pressed": on ? "true" : "false" });
    },
    resumed: () => showResumed(note),
  });
  const step = button("step", "one training step", () => {
    player.stop();
    trainer.run(1);
  });
  const rewind = button("⏮ rewind", "back to the initial weights", () => {
    player.stop();
    trainer.rewind();
  });
  const seed = seedBox(trainer, () => player.stop());
  root.append(play, step, rewind, ...(spec.seeds > 1 ? [labelled("seed", seed)] : []), labelled("speed", speed), count, note);
  return {
    root,
    update() {
      setText(count, `step ${trainer.steps}`);
      if (document.activeElement !== seed) seed.value = String(trainer.seed);
    },
  };
}
