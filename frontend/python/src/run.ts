// The button "Run the code": small, on every page with code; runner.ts and the rest are loaded when it is pressed.

import { absolute, actionButton, element } from "./dom.js";
import { otherWays, kindOfCell } from "./other-ways.js";
import type { PageInfo } from "./protocol.js";
import { Edits } from "./store.js";

/** Why this browser cannot run Python here, or null. */
export function obstacle(): string | null {
  if (location.protocol === "file:") return "Code cannot run in a page that was opened from the disk: browsers start no workers there. “make serve” serves the book on this machine.";
  if (window.origin === "null") return "Code cannot run here: the page is in a frame without an origin of its own, where browsers start no workers.";
  if (typeof WebAssembly !== "object" || typeof Worker !== "function" || !("adoptedStyleSheets" in Document.prototype) || typeof TransformStream !== "function")
    return "This browser is too old to run Python: it lacks WebAssembly or workers.";
  const memory = (navigator as Navigator & { deviceMemory?: number }).deviceMemory;
  if (memory !== undefined && memory < 1) return "This device has too little memory to run Python in a page.";
  return null;
}

/** A link that opens the page in its own tab, if a frame is the obstacle. */
function linkToOwnTab(): HTMLElement[] {
  if (window.origin !== "null" || location.protocol === "file:") return [];
  const address = location.href.replace(/#.*/, "");
  return [element("p", {}, "Open it in its own tab: ", element("a", { href: address, target: "_blank", rel: "noopener" }, address))];
}

const SERVICE_WORKER_TIMEOUT = 2000; // milliseconds for the service worker, which only a first visit needs

/** The service worker's address; if Python comes from another host, the query names that host and the lock. */
function serviceWorkerAddress(info: PageInfo): string {
  const address = new URL(absolute(`${info.root}sw.js`));
  const host = absolute(info.pyodide);
  if (!info.lock || new URL(host).origin === location.origin) return address.href;
  address.search = String(new URLSearchParams({ host, lock: info.lock.split("/").pop() ?? "" }));
  return address.href;
}

/** Starts the service worker; resolves when the worker handles the page's requests and so can cache them. */
async function startServiceWorker(info: PageInfo): Promise<void> {
  if (!("serviceWorker" in navigator) || !isSecureContext) return;
  const address = serviceWorkerAddress(info);
  const controlled = new Promise<void>((done) => {
    const check = (): void => {
      if (navigator.serviceWorker.controller?.scriptURL === address) done();
    };
    navigator.serviceWorker.addEventListener("controllerchange", check);
    check();
  });
  try {
    await navigator.serviceWorker.register(address);
    await controlled;
    const addresses = performance.getEntriesByType("resource").map((entry) => entry.name);
    navigator.serviceWorker.controller?.postMessage({ type: "cache", folders: info.folders, pages: [location.href.replace(/#.*/, ""), ...addresses] });
  } catch {
    // without it everything works, but not offline
  }
}

function begin(): void {
  const data = document.getElementById("nn-run");
  const title = document.querySelector(".bd-article h1");
  if (!data || !title) return;
  const info = JSON.parse(data.textContent ?? "") as PageInfo;
  const host = element("div", { class: "nn-run-host" });
  title.after(host);
  const status = element("div", { class: "nn-run-notice", role: "status" });
  let tries = 0;
  const startButton = actionButton("Run the code", () => {
    const reason = obstacle();
    if (reason) {
      status.replaceChildren(element("p", {}, reason), ...linkToOwnTab(), otherWays(info));
      return;
    }
    startButton.disabled = true;
    status.replaceChildren(element("p", {}, "Loading Python …"));
    // The module's address is only known at run time, so the bundler must not resolve it. Browsers
    // remember that an import failed, so each try has an address of its own.
    const address = absolute(`${info.book}runner.js`) + (tries ? `?try=${tries}` : "");
    const timeout = new Promise((done) => setTimeout(done, SERVICE_WORKER_TIMEOUT));
    Promise.race([startServiceWorker(info), timeout]).then(() => import(address)).then(
      (runner: { start(info: PageInfo, host: HTMLElement): unknown }) => void runner.start(info, host),
      (error: unknown) => {
        tries += 1;
        startButton.disabled = false;
        startButton.textContent = "Try again";
        status.replaceChildren(element("p", {}, `Python could not be loaded: ${String(error)}`), otherWays(info));
      },
    );
  }, { class: "nn-run-button nn-run-start" });
  const row = element("div", { class: "nn-run-buttons" }, startButton);
  if (info.lite && location.protocol !== "file:") row.append(element("a", { class: "nn-run-button", href: info.lite }, "Open in JupyterLite"));
  const bytes = `${Math.round(info.bytes / 1e6)} MB`;
  row.append(element("span", { class: "nn-run-hint" }, `Python runs in this page, on your machine (${bytes} the first time).`));
  host.append(row, status, ...noteOnEdits(info));
}

/** A note, shown before the code runs, that the edits of an earlier visit are kept. */
function noteOnEdits(info: PageInfo): HTMLElement[] {
  const edits = new Edits(info.page);
  const count = info.cells.filter((cell) => edits.get(cell.id) !== undefined).length;
  if (!count) return [];
  const kind = kindOfCell(info);
  const cells = count === 1 ? `one ${kind}` : `${count} ${kind}s`;
  const lite = info.lite ? " JupyterLite opens the chapter without them; “Download notebook”, which appears after “Run the code”, includes them." : "";
  return [element("p", { class: "nn-run-hint nn-run-stored-edits" }, `Your edits to ${cells} are kept in this browser: “Run the code” brings them back, and “Reset page” then removes them.${lite}`)];
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin, { once: true });
else begin();
