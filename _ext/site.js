// Behaviour that every page needs and that neither the theme nor the figures provide.

// Boxes wider than the page scroll sideways; this makes them scrollable by the keyboard too.
(() => {
  const WIDE = { "mjx-container[display='true']": "formula", ".cell_output:has(img.nn-wide)": "drawing" };
  // Each box is observed, not the window: when the window changes its size, the sidebars may still be moving.
  const watched = new WeakSet();
  const widths = new ResizeObserver(() => update());
  const update = () => {
    for (const [selector, label] of Object.entries(WIDE)) {
      for (const box of document.querySelectorAll(selector)) {
        if (!watched.has(box)) widths.observe(box);
        watched.add(box);
        const folded = box.clientWidth === 0; // not laid out yet: it may be wide once it is unfolded
        if (folded || box.scrollWidth > box.clientWidth) {
          box.setAttribute("tabindex", "0");
          box.setAttribute("role", "group");
          box.setAttribute("aria-label", `${label}, scrolls sideways`);
        } else {
          for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
        }
      }
    }
  };
  addEventListener("load", () => {
    update();
    window.MathJax?.startup?.promise?.then(() => requestAnimationFrame(update));
    document.fonts?.ready.then(update);
    document.addEventListener("toggle", update, true);
  });
})();

// Paper is white, so a page is printed in its light theme, with figures in their current state; then its theme is restored.
(() => {
  const root = document.documentElement;
  let screenTheme = null; // the page's theme while it is printed, null otherwise
  const redraw = () => {
    for (const figure of document.querySelectorAll(".nn-figure")) globalThis.nnlibLive?.scenes.get(figure)?.flush();
  };
  const setPrinting = (printing) => {
    if (printing === (screenTheme !== null)) return;
    const next = printing ? "light" : screenTheme;
    screenTheme = printing ? root.dataset.theme : null;
    if (root.dataset.theme === next) return;
    root.dataset.theme = next;
    redraw();
  };
  // ?print=all, or the second button: code, hints and solutions are printed too.
  let opened = [];
  let everything = false;
  const unfold = (printing) => {
    if (printing && everything && !opened.length) {
      opened = [...document.querySelectorAll(".bd-article details:not([open])")];
      for (const folded of opened) folded.open = true;
    } else if (!printing) {
      for (const folded of opened) folded.open = false;
      opened = [];
    }
  };
  matchMedia("print").addEventListener("change", (event) => unfold(event.matches));
  addEventListener("beforeprint", () => unfold(true));
  addEventListener("afterprint", () => unfold(false));
  addEventListener("DOMContentLoaded", () => {
    if (new URLSearchParams(location.search).get("print") === "all") {
      for (const folded of document.querySelectorAll(".bd-article details")) folded.open = true;
    }
    const article = document.querySelector("article.bd-article");
    if (!article?.querySelector("details.nn-solution")) return;
    const printButton = (label, all) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.addEventListener("click", () => {
        const previous = everything;
        everything = all;
        print();
        everything = previous;
      });
      return button;
    };
    const element = document.createElement("div");
    element.className = "nn-printing";
    element.append(printButton("Print this chapter", false), printButton("Print it with code, hints and solutions", true));
    article.append(element);
  });
  matchMedia("print").addEventListener("change", (event) => setPrinting(event.matches));
  addEventListener("beforeprint", () => setPrinting(true));
  addEventListener("afterprint", () => setPrinting(false));
})();

// The map of chapters shows how many exercises were solved in this browser (frontend/python/src/store.ts stores them);
// if none was, it shows nothing.
(() => {
  const solvedNames = () => {
    try {
      const stored = JSON.parse(localStorage.getItem("nnlib-progress") ?? "[]");
      return Array.isArray(stored) ? stored.filter((name) => typeof name === "string") : [];
    } catch {
      return [];
    }
  };
  const mark = () => {
    const solved = solvedNames();
    for (const element of document.querySelectorAll(".nn-solved")) {
      const { chapter, exercises } = element.dataset;
      const count = solved.filter((name) => name.startsWith(`${chapter}/`)).length;
      element.textContent = count ? `${count} of ${exercises} exercises solved` : "";
    }
  };
  addEventListener("DOMContentLoaded", mark);
  addEventListener("pageshow", mark);
})();
