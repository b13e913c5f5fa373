// A view is an element and how it follows the scene; views nest.

import type { ViewSpec } from "./grammar.js";
import type { Scene } from "./scene.js";

export interface View {
  readonly root: HTMLElement;
  update(): void;
  /** Redraws in another size or theme. */
  resize?(): void;
}

export interface Context {
  readonly scene: Scene;
  /** Builds a part's view, wrapped so that `when` hides it. */
  build(part: ViewSpec): View;
  /** The control of an input whose place the view chooses itself. */
  control(name: string): View | undefined;
}

export type Builder<Spec extends ViewSpec> = (spec: Spec, context: Context) => View;
