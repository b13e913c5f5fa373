// What every page needs that neither the theme nor the figures give it.

// Formulas that are wider than the page scroll; this lets the keyboard scroll them too.
(() => {
  const update = () => {
    for (const formula of document.querySelectorAll("div.math mjx-container")) {
      if (formula.scrollWidth > formula.clientWidth + 1) {
        formula.setAttribute("tabindex", "0");
        formula.setAttribute("role", "group");
        formula.setAttribute("aria-label", "formula, scrolls sideways");
      } else {
        for (const name of ["tabindex", "role", "aria-label"]) formula.removeAttribute(name);
      }
    }
  };
  addEventListener("load", () => {
    const typeset = window.MathJax?.startup?.promise;
    if (!typeset) return;
    typeset.then(update);
    addEventListener("resize", update);
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
  matchMedia("print").addEventListener("change", (event) => turn(event.matches));
  addEventListener("beforeprint", () => turn(true));
  addEventListener("afterprint", () => turn(false));
})();
