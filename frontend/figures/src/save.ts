// "Save figure": the figure as it stands, as one page that needs nothing else.

import css from "./live.css";
import type { Scene } from "./scene.js";

/** The bundle, a function that quotes itself (build.mjs): what a saved page runs is this very script. */
declare const nnlibLive: () => unknown;

const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");
/** JSON inside a script: its `<` must not end the script. */
const data = (value: unknown): string => JSON.stringify(value).replace(/</g, "\\u003c");

/** The figure as it stands, with everything that it needs, as one HTML file's text. */
export function figurePage(scene: Scene): string {
  const { spec } = scene;
  const values = Object.fromEntries([...scene.inputs].map(([name, input]) => [name, input.plain()]));
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
