// Runs in JupyterLite's pages before its own scripts. It shows the notebook alone on phones, keeps JupyterLite's
// service worker and the book's separate, and has JupyterLite's worker cache what was loaded before it started.
(() => {
  "use strict";
  // On a phone JupyterLab's panels take all the space, so Jupyter Notebook shows the notebook alone.
  const path = new URLSearchParams(location.search).get("path");
  if (innerWidth < 700 && path?.endsWith(".ipynb") && /\/lab\/(index\.html)?$/.test(location.pathname)) {
    location.replace(`../notebooks/index.html?path=${encodeURIComponent(path)}`);
  }

  const workers = navigator.serviceWorker;
  if (!workers) return;
  const root = new URL("./", document.currentScript.src).href; // …/lite/
  const proto = Object.getPrototypeOf(workers);

  // After an update JupyterLite would unregister every service worker of the host: the book's, and its
  // own, which cannot be loaded again without a network. Browsers update both by themselves.
  workers.getRegistrations = async () => [];

  // JupyterLite would take the book's worker, which also controls lite/, for its own and would not start its own.
  const current = Object.getOwnPropertyDescriptor(proto, "controller").get;
  const controller = () => {
    const worker = current.call(workers);
    return worker?.scriptURL.startsWith(root) ? worker : null;
  };
  Object.defineProperty(workers, "controller", { get: controller });

  // JupyterLite's worker also caches what was loaded before it started, for use without a network.
  performance.setResourceTimingBufferSize(2000);
  const cacheLoaded = () => {
    const worker = workers.controller;
    if (!worker) return;
    const addresses = performance.getEntriesByType("resource").map((entry) => entry.name);
    worker.postMessage({ type: "cache", addresses: [location.href, ...addresses] });
  };
  workers.addEventListener("controllerchange", () => {
    cacheLoaded();
    setTimeout(cacheLoaded, 10_000); // again, for what was still loading
  });
})();
