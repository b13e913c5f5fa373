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
