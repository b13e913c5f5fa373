// The figures' places in the page: all of them are measured before one is drawn.

/** A figure, as far as its size goes. */
export interface Placed {
  /** Reads what room there is; says whether it is other than before. */
  measure(): boolean;
  update(): void;
  /** The figure has its place and answers. */
  placed(): void;
}

const waiting = new Set<Placed>();

// Drawing between two measurements would have the browser lay out the page for each of them.

/** Draws each of them, also those that have nothing to measure. */
function drawAll(figures: readonly Placed[]): void {
  for (const figure of figures) figure.measure();
  for (const figure of figures) figure.update();
}

/** Draws again what has other room than before. */
function fit(figures: readonly Placed[]): void {
  for (const figure of figures.filter((one) => one.measure())) figure.update();
}

/**
 * Draws a new figure before the browser paints, together with the others that the page builds just now,
 * and once more in the next frame, if what stands around it has left it other room by then.
 */
export function place(figure: Placed): void {
  if (waiting.size === 0) queueMicrotask(placeAll);
  waiting.add(figure);
}

function placeAll(): void {
  const figures = [...waiting];
  waiting.clear();
  drawAll(figures);
  requestAnimationFrame(() => {
    fit(figures);
    for (const figure of figures) figure.placed();
  });
}
