// The service worker: caches Python permanently (its folders are named by their content), and pages for use offline.
// If Python is on another host, the worker's own address names that host (`sw.js?host=…&lock=…`).

interface Extendable extends Event { waitUntil(promise: Promise<unknown>): void }
interface Fetching extends Extendable { readonly request: Request; respondWith(response: Promise<Response>): void }
interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetching) => void): void;
  addEventListener(type: "message", listener: (event: MessageEvent & Extendable) => void): void;
}

const scope = self as unknown as Scope;
const PYTHON = "nnlib-python", PAGES = "nnlib-pages";
const root = new URL(scope.registration.scope).pathname;
const host = new URL(location.href).searchParams.get("host") ?? "";

scope.addEventListener("install", (event) => event.waitUntil(scope.skipWaiting()));
scope.addEventListener("activate", (event) => event.waitUntil(deleteOtherHosts().then(() => scope.clients.claim())));

/** Another host's addresses do not depend on the content, so a worker for another lock deletes the old files. */
async function deleteOtherHosts(): Promise<void> {
  const cache = await caches.open(PYTHON);
  for (const request of await cache.keys()) if (!request.url.startsWith(`${location.origin}/`)) await cache.delete(request);
}

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET") return;
  if (host && request.url.startsWith(host)) {
    if (request.mode === "cors") event.respondWith(cacheFirst(request));
    return;
  }
  if (url.origin !== location.origin || !url.pathname.startsWith(root)) return;
  const path = url.pathname.slice(root.length);
  if (path.startsWith("lite/")) return; // JupyterLite has a service worker of its own
  event.respondWith(path.startsWith("python/") ? cacheFirst(request) : networkFirst(request));
});

/** The response to a request for a file that never changes at its address: from the cache, after the first time. */
async function cacheFirst(request: Request): Promise<Response> {
  const cache = await caches.open(PYTHON);
  const cached = await cache.match(request.url, { ignoreVary: true });
  if (cached) return cached;
  const response = await fetch(request);
  if (response.ok && response.status === 200) await cache.put(request.url, response.clone()).catch(() => undefined);
  return response;
}

/** The response to a request for a page or what it loads: the newest version, or, without a network, the last one loaded. */
async function networkFirst(request: Request): Promise<Response> {
  const cache = await caches.open(PAGES);
  try {
    // revalidated, because the browser's own cache may have an older edition
    const response = await fetch(request, { cache: "no-cache" });
    if (response.ok && response.status === 200) await cache.put(request, response.clone()).catch(() => undefined);
    return response;
  } catch (error) {
    const cached = await cache.match(request, { ignoreSearch: request.mode === "navigate" });
    if (cached) return cached;
    throw error;
  }
}

/** The page sends the folders in use (others belong to an older book) and the addresses of what it has loaded. */
scope.addEventListener("message", (event) => {
  const message = event.data as { type?: string; folders?: readonly string[]; pages?: readonly string[] } | null;
  const folders = message?.folders, pages = message?.pages ?? [];
  if (message?.type !== "cache" || !Array.isArray(folders)) return;
  event.waitUntil((async () => {
    // the page was loaded before this worker started
    const stored = await caches.open(PAGES);
    for (const address of pages) {
      const url = new URL(address, location.href);
      if (url.origin !== location.origin || !url.pathname.startsWith(root) || url.pathname.startsWith(`${root}python/`)) continue;
      if (await stored.match(address)) continue;
      // the browser's own cache still has it, so nothing is transferred twice
      const response = await fetch(address, { cache: "force-cache" }).catch(() => null);
      if (response?.ok) await stored.put(address, response).catch(() => undefined);
    }
    const cache = await caches.open(PYTHON);
    for (const request of await cache.keys()) {
      if (host && request.url.startsWith(host)) continue;
      const path = new URL(request.url).pathname.slice(root.length);
      if (!folders.some((folder: string) => path.startsWith(folder))) await cache.delete(request);
    }
  })());
});
