// The interface of views: an element, and how it is updated from the scene. Views can contain views.

import type { ViewSpec } from "./grammar.js";
import type { Scene } from "./scene.js";

export interface View {
  readonly root: HTMLElement;
  /** Shows the scene's current values, laid out for the space last measured. */
  update(): void;
  /** Reads the available space and changes nothing in the page; returns whether it has changed, so that an update is needed. */
  measure?(): boolean;
}

/** Measures all views, each of which stores its own space; returns whether any has changed. */
export const measureAll = (views: readonly View[]): boolean => views.filter((view) => view.measure?.()).length > 0;

export interface Context {
  readonly scene: Scene;
  /** Builds a part's view, wrapped so that `when` hides it. */
  build(part: ViewSpec): View;
  /** The control of an input that the view places itself. */
  control(name: string): View | undefined;
}

export type Builder<Spec extends ViewSpec> = (spec: Spec, context: Context) => View;
