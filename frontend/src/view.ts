// A view is an element and how it follows the scene; views nest.

import type { Scene } from "./scene.js";
import type { PartSpec } from "./spec.js";

export interface View {
  readonly root: HTMLElement;
  update(): void;
  /** Redraws in another size or theme. */
  resize?(): void;
}

export interface Context {
  readonly scene: Scene;
  /** Builds a part's view, wrapped so that `when` hides it. */
  build(part: PartSpec): View;
  /** Called for inputs whose control the view places itself. */
  placed(name: string): void;
}

export type Builder = (part: PartSpec, context: Context) => View;
