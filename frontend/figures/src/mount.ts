// The static page: reads the widget state that myst-nb embeds, and mounts figures and boxes of figures.

import { element } from "./dom.js";
import { showError, renderFigure } from "./figure.js";
import type { Model } from "./model.js";

const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
const PREFIX = "IPY_MODEL_";

export type State = Readonly<Record<string, unknown>>;
interface Entry { readonly model_name?: string; readonly state?: State }

const isRecord = (x: unknown): x is Record<string, unknown> => typeof x === "object" && x !== null;

/** Implements anywidget's front-end interface without a kernel. */
export class StaticModel implements Model {
  private readonly listeners = new Map<string, Set<() => void>>();
  private readonly state: Record<string, unknown>;

  constructor(state: State) {
    this.state = { ...state };
  }
  get(name: string): unknown {
    return this.state[name];
  }
  set(name: string, value: unknown): void {
    const previous = this.state[name];
    this.state[name] = value;
    if (previous !== value) for (const listener of [...(this.listeners.get(`change:${name}`) ?? [])]) listener();
  }
  on(event: string, listener: () => void): void {
    if (!this.listeners.has(event)) this.listeners.set(event, new Set());
    this.listeners.get(event)!.add(listener);
  }
  off(event: string, listener: () => void): void {
    this.listeners.get(event)?.delete(listener);
  }
  save_changes(): void {
    // there is no kernel to save to
  }
}

/** An entry in which indices into the page's shared constants are replaced by the constants. */
function withShared(entry: Entry, shared: readonly unknown[]): Entry {
  const withConstants = (owner: unknown): unknown => {
    if (!isRecord(owner)) return owner;
    const pool = Array.isArray(owner["pool"]) ? { pool: owner["pool"].map((x) => (typeof x === "number" ? shared[x] : x)) } : {};
    const training = isRecord(owner["training"]) ? { training: withConstants(owner["training"]) } : {};
    return { ...owner, ...pool, ...training };
  };
  if (!shared.length || !entry.state) return entry;
  return { ...entry, state: { ...entry.state, spec: withConstants(entry.state["spec"]) } };
}

function readStates(root: ParentNode): Map<string, Entry> {
  const states = new Map<string, Entry>();
  for (const script of root.querySelectorAll(STATE)) {
    try {
      const parsed: unknown = JSON.parse(script.textContent ?? "");
      const state = isRecord(parsed) && isRecord(parsed["state"]) ? parsed["state"] : parsed;
      if (!isRecord(state)) continue;
      const shared = isRecord(parsed) && Array.isArray(parsed["shared"]) ? parsed["shared"] : [];
      for (const [id, entry] of Object.entries(state)) if (isRecord(entry)) states.set(id, withShared(entry, shared));
    } catch {
      // the script of another widget, or damaged: mountAll shows a message in place of its figures
    }
  }
  return states;
}

const isFigure = (entry: Entry): boolean => isRecord(entry.state) && isRecord(entry.state["spec"]) && "values" in entry.state;
const children = (entry: Entry): string[] => {
  const list = entry.state?.["children"];
  return Array.isArray(list) ? list.filter((c): c is string => typeof c === "string").map((c) => c.replace(PREFIX, "")) : [];
};

export function mountAll(root: ParentNode): void {
  const states = readStates(root);
  const models = new Map<string, StaticModel>();
  const modelOf = (id: string): StaticModel => {
    let model = models.get(id);
    if (!model) models.set(id, (model = new StaticModel(states.get(id)?.state ?? {})));
    return model;
  };
  /** Whether a widget consists of figures and boxes only; the widget manager shows all others. */
  const hasOnlyFigures = (id: string): boolean => {
    const entry = states.get(id);
    if (!entry) return false;
    if (isFigure(entry)) return true;
    return /^(H|V|Grid)?BoxModel$/.test(entry.model_name ?? "") && children(entry).length > 0 && children(entry).every(hasOnlyFigures);
  };
  const show = (id: string, host: HTMLElement): void => {
    const entry = states.get(id)!;
    if (isFigure(entry)) {
      renderFigure(modelOf(id), host);
      return;
    }
    const box = element("div", { class: entry.model_name === "HBoxModel" ? "nn-row nn-box" : "nn-column nn-box" });
    host.append(box);
    for (const child of children(entry)) {
      const slot = element("div");
      box.append(slot);
      show(child, slot);
    }
  };
  for (const fallback of root.querySelectorAll<HTMLElement>("[data-nn-model]")) {
    const id = fallback.dataset["nnModel"] ?? "";
    const host = element("div", { class: "nn-mounted" });
    if (!states.has(id)) {
      showError(host, "Its state is not in this page.");
      fallback.after(host);
      fallback.removeAttribute("data-nn-model");
      continue;
    }
    fallback.replaceWith(host);
    show(id, host);
  }
  for (const script of root.querySelectorAll(VIEW)) {
    try {
      const view: unknown = JSON.parse(script.textContent ?? "");
      const id = isRecord(view) && typeof view["model_id"] === "string" ? view["model_id"] : "";
      if (!hasOnlyFigures(id)) continue;
      const host = element("div", { class: "nn-mounted" });
      script.replaceWith(host);
      show(id, host);
    } catch {
      // not a view
    }
  }
}
