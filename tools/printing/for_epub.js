// tools/make_epub.py runs this in a page whose figures are mounted: returns its text as XHTML with MathML, and a placeholder for
// each figure's picture.
async ({ address, name }) => {
  const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const article = document.querySelector("article.bd-article");
  await window.MathJax?.startup?.promise;
  await document.fonts.ready;
  await frames();
  const figures = [...article.querySelectorAll(".nn-figure")];
  figures.forEach((figure, i) => figure.setAttribute("data-shot", i));

  const copy = article.cloneNode(true);
  const make = (tag, text) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  for (const figure of copy.querySelectorAll(".nn-figure")) {
    const still = make("figure");
    const number = figure.dataset.shot;
    const image = make("img");
    image.setAttribute("src", `SHOT-${number}`);
    image.setAttribute("alt", figure.querySelector(".nn-visually-hidden")?.textContent.trim() ?? figure.dataset.name);
    const caption = make("figcaption");
    const captionText = figure.querySelector(".nn-caption")?.textContent.trim() ?? "";
    caption.append(captionText, " ");
    const link = make("a", "The live figure");
    link.setAttribute("href", `${address}${name}.html#live=${encodeURIComponent(figure.dataset.name)}.e30`);
    if (address) caption.append(link);
    still.append(image, caption);
    figure.replaceWith(still);
  }
  for (const maths of copy.querySelectorAll("mjx-container")) {
    const math = maths.querySelector("mjx-assistive-mml > math");
    if (!math) continue;
    if (maths.getAttribute("display") === "true") math.setAttribute("display", "block");
    for (const node of [math, ...math.querySelectorAll("*")]) {
      for (const { name: key } of [...node.attributes]) if (/^data-|^class$|^style$/.test(key)) node.removeAttribute(key);
    }
    const frame = make(maths.getAttribute("display") === "true" ? "div" : "span");
    frame.append(math);
    maths.replaceWith(frame);
  }
  const removed = "script, style, .headerlink, button, .nn-printing, .nn-export, .copybtn, .tag_hide-input .cell_input, "
    + ".tag_hide-cell .cell_input, .tag_check, .nn-run, .nn-run-host, .toctree-wrapper, dialog, template, .nn-solved, [hidden]";
  for (const node of copy.querySelectorAll(removed)) node.remove();
  for (const node of copy.querySelectorAll("details:not(.nn-hint, .nn-solution)")) node.remove();
  for (const node of copy.querySelectorAll("input, select, textarea, canvas, label")) node.remove();
  const ids = new Set();
  for (const node of copy.querySelectorAll("[id]")) {
    if (ids.has(node.id) || !/^[A-Za-z_][\w.-]*$/.test(node.id)) node.removeAttribute("id");
    else ids.add(node.id);
  }
  for (const node of copy.querySelectorAll("*")) {
    for (const { name: key, value } of [...node.attributes]) {
      if (/^(data-|aria-|role$|tabindex$|on|loading$|decoding$|align$|valign$|border$|cellspacing|cellpadding|start$|reversed$|translate$)/.test(key)) node.removeAttribute(key);
      if (/^(width|height)$/.test(key) && !/^\d+$/.test(value)) node.removeAttribute(key);
    }
  }
  for (const node of copy.querySelectorAll("summary p, p p, span p")) node.replaceWith(...node.childNodes);
  for (const node of copy.querySelectorAll("tt, big, center, font")) node.replaceWith(...node.childNodes);
  for (const image of copy.querySelectorAll("img[src]")) {
    const source = image.getAttribute("src");
    if (!source.startsWith("SHOT-") && !source.startsWith("data:")) image.setAttribute("src", "FILE-" + new URL(source, location.href).pathname);
    if (!image.hasAttribute("alt")) image.setAttribute("alt", "");
  }
  for (const link of copy.querySelectorAll("a[href]")) {
    const url = new URL(link.getAttribute("href"), location.href);
    if (url.origin === location.origin) link.setAttribute("href", "PAGE-" + url.pathname + url.hash);
  }
  const text = [...copy.childNodes].map((node) => new XMLSerializer().serializeToString(node)).join("");
  return { title: article.querySelector("h1")?.textContent.replace(/#$/, "").trim() ?? name, text, shots: figures.length,
    undrawn: article.querySelectorAll(".nn-fallback").length, ids: [...ids] };
}
