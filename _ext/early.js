// Before the first paint: chooses light or dark, and provides a store for the visit if the browser refuses its own.
(() => {
  class Memory {
    #held = new Map();
    get length() { return this.#held.size; }
    key(at) { return [...this.#held.keys()][at] ?? null; }
    getItem(name) { return this.#held.get(String(name)) ?? null; }
    setItem(name, value) { this.#held.set(String(name), String(value)); }
    removeItem(name) { this.#held.delete(String(name)); }
    clear() { this.#held.clear(); }
  }
  for (const name of ["localStorage", "sessionStorage"]) {
    try {
      window[name].getItem("mode");
    } catch {
      // a private window or a frame without an origin of its own
      Object.defineProperty(window, name, { value: new Memory(), configurable: true });
    }
  }
  const root = document.documentElement;
  const mode = localStorage.getItem("mode") || "auto";
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.mode = mode;
  root.dataset.theme = mode === "auto" ? (dark ? "dark" : "light") : mode;
})();
