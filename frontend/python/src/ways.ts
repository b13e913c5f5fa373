// The other ways to run a page's code, for where it cannot run here.

import { element } from "./dom.js";
import type { PageInfo } from "./protocol.js";

export function elsewhere(info: PageInfo): HTMLElement {
  const list = element("p", { class: "nn-run-hint" }, "Other ways: ");
  list.append(element("a", { href: info.notebook, download: true }, "download the notebook"), " and run it where Python is installed");
  if (info.lite && location.protocol !== "file:") list.append(", or ", element("a", { href: info.lite }, "open it in JupyterLite"));
  list.append(".");
  return list;
}
