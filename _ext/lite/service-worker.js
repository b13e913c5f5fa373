// JupyterLite's service worker with a cache in front of it: what was loaded once is available without a network.
"use strict";

// In a function of its own, because JupyterLite's worker has names at the top level too.
(() => {
  const root = new URL("./", location.href).pathname; // …/lite/
  const site = new URL("../", location.href).pathname; // the book's, whose python/ is JupyterLite's too
  const PREFIX = `nnlib-lite ${root} `;
  const BUILD_CACHE = PREFIX + "@BUILD@"; // the build writes its hash here, so a new build starts with an empty cache
  const PYTHON = "nnlib-python"; // shared with the book's own service worker
  const DRIVE = /\/api\/(?:drive|stdin|service-worker-heartbeat)/; // requests that JupyterLite's worker answers
  const NAMED_BY_CONTENT = /[.-][0-9a-f]{8,}\.\w+$/;

  self.addEventListener("activate", (event) => event.waitUntil(clean()));

  async function clean() {
    for (const name of await caches.keys()) {
      if (name.startsWith(PREFIX) && name !== BUILD_CACHE) await caches.delete(name);
    }
  }

  self.addEventListener("fetch", (event) => {
    const { request } = event;
    const url = new URL(request.url);
    const inSite = url.origin === location.origin && url.pathname.startsWith(site);
    if (request.method !== "GET" || !inSite || DRIVE.test(url.pathname)) return;
    event.stopImmediatePropagation(); // JupyterLite's listener would send it to the network
    if (url.pathname.startsWith(`${site}python/`)) event.respondWith(cacheFirst(request, PYTHON));
    else event.respondWith(NAMED_BY_CONTENT.test(url.pathname) ? cacheFirst(request, BUILD_CACHE) : networkFirst(request));
  });

  /** The response to a request for a file that never changes at its address: from the cache, after the first time. */
  async function cacheFirst(request, name) {
    const cache = await caches.open(name);
    const cached = await cache.match(request.url);
    if (cached) return cached;
    const response = await fetch(request);
    if (response.ok && response.status === 200) await cache.put(request.url, response.clone()).catch(() => {});
    return response;
  }

  /** The response to any other request: the newest version, or, without a network, the last one that was loaded. */
  async function networkFirst(request) {
    const cache = await caches.open(BUILD_CACHE);
    try {
      const response = await fetch(request, { cache: "no-cache" });
      if (response.ok && response.status === 200) await cache.put(request, response.clone()).catch(() => {});
      return response;
    } catch (error) {
      const cached = await cache.match(request, { ignoreSearch: true });
      if (cached) return cached;
      throw error;
    }
  }

  // adapt-jupyterlite.js sends the addresses that a page loaded before this worker started.
  self.addEventListener("message", (event) => {
    const { type, addresses } = event.data ?? {};
    if (type === "cache" && Array.isArray(addresses)) event.waitUntil(addToCache(addresses));
  });

  async function addToCache(addresses) {
    const cache = await caches.open(BUILD_CACHE);
    for (const address of addresses) {
      const url = new URL(address, location.href);
      if (url.origin !== location.origin || !url.pathname.startsWith(root)) continue;
      if (DRIVE.test(url.pathname) || (await cache.match(address))) continue;
      // the browser's own cache still has it, so nothing is transferred twice
      const response = await fetch(address, { cache: "force-cache" }).catch(() => null);
      if (response?.ok) await cache.put(address, response).catch(() => {});
    }
  }
})();

importScripts("jupyterlite-service-worker.js");
