// In JupyterLite's pages, before its own scripts: the two service workers of this site stay apart.
(() => {
  "use strict";
  // On a phone JupyterLab's panels leave a notebook no room: Jupyter Notebook shows it alone.
  const path = new URLSearchParams(location.search).get("path");
  if (innerWidth < 700 && path?.endsWith(".ipynb") && /\/lab\/(index\.html)?$/.test(location.pathname)) {
    location.replace(`../notebooks/index.html?path=${encodeURIComponent(path)}`);
  }

  const workers = navigator.serviceWorker;
  if (!workers) return;
  const root = new URL("./", document.currentScript.src).href; // …/lite/
  const proto = Object.getPrototypeOf(workers);

  // After an update JupyterLite would take down every service worker of the host: the book's, and its
  // own, which cannot be had again without a network. Browsers renew both by themselves.
  workers.getRegistrations = async () => [];

  // It takes the book's, which stands above lite/ as well, for its own, and then starts none.
  const current = Object.getOwnPropertyDescriptor(proto, "controller").get;
  const controller = () => {
    const worker = current.call(workers);
    return worker?.scriptURL.startsWith(root) ? worker : null;
  };
  Object.defineProperty(workers, "controller", { get: controller });

  // What was loaded before JupyterLite's worker was there is kept by it, for later without a network.
  performance.setResourceTimingBufferSize(2000);
  const keep = () => {
    const worker = workers.controller;
    if (!worker) return;
    const parts = performance.getEntriesByType("resource").map((entry) => entry.name);
    worker.postMessage({ type: "keep", addresses: [location.href, ...parts] });
  };
  workers.addEventListener("controllerchange", () => {
    keep();
    setTimeout(keep, 10_000); // what was on its way meanwhile
  });
})();
