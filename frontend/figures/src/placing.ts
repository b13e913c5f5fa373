// Measures all figures of a page before any of them is drawn: drawing one between two measurements would make the
// browser lay out the page again for each.

/** The methods with which a figure is measured and drawn. */
export interface PlacedFigure {
  /** Reads the available size; returns whether it has changed. */
  measure(): boolean;
  update(): void;
  /** Called when the figure has its final size and can be used. */
  placed(): void;
}

const waiting = new Set<PlacedFigure>();

/** Draws all figures, whether or not their size has changed. */
function drawAll(figures: readonly PlacedFigure[]): void {
  for (const figure of figures) figure.measure();
  for (const figure of figures) figure.update();
}

/** Redraws the figures whose available size has changed. */
function fit(figures: readonly PlacedFigure[]): void {
  for (const figure of figures.filter((placed) => placed.measure())) figure.update();
}

/**
 * Draws a new figure before the browser paints, together with the others that the page is building,
 * and once more in the next frame if its available size has changed by then.
 */
export function place(figure: PlacedFigure): void {
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
