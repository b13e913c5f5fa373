// The button "Run the code": small, on every page with code; the rest is loaded when it is pressed.

import { absolute, action, element } from "./dom.js";
import type { PageInfo } from "./protocol.js";

/** Why this browser cannot run Python here, or null. */
export function obstacle(): string | null {
  if (location.protocol === "file:") return "Code cannot run in a page that was opened from the disk: browsers start no workers there. “make serve” serves the book on this machine.";
  if (typeof WebAssembly !== "object" || typeof Worker !== "function" || !("adoptedStyleSheets" in Document.prototype) || typeof TransformStream !== "function")
    return "This browser is too old to run Python: it lacks WebAssembly or workers.";
  const memory = (navigator as Navigator & { deviceMemory?: number }).deviceMemory;
  if (memory !== undefined && memory < 1) return "This device has too little memory to run Python in a page.";
  return null;
}

function elsewhere(info: PageInfo): HTMLElement {
  const list = element("p", { class: "nn-run-hint" }, "Other ways: ");
  list.append(element("a", { href: info.notebook, download: true }, "download the notebook"), " and run it where Python is installed");
  if (info.lite && location.protocol !== "file:") list.append(", or ", element("a", { href: info.lite }, "open it in JupyterLite"));
  list.append(".");
  return list;
}

const PATIENCE = 2000; // milliseconds for the service worker, which only a first visit needs

/** Starts the service worker; done when what is loaded next goes through it, so that it is kept. */
async function cache(info: PageInfo): Promise<void> {
  if (!("serviceWorker" in navigator) || !isSecureContext) return;
  const controlled = new Promise<void>((done) => {
    if (navigator.serviceWorker.controller) done();
    else navigator.serviceWorker.addEventListener("controllerchange", () => done(), { once: true });
  });
  try {
    await navigator.serviceWorker.register(absolute(`${info.root}sw.js`));
    const { active } = await navigator.serviceWorker.ready;
    const parts = performance.getEntriesByType("resource").map((entry) => entry.name);
    active?.postMessage({ type: "keep", folders: info.keep, pages: [location.href.replace(/#.*/, ""), ...parts] });
    await controlled;
  } catch {
    // without it everything works, only not offline
  }
}

function begin(): void {
  const data = document.getElementById("nn-run");
  const title = document.querySelector(".bd-article h1");
  if (!data || !title) return;
  const info = JSON.parse(data.textContent ?? "") as PageInfo;
  const host = element("div", { class: "nn-run-host" });
  title.after(host);
  const said = element("div", { class: "nn-run-said", role: "status" });
  const press = action("Run the code", () => {
    const reason = obstacle();
    if (reason) {
      said.replaceChildren(element("p", {}, reason), elsewhere(info));
      return;
    }
    press.disabled = true;
    said.replaceChildren(element("p", {}, "Loading Python …"));
    // a module's address is known only here, so the bundler must not follow it
    const address = absolute(`${info.book}runner.js`);
    const patience = new Promise((done) => setTimeout(done, PATIENCE));
    Promise.race([cache(info), patience]).then(() => import(address)).then(
      (runner: { start(info: PageInfo, host: HTMLElement): unknown }) => void runner.start(info, host),
      (error: unknown) => {
        press.disabled = false;
        said.replaceChildren(element("p", {}, `Python could not be loaded: ${String(error)}`), elsewhere(info));
      },
    );
  }, { class: "nn-run-button nn-run-start" });
  const row = element("div", { class: "nn-run-buttons" }, press);
  if (info.lite && location.protocol !== "file:") row.append(element("a", { class: "nn-run-button", href: info.lite }, "Open in JupyterLite"));
  const bytes = `${Math.round(info.bytes / 1e6)} MB`;
  row.append(element("span", { class: "nn-run-hint" }, `Python runs in this page, on your machine (${bytes} the first time).`));
  host.append(row, said);
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin, { once: true });
else begin();
