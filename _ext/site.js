// What every page needs that neither the theme nor the figures give it.

// What is wider than the page scrolls sideways; this lets the keyboard scroll it too.
(() => {
  const WIDE = { "mjx-container[display='true']": "formula", ".cell_output:has(img.nn-wide)": "drawing" };
  // Each box is watched, not the window: when that changes, the sidebars may still be on their way.
  const watched = new WeakSet();
  const widths = new ResizeObserver(() => update());
  const update = () => {
    for (const [selector, what] of Object.entries(WIDE)) {
      for (const box of document.querySelectorAll(selector)) {
        if (!watched.has(box)) widths.observe(box);
        watched.add(box);
        const folded = box.clientWidth === 0; // not laid out yet: it may be wide once it is unfolded
        if (folded || box.scrollWidth > box.clientWidth) {
          box.setAttribute("tabindex", "0");
          box.setAttribute("role", "group");
          box.setAttribute("aria-label", `${what}, scrolls sideways`);
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

// Paper is white: the page prints in its light theme, figures as they stand, and turns back.
(() => {
  const root = document.documentElement;
  let before = null;
  const redraw = () => {
    for (const figure of document.querySelectorAll(".nn-figure")) globalThis.nnlibLive?.scenes.get(figure)?.flush();
  };
  const turn = (printing) => {
    if (printing === (before !== null)) return;
    const next = printing ? "light" : before;
    before = printing ? root.dataset.theme : null;
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
    const press = (words, all) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = words;
      button.addEventListener("click", () => {
        const before = everything;
        everything = all;
        print();
        everything = before;
      });
      return button;
    };
    const place = document.createElement("div");
    place.className = "nn-printing";
    place.append(press("Print this chapter", false), press("Print it with code, hints and solutions", true));
    article.append(place);
  });
  matchMedia("print").addEventListener("change", (event) => turn(event.matches));
  addEventListener("beforeprint", () => turn(true));
  addEventListener("afterprint", () => turn(false));
})();

// The map of chapters says what was solved in this browser (frontend/python/src/store.ts writes it); where nothing is
// kept, it says nothing.
(() => {
  const kept = () => {
    try {
      const found = JSON.parse(localStorage.getItem("nnlib-progress") ?? "[]");
      return Array.isArray(found) ? found.filter((name) => typeof name === "string") : [];
    } catch {
      return [];
    }
  };
  const mark = () => {
    const solved = kept();
    for (const place of document.querySelectorAll(".nn-solved")) {
      const { chapter, exercises } = place.dataset;
      const count = solved.filter((name) => name.startsWith(`${chapter}/`)).length;
      place.textContent = count ? `${count} of ${exercises} exercises solved` : "";
    }
  };
  addEventListener("DOMContentLoaded", mark);
  addEventListener("pageshow", mark);
})();
