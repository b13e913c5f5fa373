// Builds the parts of a figure's view: one builder for each kind, and `when`, which can hide any part.

import { predict, quiz } from "./ask.js";
import { axes } from "./axes.js";
import { makeControl } from "./controls.js";
import { dag } from "./dag.js";
import { element } from "./dom.js";
import type { ViewSpec } from "./grammar.js";
import { images } from "./images.js";
import { network } from "./network.js";
import { trainingControls } from "./training-controls.js";
import type { Scene } from "./scene.js";
import { sequence } from "./sequence.js";
import type { FigureTrainer } from "./figure-trainer.js";
import type { Context, View } from "./view.js";
import { button, column, control, formula, meter, readout, row, toggles } from "./views.js";

/** Builds the views of one figure and keeps track of the controls that they have placed. */
export class Parts implements Context {
  private readonly placedInputs = new Set<string>();
  private trainingPlaced = false;

  constructor(readonly scene: Scene, private readonly trainer: FigureTrainer | undefined) {}

  control(name: string): View | undefined {
    this.placedInputs.add(name);
    return makeControl(this.scene.input(name), this.scene);
  }

  build(part: ViewSpec): View {
    const view = this.make(part);
    const when = "when" in part ? part.when : undefined;
    return when ? hiding(view, () => this.scene.shown(when)) : view;
  }

  /** The controls that no part of the view has placed; they are put at the top. */
  remaining(): View[] {
    const controls: View[] = [];
    for (const [name, input] of this.scene.inputs) {
      const view = this.placedInputs.has(name) ? undefined : makeControl(input, this.scene);
      if (view) controls.push(view);
    }
    if (this.trainer && !this.trainingPlaced) controls.push(trainingControls(this.trainer));
    return controls;
  }

  private make(part: ViewSpec): View {
    const { kind } = part;
    switch (part.kind) {
      case "axes": return axes(part, this);
      case "row": return row(part, this);
      case "column": return column(part, this);
      case "readout": return readout(part, this);
      case "meter": return meter(part, this);
      case "formula": return formula(part, this);
      case "button": return button(part, this);
      case "toggles": return toggles(part, this);
      case "control": return control(part, this);
      case "training": return this.training();
      case "images": return images(part, this);
      case "network": return network(part, this);
      case "dag": return dag(part, this);
      case "sequence": return sequence(part, this);
      case "predict": return predict(part, this);
      case "quiz": return quiz(part, this);
      default:
        part satisfies never;
        throw new Error(`This page cannot draw "${kind}": the figure may come from a newer nnlib.`);
    }
  }

  private training(): View {
    this.trainingPlaced = true;
    return this.trainer ? trainingControls(this.trainer) : { root: element("div"), update: () => undefined };
  }
}

/** A view that is visible only while `shown()` is true. */
function hiding(view: View, shown: () => boolean): View {
  let wasShown = true;
  return {
    root: view.root,
    update() {
      const isShown = shown();
      view.root.hidden = !isShown;
      if (isShown && !wasShown) view.measure?.();
      wasShown = isShown;
      if (isShown) view.update();
    },
    measure: () => view.measure?.() ?? false,
  };
}
