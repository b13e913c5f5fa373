// The figures' styles in a page or a shadow root.

import css from "./live.css";

/** Adds the styles once, as a constructed sheet, which a strict Content-Security-Policy allows. */
export function adoptStyles(root: Document | ShadowRoot): void {
  const flag = "nnLive";
  const holder = root as (Document | ShadowRoot) & { [flag]?: boolean };
  if (holder[flag]) return;
  holder[flag] = true;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
}
