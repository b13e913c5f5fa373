// The module of every figure: anywidget's render, and mountAll for pages without a kernel.

import { problem, renderFigure, scenes } from "./figure.js";
import type { Model } from "./figure.js";
import css from "./live.css";
import { mountAll } from "./mount.js";

/** Styles come as a constructed sheet, which a strict Content-Security-Policy allows. */
function adoptStyles(root: Document | ShadowRoot): void {
  const mark = "nnLive";
  const holder = root as (Document | ShadowRoot) & { [mark]?: boolean };
  if (holder[mark]) return;
  holder[mark] = true;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
}

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const root = el.getRootNode();
  adoptStyles(root instanceof ShadowRoot ? root : document);
  return renderFigure(model, el);
}

function start(): void {
  if (!document.querySelector('script[type="application/vnd.jupyter.widget-state+json"]')) return;
  adoptStyles(document);
  mountAll(document);
}

// a static page mounts itself; in a notebook there is nothing to mount
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start, { once: true });
else start();

export * from "./evaluator/index.js";
export { RecordedTrainer } from "./training.js";
export { mountAll, problem, scenes };
export default { render };
