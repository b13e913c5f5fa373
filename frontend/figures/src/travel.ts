// Figures as modules for other hosts: anywidget's contract, kept with hosts that keep it only half.

import { renderFigure } from "./figure.js";
import type { Model } from "./model.js";
import { type State, StaticModel } from "./mount.js";
import { adoptStyles } from "./sheet.js";

/** What a host hands to anywidget's `render`; plain pages have no model. */
interface Host { readonly el: HTMLElement; readonly model?: Partial<Model> }

/** A host's method, where it has one that works: MyST's theme throws in `off` and `save_changes`. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

/** Ties the figure's inputs to names of the host's model: `{"w": 3}` sets w, and moves follow. */
function tie(own: StaticModel, host: Partial<Model>, names: readonly string[]): () => void {
  const values = (): State => (own.get("values") ?? {}) as State;
  let quiet = false;
  const adopt = (name: string): void => {
    const given = attempt(() => host.get?.(name));
    if (quiet || given === undefined || given === null) return;
    own.set("values", { ...values(), [name]: given });
  };
  const whole = attempt(() => host.get?.("values"));
  if (typeof whole === "object" && whole !== null) own.set("values", { ...values(), ...whole });
  const ears = names.map((name) => {
    adopt(name);
    const listener = (): void => adopt(name);
    attempt(() => host.on?.(`change:${name}`, listener));
    return { name, listener };
  });
  const tell = (): void => {
    quiet = true;
    for (const name of names) {
      const now = values()[name];
      if (attempt(() => host.get?.(name)) !== now) attempt(() => host.set?.(name, now));
    }
    quiet = false;
    attempt(() => host.save_changes?.());
  };
  own.on("change:values", tell);
  return () => {
    own.off("change:values", tell);
    for (const { name, listener } of ears) attempt(() => host.off?.(`change:${name}`, listener));
  };
}

/** A module's default export: a figure whose state is `state`, by anywidget's contract or without a model. */
export function saved(state: State): { render: (host: Host) => () => void } {
  return {
    render({ el, model }) {
      const own = new StaticModel(state);
      const names = Object.keys((state["spec"] as { inputs?: object } | undefined)?.inputs ?? {});
      const untie = model ? tie(own, model, names) : () => undefined;
      const root = el.getRootNode();
      adoptStyles(root instanceof ShadowRoot ? root : document);
      const end = renderFigure(own, el);
      return () => {
        untie();
        end();
      };
    },
  };
}
