// The entry point of the bundle: anywidget's render, and mountAll for pages without a kernel.

import { showError, renderFigure, scenes } from "./figure.js";
import { watchUnknownLinks } from "./link.js";
import type { Model } from "./model.js";
import { mountAll } from "./mount.js";
import { adoptStyles } from "./styles.js";

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const root = el.getRootNode();
  adoptStyles(root instanceof ShadowRoot ? root : document);
  return renderFigure(model, el);
}

function start(): void {
  if (!document.querySelector('script[type="application/vnd.jupyter.widget-state+json"]')) return;
  // adding the same rules a second time would make the browser recompute the styles of the whole page
  if (![...document.styleSheets].some((sheet) => /\/live\.css(\?|$)/.test(sheet.href ?? ""))) adoptStyles(document);
  mountAll(document);
  watchUnknownLinks(document);
}

// A static page mounts its figures itself: in a notebook, which has no embedded state, anywidget calls render.
if (typeof document === "undefined") {
  // a site generator has loaded the module; a browser will render the figures
} else if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start, { once: true });
else start();

export * from "./evaluator/index.js";
export { RecordedTrainer } from "./recorded-trainer.js";
export { saved } from "./host-module.js";
export { mountAll, showError, scenes };
export default { render };
