// "Save figure": the figure in its current state as one self-contained page.

import css from "./live.css";
import type { Scene } from "./scene.js";

/** The whole bundle as one function (build.mjs), whose source is copied into the saved page. */
declare const nnlibLive: () => unknown;

const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");
/** JSON for a script element; `<` is escaped, so that the text cannot end the script. */
const data = (value: unknown): string => JSON.stringify(value).replace(/</g, "\\u003c");

/** The text of an HTML file with the figure in its current state and everything that it needs. */
export function figurePage(scene: Scene): string {
  const { spec } = scene;
  const values = Object.fromEntries([...scene.inputs].map(([name, input]) => [name, input.jsonValue()]));
  const id = `nnlib-live-${spec.name}`;
  const state = { version_major: 2, version_minor: 0, state: { [id]: { model_name: "AnyModel", state: { spec, values } } } };
  const title = escaped(spec.title ?? spec.name);
  const from = location.protocol.startsWith("http")
    ? `<p class="nn-from">From <a href="${escaped(location.href.split("#")[0]!)}">${escaped(document.title)}</a>.</p>` : "";
  // "</script" inside the script would end it
  const script = String(nnlibLive).replace(/<\/script/g, "<\\/script");
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">`
    + `<meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><style>${css}</style></head>`
    + `<body class="nn-page"><main><div data-nn-model="${escaped(id)}"></div>${from}</main>`
    + `<script type="application/vnd.jupyter.widget-state+json">${data(state)}</script>`
    + `<script>"use strict";(${script})();</script></body></html>\n`;
}
