// A figure in the page: puts together its title, controls, view, caption and tools.

import { readTheme } from "./color.js";
import { element, setText } from "./dom.js";
import type { FigureSpec } from "./grammar.js";
import { restoreFromLink } from "./link.js";
import { type Model, connect, setInputs } from "./model.js";
import { Parts } from "./parts.js";
import { place } from "./placing.js";
import { Scene } from "./scene.js";
import { checkSpec } from "./spec.js";
import { followSurroundings } from "./surroundings.js";
import { toolbar } from "./toolbar.js";
import { FigureTrainer } from "./figure-trainer.js";
import { measureAll, type View } from "./view.js";

/** The scenes of the page's figures by root element, for tests and for the console. */
export const scenes = new WeakMap<Element, Scene>();

/** Shows a message in place of a figure that cannot be drawn. */
export function showError(host: HTMLElement, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  host.append(element("div", { class: "nn-figure nn-broken", role: "alert" },
    element("strong", {}, "This figure cannot be shown."), " ", message));
}

export function renderFigure(model: Model, host: HTMLElement): () => void {
  try {
    const spec = model.get("spec");
    checkSpec(spec);
    return build(spec, model, host);
  } catch (error) {
    host.replaceChildren();
    showError(host, error);
    return () => undefined;
  }
}

/** A figure's root, its content, and the paragraph for error messages. */
interface FigureElements {
  readonly root: HTMLElement;
  readonly content: HTMLElement;
  readonly failure: HTMLElement;
}

function build(spec: FigureSpec, model: Model, host: HTMLElement): () => void {
  const scene = new Scene(spec);
  setInputs(scene, model.get("values"));
  const trainer = spec.training ? new FigureTrainer(scene, spec.training) : undefined;
  const parts = new Parts(scene, trainer);
  const main = parts.build(spec.view);
  const controls = parts.remaining();
  const { root, content, failure } = frame(spec, controls, main);
  const tools = toolbar(scene, content, root, () => trainer?.rewind(spec.training!.seed));
  const hasNoInputs = scene.inputs.size === 0;
  if (!hasNoInputs) root.append(tools.root);
  host.append(root);
  scene.figure = root;

  const views = [...controls, main];
  const update = (): void => {
    readTheme(root);
    for (const view of views) view.update();
    failure.hidden = scene.error === null;
    setText(failure, scene.error ?? "");
  };
  const measure = (): boolean => {
    readTheme(root);
    return measureAll(views);
  };
  const restore = (): boolean => {
    const outcome = restoreFromLink(scene);
    if (outcome === "damaged") tools.showMessage("The link to this figure is damaged; the figure shows its initial values.", 20_000);
    if (outcome === "partly") tools.showMessage("Some values in the link do not fit this figure and are ignored.", 20_000);
    return outcome !== "other";
  };
  scene.onChange(update);
  const restored = restore();
  const disconnect = connect(scene, model);
  scene.begin();
  const addressChanged = (): void => {
    if (!restore()) return;
    scene.flush();
    show(root);
  };
  const stopFollowing = followSurroundings({ host, measure, update, addressChanged });
  const placed = (): void => {
    root.dataset["ready"] = "true";
    if (restored) show(root);
  };
  place({ measure, update, placed });
  scenes.set(root, scene);

  return () => {
    scene.dispose();
    stopFollowing();
    disconnect();
    root.remove();
  };
}

function frame(spec: FigureSpec, controls: readonly View[], main: View): FigureElements {
  const failure = element("p", { class: "nn-failure", role: "alert", hidden: true });
  const content = element("div", { class: "nn-content" });
  if (spec.title) content.append(element("div", { class: "nn-title" }, spec.title));
  if (controls.length) content.append(element("div", { class: "nn-controls" }, ...controls.map((c) => c.root)));
  content.append(failure, main.root);
  const root = element("figure", { class: "nn-figure", "data-name": spec.name, role: "group", "aria-label": spec.title ?? spec.name }, content);
  if (spec.alt) root.append(element("p", { class: "nn-visually-hidden" }, spec.alt));
  if (spec.caption) root.append(element("figcaption", { class: "nn-caption" }, spec.caption));
  keepKeysInside(root);
  return { root, content, failure };
}

function keepKeysInside(root: HTMLElement): void {
  // keeps JupyterLab from taking keys pressed in the figure for its own commands
  root.addEventListener("focusin", (event) => {
    if (event.target instanceof Element) event.target.setAttribute("data-lm-suppress-shortcuts", "true");
  });
  // a slide show around the figure must not turn the page when a key has moved something in the figure
  root.addEventListener("keydown", (event) => {
    if (event.defaultPrevented) event.stopPropagation();
  });
}

/** Opens the <details> elements that hide the figure and scrolls it into view; if it is taller than the window, its top. */
function show(root: HTMLElement): void {
  for (let details = root.closest("details"); details; details = details.parentElement?.closest("details") ?? null) details.open = true;
  const tall = root.offsetHeight > window.innerHeight;
  root.scrollIntoView({ block: tall ? "start" : "center" });
}
