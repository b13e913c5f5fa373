// Figures as modules for other hosts, with anywidget's interface; a host may implement only a part of it.

import { renderFigure } from "./figure.js";
import type { Model } from "./model.js";
import { type State, StaticModel } from "./mount.js";
import { adoptStyles } from "./styles.js";

/** The argument that a host passes to anywidget's `render`; a host without widgets passes no model. */
interface Host { readonly el: HTMLElement; readonly model?: Partial<Model> }

/** The result of a host's method, or undefined if it throws: MyST's theme throws in `off` and `save_changes`. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

/** Keeps the figure's inputs and the host's model in sync: `{"w": 3}` sets w, and changes of w are sent back. */
function connectHost(figureModel: StaticModel, host: Partial<Model>, names: readonly string[]): () => void {
  const values = (): State => (figureModel.get("values") ?? {}) as State;
  let settingHost = false; // while the host's model is being set, its change events are ignored
  const readFromHost = (name: string): void => {
    const value = attempt(() => host.get?.(name));
    if (settingHost || value === undefined || value === null) return;
    figureModel.set("values", { ...values(), [name]: value });
  };
  const hostValues = attempt(() => host.get?.("values"));
  if (typeof hostValues === "object" && hostValues !== null) figureModel.set("values", { ...values(), ...hostValues });
  const listeners = names.map((name) => {
    readFromHost(name);
    const listener = (): void => readFromHost(name);
    attempt(() => host.on?.(`change:${name}`, listener));
    return { name, listener };
  });
  const updateHost = (): void => {
    settingHost = true;
    for (const name of names) {
      const value = values()[name];
      if (attempt(() => host.get?.(name)) !== value) attempt(() => host.set?.(name, value));
    }
    settingHost = false;
    attempt(() => host.save_changes?.());
  };
  figureModel.on("change:values", updateHost);
  return () => {
    figureModel.off("change:values", updateHost);
    for (const { name, listener } of listeners) attempt(() => host.off?.(`change:${name}`, listener));
  };
}

/** A module's default export: a figure with this state. Its `render` has anywidget's interface, but needs no model. */
export function saved(state: State): { render: (host: Host) => () => void } {
  return {
    render({ el, model }) {
      const figureModel = new StaticModel(state);
      const names = Object.keys((state["spec"] as { inputs?: object } | undefined)?.inputs ?? {});
      const disconnect = model ? connectHost(figureModel, model, names) : () => undefined;
      const root = el.getRootNode();
      adoptStyles(root instanceof ShadowRoot ? root : document);
      const removeFigure = renderFigure(figureModel, el);
      return () => {
        disconnect();
        removeFigure();
      };
    },
  };
}
