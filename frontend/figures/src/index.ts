// The module of every figure: anywidget's render, and mountAll for pages without a kernel.

import { problem, renderFigure, scenes } from "./figure.js";
import { watchStrayLinks } from "./link.js";
import type { Model } from "./model.js";
import { mountAll } from "./mount.js";
import { adoptStyles } from "./sheet.js";

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const root = el.getRootNode();
  adoptStyles(root instanceof ShadowRoot ? root : document);
  return renderFigure(model, el);
}

function start(): void {
  if (!document.querySelector('script[type="application/vnd.jupyter.widget-state+json"]')) return;
  // a second sheet of the same rules would have the browser work out the whole page's styles anew
  if (![...document.styleSheets].some((sheet) => /\/live\.css(\?|$)/.test(sheet.href ?? ""))) adoptStyles(document);
  mountAll(document);
  watchStrayLinks(document);
}

// a static page mounts itself; in a notebook there is nothing to mount, in a site's generator no page
if (typeof document === "undefined") {
  // whoever renders shows the figure later, in a browser
} else if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start, { once: true });
else start();

export * from "./evaluator/index.js";
export { RecordedTrainer } from "./training.js";
export { saved } from "./travel.js";
export { mountAll, problem, scenes };
export default { render };
