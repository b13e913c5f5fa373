// "Present this page": shows one section or figure at a time in large type, for a projector; figures stay live.
(() => {
  const root = document.documentElement;
  const ALONE = ".nn-figure, .nn-mounted, .nn-fallback"; // a figure has a slide to itself
  const LEFT_OUT = ".nn-printing, .nn-export, .nn-run-host, .nn-present, script, style, .toctree-wrapper, .cell:not(:has(*))";
  // elements that use the keys themselves, so a key pressed there does nothing else (but PageUp, PageDown and Escape, as on a remote control)
  const KEY_TARGETS = "input, select, textarea, button, summary, a, [contenteditable], [role=slider], [role=button], [role=application], .cm-editor";
  const ABOVE_AND_BELOW = 110, BELOW = 60; // pixels that a slide leaves free
  let slides = [];
  let slideIndex = 0; // the index of the slide that is shown
  let zoom = 1.45;
  let bar = null;

  const article = () => document.querySelector("article.bd-article");
  /** The page's blocks in order: the contents of sections, not the sections themselves. */
  const blocks = (from = article()) =>
    [...from.children].flatMap((node) => {
      if (node.matches(LEFT_OUT)) return [];
      return node.tagName === "SECTION" ? blocks(node) : [node];
    });
  const heading = (node) => /^H[1-4]$/.test(node.tagName);
  const figure = (node) => node.matches(ALONE) || node.querySelector(ALONE) !== null;

  /** Divides blocks into slides: a heading begins a slide, a figure has its own, text is added while there is space. */
  const divide = (nodes) => {
    const height = innerHeight - ABOVE_AND_BELOW;
    for (const node of nodes) {
      node.removeAttribute("data-nn-off");
      node.style.zoom = "";
    }
    const divided = [];
    let top = 0;
    let title = null;
    for (const node of nodes) {
      const box = node.getBoundingClientRect();
      if (heading(node)) title = node;
      if (box.height === 0) continue;
      const current = divided[divided.length - 1];
      const onlyHeadings = current?.nodes.every(heading); // a figure may follow its heading
      const startsSlide = !current || (heading(node) && !onlyHeadings) || (figure(node) && !onlyHeadings) || current.figure || box.bottom - top > height;
      if (startsSlide && !(onlyHeadings && !heading(node))) {
        divided.push({ nodes: [node], figure: figure(node), title });
        top = box.top;
      } else {
        current.nodes.push(node);
        current.figure ||= figure(node);
      }
    }
    return divided;
  };

  const lowest = () => innerHeight - BELOW;
  const bottom = (nodes) => Math.max(0, ...nodes.map((node) => node.getBoundingClientRect().bottom)) + scrollY;
  const reveal = (nodes) => {
    const shown = new Set(nodes);
    for (const node of blocks()) node.toggleAttribute("data-nn-off", !shown.has(node));
  };
  /** If text no longer fits (a formula may have been typeset since), its end gets a slide of its own. */
  const moveOverflow = (slide) => {
    const rest = [];
    while (slide.nodes.length > 1 && !heading(slide.nodes[slide.nodes.length - 2]) && bottom(slide.nodes) > lowest()) {
      const last = slide.nodes.pop();
      last.setAttribute("data-nn-off", "");
      rest.unshift(last);
    }
    if (rest.length) slides.splice(slideIndex + 1, 0, { nodes: rest, figure: false, title: slide.title });
  };
  /** Enlarges or shrinks a figure, in a few steps, until it fills its slide. */
  const fit = (slide, tries = 5) => {
    const node = slide.nodes.find(figure);
    if (!node || !bar || slides[slideIndex] !== slide) return;
    const box = node.getBoundingClientRect();
    const current = Number(node.style.zoom || 1);
    const better = Math.min(2.2, Math.max(0.5, (current * (lowest() - box.top - scrollY)) / box.height));
    if (tries === 0 || Math.abs(better / current - 1) < 0.03) return;
    node.style.zoom = String(tries === 1 ? Math.min(current, better) : better);
    requestAnimationFrame(() => requestAnimationFrame(() => fit(slide, tries - 1)));
  };

  const show = (index) => {
    slideIndex = Math.min(slides.length - 1, Math.max(0, index));
    const slide = slides[slideIndex];
    reveal(slide?.nodes);
    if (slide?.figure) fit(slide);
    else if (slide) moveOverflow(slide);
    const active = document.activeElement;
    if (active && article().contains(active)) active.blur();
    scrollTo(0, 0);
    bar.querySelector(".nn-present-count").textContent = `${slideIndex + 1} of ${slides.length}`;
    bar.querySelector(".nn-present-title").textContent = slides[slideIndex]?.title?.textContent.replace(/#$/, "").trim() ?? "";
  };
  /** Makes the slides again and shows the one that begins where the current one does. */
  const layOut = () => {
    const firstNode = slides[slideIndex]?.nodes[0];
    root.style.setProperty("--nn-present-size", `${100 * zoom}%`);
    slides = divide(blocks());
    show(Math.max(0, slides.findIndex((slide) => slide.nodes.includes(firstNode))));
  };
  const size = (factor) => {
    zoom = Math.min(2.6, Math.max(0.9, zoom * factor));
    layOut();
  };

  const button = (label, hint, onClick) => {
    const element = document.createElement("button");
    element.type = "button";
    element.textContent = label;
    element.title = hint;
    element.addEventListener("click", onClick);
    return element;
  };
  const makeBar = () => {
    const element = document.createElement("div");
    element.className = "nn-present";
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", "presentation");
    const title = document.createElement("span");
    title.className = "nn-present-title";
    const count = document.createElement("span");
    count.className = "nn-present-count";
    count.setAttribute("role", "status");
    element.append(
      button("◀ Back", "left arrow", () => show(slideIndex - 1)), button("Next ▶", "right arrow", () => show(slideIndex + 1)), count, title,
      button("A−", "minus", () => size(1 / 1.12)), button("A+", "plus", () => size(1.12)),
      button("Full screen", "f", toggleFullScreen), button("End", "Escape", end),
    );
    return element;
  };
  const toggleFullScreen = () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else root.requestFullscreen?.().catch(() => undefined);
  };

  const start = () => {
    if (bar || !article()) return;
    root.classList.add("nn-presenting");
    bar = makeBar();
    document.body.append(bar);
    slides = [];
    slideIndex = 0;
    layOut();
  };
  const end = () => {
    if (!bar) return;
    const firstNode = slides[slideIndex]?.nodes[0];
    bar.remove();
    bar = null;
    root.classList.remove("nn-presenting", "nn-dark-screen");
    for (const node of blocks()) {
      node.removeAttribute("data-nn-off");
      node.style.zoom = "";
    }
    if (document.fullscreenElement) document.exitFullscreen();
    firstNode?.scrollIntoView({ block: "start" });
  };

  const KEYS = {
    ArrowRight: () => show(slideIndex + 1), ArrowDown: () => show(slideIndex + 1), PageDown: () => show(slideIndex + 1), " ": () => show(slideIndex + 1),
    ArrowLeft: () => show(slideIndex - 1), ArrowUp: () => show(slideIndex - 1), PageUp: () => show(slideIndex - 1),
    Home: () => show(0), End: () => show(slides.length - 1),
    "+": () => size(1.12), "=": () => size(1.12), "-": () => size(1 / 1.12),
    f: toggleFullScreen, b: () => root.classList.toggle("nn-dark-screen"), ".": () => root.classList.toggle("nn-dark-screen"),
    Escape: end,
  };
  addEventListener("keydown", (event) => {
    if (!bar || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key === " " && event.shiftKey ? "ArrowLeft" : event.key;
    const paging = key === "PageDown" || key === "PageUp" || key === "Escape"; // a presenter's remote sends these
    if (!(key in KEYS) || (!paging && event.target instanceof Element && event.target.closest(KEY_TARGETS))) return;
    event.preventDefault();
    event.stopPropagation();
    KEYS[key]();
  }, true); // in the capture phase, before a slider handles a remote's PageDown
  let timer = 0;
  addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (bar) layOut();
    }, 150);
  });
  addEventListener("beforeprint", end);

  addEventListener("DOMContentLoaded", () => {
    const page = article();
    if (!page?.querySelector("h2")) return;
    const holder = document.createElement("div");
    holder.className = "nn-printing nn-presenter";
    holder.append(button("Present this page", "large type, one section or figure at a time", start));
    page.append(holder);
    if (new URLSearchParams(location.search).has("present")) addEventListener("load", () => setTimeout(start, 300));
  });
})();
