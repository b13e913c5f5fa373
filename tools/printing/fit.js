// Runs in the whole book, laid out as on paper: shrinks the elements that are too wide or too tall for a page;
// returns descriptions of those that are still too wide.
({ width, height: page, scale }) => {
  const half = page / 2;
  // elements that scroll sideways on a screen
  const wide = [...document.querySelectorAll("article *")].filter((node) => node.clientWidth && node.scrollWidth > node.clientWidth + 1
    && getComputedStyle(node).overflowX !== "visible" && !node.matches(".nn-visually-hidden, legend"));
  const zooms = wide.map((node) => node.clientWidth / node.scrollWidth);
  wide.forEach((node, i) => {
    if (!wide.some((other) => other !== node && other.contains(node))) node.style.zoom = 0.99 * zooms[i];
  });
  // a figure is kept on one page if that leaves at most about half a page empty before it
  for (const figure of document.querySelectorAll("article .nn-figure:not(:has(.nn-quiz-question))")) {
    const height = figure.getBoundingClientRect().height;
    const smaller = Math.min(1, Math.max(0.7, half / height));
    if (smaller < 1) figure.style.zoom = scale * smaller;
    if (height * smaller < 1.5 * half) figure.classList.add("whole");
  }
  // a short table, and a short cell with its output, are kept on one page as well
  for (const element of document.querySelectorAll("article :is(table, div.cell)")) {
    if (element.getBoundingClientRect().height < half / 2) element.classList.add("whole");
  }
  // a single element that is too wide would make Chromium print the whole book smaller
  const excess = document.documentElement.scrollWidth - width;
  return excess <= 0 ? [] : [...document.querySelectorAll("article *")]
    .filter((node) => node.getBoundingClientRect().right > width + 1 && !node.closest("svg") && getComputedStyle(node).position !== "absolute")
    .map((node) => `${node.closest("article").id}: ${node.tagName.toLowerCase()}.${node.className}: ${node.textContent.trim().slice(0, 40)}`);
}
