// tools/printing/collect.py runs this in a page whose figures are mounted: returns the page's content in its form for paper.
(() => {
  const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  /** Trains to a step with the figure's own buttons: sixteen steps a frame until near it, then one by one. */
  const train = async (figure, scene, step) => {
    const controls = figure.querySelector(".nn-training");
    const [play, once] = controls.querySelectorAll("button");
    const reached = () => scene.extras.get("step").data[0];
    figure.scrollIntoView();
    controls.querySelector("select").value = "fast";
    play.click();
    const deadline = performance.now() + 120_000;
    while (reached() < step - 32 && performance.now() < deadline) await frames();
    if (play.getAttribute("aria-pressed") === "true") play.click();
    while (reached() < step && performance.now() < deadline) once.click();
    if (reached() !== step) throw new Error(`${figure.dataset.name}: ${reached()} of ${step} steps were trained`);
  };
  /** Gives each figure the width of the paper and the state in which it is printed. */
  const layOutForPaper = async (article, states, width) => {
    const figures = [...article.querySelectorAll(".nn-figure")];
    for (const figure of figures) figure.style.width = figure.style.maxWidth = `${width}px`; // laid out for paper
    await frames();
    for (const figure of figures) {
      const scene = globalThis.nnlibLive?.scenes.get(figure);
      const { "@step": step, "@seed": seed, ...inputs } = states[figure.dataset.name] ?? {};
      for (const [input, value] of Object.entries(inputs)) scene?.set(input, value);
      if (seed !== undefined) scene?.chooseSeed?.(seed);
      scene?.flush();
      if (step && scene) await train(figure, scene, step);
    }
  };
  /** On paper nobody can press Commit: what an answer reveals is printed below the question. */
  const answerQuestions = (article) => {
    for (const question of article.querySelectorAll(".nn-predict")) {
      const choice = question.querySelector("input[type=radio]");
      const field = question.querySelector(".nn-ask input[type=number]");
      if (choice) choice.checked = true;
      if (field) field.value = "0";
      question.querySelector(".nn-primary")?.click();
    }
  };
  /** Waits until figures, formulas and fonts are drawn. */
  const allDrawn = async () => {
    await frames();
    await frames();
    await window.MathJax?.startup?.promise;
    await document.fonts.ready;
    await frames();
  };
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  /** Replaces canvases by images. */
  const canvasesToPictures = (article, copy) => {
    const canvases = [...article.querySelectorAll("canvas")];
    [...copy.querySelectorAll("canvas")].forEach((canvas, i) => {
      const original = canvases[i];
      if (!original.width || !original.height || !original.getClientRects().length) return canvas.remove();
      const image = make("img", canvas.className);
      image.src = original.toDataURL();
      image.alt = original.getAttribute("aria-label") ?? "";
      const box = original.getBoundingClientRect();
      image.style.cssText = canvas.style.cssText + `;width:${box.width}px;height:${box.height}px`;
      canvas.replaceWith(image);
    });
  };
  /** Replaces controls by their names and values. */
  const controlsToText = (article, copy) => {
    const shown = new Set([...article.querySelectorAll(".nn-control")].map((c, i) => (c.getClientRects().length ? i : -1)));
    const controls = [...article.querySelectorAll(".nn-control")];
    [...copy.querySelectorAll(".nn-control")].forEach((control, i) => {
      if (!shown.has(i)) return control.remove();
      const original = controls[i];
      const field = original.querySelector("input:not([type=radio]), select");
      const label = (original.querySelector(".nn-name, label, legend")?.textContent ?? "").trim();
      const output = original.querySelector("output")?.textContent?.trim();
      const chosen = original.querySelector("input[type=radio]:checked")?.parentElement?.textContent?.trim();
      let value = output || chosen;
      if (!value && field?.tagName === "SELECT") value = field.selectedOptions[0]?.textContent;
      if (!value && field?.type === "checkbox") value = field.checked ? "yes" : "no";
      value ||= field?.value ?? "";
      if (original.querySelector("canvas")) return; // a pad that is painted on: its picture stays
      if (field?.type === "number" && Number(value) === 0) { // a field of a table to fill
        const blankField = make("span", "nn-as-text", `${label} = `);
        blankField.append(make("span", "nn-blank"));
        return control.replaceWith(blankField);
      }
      // the ends of a logarithmic slider have too many digits to print
      const ends = field?.type === "range" && field.min !== "" && field.min.length + field.max.length < 12;
      const range = ends ? ` (${field.min} to ${field.max})` : "";
      control.replaceWith(make("span", "nn-as-text", `${label} = ${value}${range}`));
    });
  };
  /** Replaces the buttons of a training by its seed and step. */
  const trainingsToText = (article, copy) => {
    const trainings = [...article.querySelectorAll(".nn-training")];
    [...copy.querySelectorAll(".nn-training")].forEach((training, i) => {
      const original = trainings[i];
      const seed = original.querySelector("input")?.value;
      const step = original.querySelector("output")?.textContent.trim();
      training.replaceWith(make("span", "nn-as-text", `${seed === undefined ? "" : `seed ${seed}, `}${step}`));
    });
  };
  /** Replaces fields and choices by boxes and lines to write on. */
  const questionsToBoxes = (copy) => {
    for (const question of copy.querySelectorAll(".nn-predict")) {
      delete question.dataset.verdict;
      for (const node of question.querySelectorAll(".nn-verdict, .nn-ask output")) node.remove();
    }
    for (const button of copy.querySelectorAll(".nn-answers button, .nn-choice")) button.replaceWith(make("p", "nn-box", "☐ " + button.textContent.trim()));
    for (const choice of copy.querySelectorAll(".nn-figure :is(input[type=radio], input[type=checkbox])")) choice.replaceWith(make("span", "", "☐ "));
    for (const field of copy.querySelectorAll(".nn-figure input, .nn-figure select")) field.replaceWith(make("span", "nn-blank"));
  };
  /** Adds each figure's address, which leads from paper to the live figure. */
  const addAddresses = (copy, address, pageKey) => {
    for (const figure of copy.querySelectorAll(".nn-figure")) {
      const link = make("a", "nn-address");
      const state = `#live=${encodeURIComponent(figure.dataset.name)}.e30`;
      link.href = link.textContent = `${address}${pageKey}.html${state}`;
      if (figure.querySelector(".nn-axes, svg, img, .nn-network")) figure.append(link);
    }
  };
  /** Removes buttons, folded code and progress, and unfolds the rest. */
  const removeWhatPaperLacks = (copy) => {
    const removed = "script, .headerlink, .nn-toolbar, .nn-tools, button, .nn-printing, .nn-export, .nn-visually-hidden, .nn-status, "
      + ".copybtn, .tag_hide-input:not(.tag_pytorch) .cell_input, .tag_hide-cell .cell_input, .tag_check, .nn-run, .nn-run-host, [hidden], .toctree-wrapper, dialog";
    for (const node of copy.querySelectorAll(removed)) node.remove();
    // the folded cells of "The same in PyTorch" are what their sections are about; progress is left out on paper
    for (const node of copy.querySelectorAll(".tag_pytorch details")) node.replaceWith(...[...node.childNodes].filter((child) => child.nodeName !== "SUMMARY"));
    for (const cell of copy.querySelectorAll("div.cell")) if (/^\s*course\.progress\(/.test(cell.querySelector(".cell_input pre")?.textContent ?? "")) cell.remove();
    for (const node of copy.querySelectorAll(".tag_hide-input details, .tag_hide-cell details")) if (!node.textContent.trim()) node.remove();
    for (const node of copy.querySelectorAll("details.hide, details:not(.nn-hint, .nn-solution)")) {
      if (node.classList.contains("above-input") || node.classList.contains("hide")) node.remove();
      else node.open = true;
    }
  };
  /** Moves hints and solutions into an appendix, leaves space to write in place of solutions; returns the appendix and its elements. */
  const moveSolutions = (copy, pageKey) => {
    const appendix = [];
    const container = make("div"); // stays in the copy until the ids and links have been changed
    copy.append(container);
    let last = null;
    for (const node of [...copy.querySelectorAll(".exercise.admonition, details.nn-hint, details.nn-solution")]) {
      if (node.matches(".exercise")) {
        last = node;
        continue;
      }
      const title = last?.querySelector(".admonition-title")?.textContent.trim() ?? "";
      const solution = node.matches(".nn-solution");
      const entry = make("div", solution ? "solution" : "hint");
      entry.append(make("p", "label", solution ? "Solution" : "Hint"));
      for (const child of [...node.childNodes]) if (child.nodeName !== "SUMMARY") entry.append(child);
      appendix.push({ exercise: last?.id ? `${pageKey}--${last.id}` : "", title, solution });
      container.append(entry);
      if (solution) {
        const space = make("p", "space-to-write");
        const link = make("a", "", "Solution in the appendix");
        link.href = `#solution-${pageKey}--${last?.id ?? ""}`;
        space.append(link);
        node.replaceWith(space);
      } else node.remove();
    }
    return { appendix, container };
  };
  /** Makes ids unique in the book: each begins with its page's key, and links lead to the new ones. */
  const renameIds = (copy, pageKey) => {
    const prefixed = (id) => `${pageKey}--${id}`;
    for (const node of copy.querySelectorAll("[id='exercise-content']")) node.removeAttribute("id");
    for (const node of copy.querySelectorAll("[id]")) node.id = prefixed(node.id);
    for (const node of copy.querySelectorAll("*")) {
      for (const { name: key, value } of [...node.attributes]) {
        if (/^aria-(labelledby|describedby|controls|owns)$|^(for|clip-path|mask|fill|stroke|filter|marker-end|marker-start)$/.test(key)) {
          const renamed = value.includes("url(#") ? value.replace(/url\(#/g, `url(#${pageKey}--`) : key.startsWith("aria") || key === "for" ? value.split(" ").map(prefixed).join(" ") : value;
          node.setAttribute(key, renamed);
        }
      }
      if (node.tagName === "use") node.setAttribute("href", `#${prefixed((node.getAttribute("href") ?? "#").slice(1))}`);
    }
  };
  /** Gives images their absolute addresses. */
  const absoluteImages = (copy) => {
    for (const image of copy.querySelectorAll("img[src]")) {
      image.loading = "eager";
      if (!image.getAttribute("src").startsWith("data:")) image.src = new URL(image.getAttribute("src"), location.href).href;
    }
  };
  /** Notes the target of each link inside the site, by which print_book.py finds it in the book. */
  const resolveLinks = (copy) => {
    for (const link of copy.querySelectorAll("a[href]")) {
      const href = link.getAttribute("href");
      if (link.matches(".nn-address") || href.startsWith("#solution-")) continue;
      const url = new URL(href, location.href);
      link.dataset.to = url.origin === location.origin ? url.pathname + url.hash : "";
    }
  };

  return async ({ pageKey, address, states, width }) => {
    const article = document.querySelector("article.bd-article");
    await layOutForPaper(article, states, width);
    answerQuestions(article);
    await allDrawn();

    const copy = article.cloneNode(true);
    canvasesToPictures(article, copy);
    controlsToText(article, copy);
    trainingsToText(article, copy);
    questionsToBoxes(copy);
    for (const figure of copy.querySelectorAll(".nn-figure")) figure.style.width = figure.style.maxWidth = "";
    addAddresses(copy, address, pageKey);
    removeWhatPaperLacks(copy);
    const { appendix, container } = moveSolutions(copy, pageKey);
    renameIds(copy, pageKey);
    absoluteImages(copy);
    resolveLinks(copy);
    container.remove();
    [...container.children].forEach((entry, i) => (appendix[i].html = entry.outerHTML));
    const rules = [...(document.querySelector("#MJX-CHTML-styles")?.sheet?.cssRules ?? [])].map((rule) => rule.cssText);
    const styles = [...document.querySelectorAll("link[rel=stylesheet]")].map((link) => link.href);
    return { pageKey, title: copy.querySelector("h1")?.textContent.trim() ?? pageKey, html: copy.innerHTML, appendix, rules, styles,
      undrawn: article.querySelectorAll(".nn-fallback").length, figures: [...copy.querySelectorAll(".nn-figure")].map((figure) => figure.dataset.name) };
  };
})()
