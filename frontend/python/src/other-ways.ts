// The other ways to run a page's code, shown if it cannot run in this browser.

import { element } from "./dom.js";
import type { PageInfo } from "./protocol.js";

/** The word that the page uses for a piece of its code. */
export const kindOfCell = (info: PageInfo): "cell" | "example" => (info.notebook === undefined ? "example" : "cell");

export function otherWays(info: PageInfo): HTMLElement {
  if (info.notebook === undefined) return element("p", { class: "nn-run-hint" }, "Another way: copy an example and run it where Python and nnlib are installed.");
  const list = element("p", { class: "nn-run-hint" }, "Other ways: ");
  list.append(element("a", { href: info.notebook, download: true }, "download the notebook"), " and run it where Python is installed");
  if (info.lite && location.protocol !== "file:") list.append(", or ", element("a", { href: info.lite }, "open it in JupyterLite"));
  list.append(".");
  return list;
}
