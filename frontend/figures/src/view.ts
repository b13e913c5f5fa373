// A view is an element and how it follows the scene; views nest.

import type { ViewSpec } from "./grammar.js";
import type { Scene } from "./scene.js";

export interface View {
  readonly root: HTMLElement;
  /** Shows what the scene holds now, in the room that was measured last. */
  update(): void;
  /** Reads what room there is and writes nothing; says whether it is other than before, so that an update is due. */
  measure?(): boolean;
}

/** Measures all of them, since each has its own room to note. */
export const measureAll = (views: readonly View[]): boolean => views.filter((view) => view.measure?.()).length > 0;

export interface Context {
  readonly scene: Scene;
  /** Builds a part's view, wrapped so that `when` hides it. */
  build(part: ViewSpec): View;
  /** The control of an input whose place the view chooses itself. */
  control(name: string): View | undefined;
}

export type Builder<Spec extends ViewSpec> = (spec: Spec, context: Context) => View;
