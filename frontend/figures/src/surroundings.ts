// Reacts to changes around a figure: its width, printing, the theme, Back and reload, a new link in the address bar.

// The width in pixels of a figure when a reader prints a page of the site on A4 or Letter. The whole book's sizes are in
// tools/printing/paper.css.
const PAPER_WIDTH = 560;

/** The methods that are called when a figure's surroundings change. */
export interface FollowedFigure {
  readonly host: HTMLElement;
  /** Reads the available size; returns whether it has changed. */
  measure(): boolean;
  update(): void;
  /** Called when the fragment of the page's address has changed. */
  addressChanged(): void;
}

/** Watches the surroundings until the returned function is called. */
export function followSurroundings(figure: FollowedFigure): () => void {
  const stops = [followSize(figure), followPaper(figure), followTheme(figure), followPage(figure)];
  return () => stops.forEach((stop) => stop());
}

function listen(target: EventTarget, event: string, listener: () => void): () => void {
  target.addEventListener(event, listener);
  return () => target.removeEventListener(event, listener);
}

function followSize({ host, measure, update }: FollowedFigure): () => void {
  let lastWidth = -1; // the observer also reports the initial width
  const watcher = new ResizeObserver(() => {
    const width = Math.round(host.clientWidth);
    if (width === lastWidth || width === 0) return;
    lastWidth = width;
    if (measure()) update();
  });
  watcher.observe(host);
  return () => watcher.disconnect();
}

/** Lays the figure out for paper, which is narrower than most windows, and afterwards for the window again. */
function followPaper({ host, measure, update }: FollowedFigure): () => void {
  const layOut = (width: string): void => {
    if (host.style.maxWidth === width) return;
    host.style.maxWidth = width;
    measure();
    update();
  };
  const onPaper = (): void => layOut(`${PAPER_WIDTH}px`);
  const offPaper = (): void => layOut("");
  const printQuery = matchMedia("print");
  const stops = [
    listen(printQuery, "change", () => (printQuery.matches ? onPaper() : offPaper())),
    listen(window, "beforeprint", onPaper),
    listen(window, "afterprint", offPaper),
  ];
  return () => stops.forEach((stop) => stop());
}

function followTheme({ update }: FollowedFigure): () => void {
  const themeObserver = new MutationObserver(() => requestAnimationFrame(update));
  themeObserver.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "data-mode", "class"] });
  themeObserver.observe(document.body, { attributes: true, attributeFilter: ["data-theme", "data-jp-theme-light", "class"] });
  const stop = listen(matchMedia("(prefers-color-scheme: dark)"), "change", update);
  return () => {
    themeObserver.disconnect();
    stop();
  };
}

/** Makes the controls' current values their defaults, to which WebKit resets the controls of a cached page. */
function setControlDefaults(host: HTMLElement): void {
  for (const control of host.querySelectorAll("input")) {
    control.defaultChecked = control.checked;
    control.defaultValue = control.value;
  }
}

/**
 * Overwrites the values that a browser restores in controls after Back or a reload: at once, and again
 * in the next frame, since WebKit resets the controls of a cached page only after this event.
 */
function followPage({ host, update, addressChanged }: FollowedFigure): () => void {
  const stops = [
    listen(window, "pagehide", () => setControlDefaults(host)),
    listen(window, "pageshow", () => {
      update();
      requestAnimationFrame(update);
    }),
    listen(window, "hashchange", addressChanged),
  ];
  return () => stops.forEach((stop) => stop());
}
