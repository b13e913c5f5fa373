// From the parts of a figure's view to what is drawn: one builder a kind, and `when`, which hides any of them.

import { predict, quiz } from "./ask.js";
import { axes } from "./axes.js";
import { makeControl } from "./controls.js";
import { dag } from "./dag.js";
import { element } from "./dom.js";
import { images } from "./images.js";
import { network } from "./network.js";
import type { Scene } from "./scene.js";
import { sequence } from "./sequence.js";
import type { PartSpec } from "./spec.js";
import { type Trainer, trainingControls } from "./trainer.js";
import type { Builder, Context, View } from "./view.js";
import { button, column, control, formula, meter, readout, row, toggles } from "./views.js";

const builders: Record<string, Builder> = {
  axes, row, column, readout, meter, formula, button, control, images, network, dag, sequence, predict, quiz, toggles,
};

/** Builds the views of one figure and knows which controls they have placed. */
export class Parts implements Context {
  private readonly placedInputs = new Set<string>();
  private trainingPlaced = false;

  constructor(readonly scene: Scene, private readonly trainer: Trainer | undefined) {}

  placed(name: string): void {
    this.placedInputs.add(name);
  }

  build(part: PartSpec): View {
    const made = this.make(part) ?? { root: element("div"), update: () => undefined };
    return part.when ? hiding(made, () => this.scene.shown(part.when)) : made;
  }

  /** The controls that no part of the view has placed: they stand at the top. */
  remaining(): View[] {
    const controls: View[] = [];
    for (const [name, input] of this.scene.inputs) {
      const view = this.placedInputs.has(name) ? undefined : makeControl(input, this.scene);
      if (view) controls.push(view);
    }
    if (this.trainer && !this.trainingPlaced) controls.push(trainingControls(this.trainer));
    return controls;
  }

  private make(part: PartSpec): View | undefined {
    if (part.kind === "input-control") {
      return makeControl(this.scene.input((part as PartSpec & { name: string }).name), this.scene);
    }
    if (part.kind === "training") {
      this.trainingPlaced = true;
      return this.trainer && trainingControls(this.trainer);
    }
    const make = builders[part.kind];
    if (!make) throw new Error(`This page cannot draw "${part.kind}": the figure may come from a newer nnlib.`);
    return make(part, this);
  }
}

/** A view that is there only while `shown` says so. */
function hiding(made: View, shown: () => boolean): View {
  let before = true;
  return {
    root: made.root,
    update() {
      const now = shown();
      made.root.hidden = !now;
      if (now && !before) made.resize?.();
      before = now;
      if (now) made.update();
    },
    resize: () => made.resize?.(),
  };
}
