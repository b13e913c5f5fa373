// What happens around a figure: its size, paper, the theme, Back and reload, a link put into the open page.

const PAPER = 560; // pixels: what the book leaves a figure on an A4 or Letter page

/** What a figure does when its surroundings change. */
export interface Followed {
  readonly host: HTMLElement;
  /** Reads what room there is; says whether it is other than before. */
  measure(): boolean;
  update(): void;
  /** The address has another fragment. */
  addressed(): void;
}

/** Follows until the function that is returned is called. */
export function followSurroundings(figure: Followed): () => void {
  const ends = [followSize(figure), followPaper(figure), followTheme(figure), followPage(figure)];
  return () => ends.forEach((end) => end());
}

function listen(target: EventTarget, event: string, act: () => void): () => void {
  target.addEventListener(event, act);
  return () => target.removeEventListener(event, act);
}

function followSize({ host, measure, update }: Followed): () => void {
  let size = -1; // the browser tells the first one unasked
  const watcher = new ResizeObserver(() => {
    const now = Math.round(host.clientWidth);
    if (now === size || now === 0) return;
    size = now;
    if (measure()) update();
  });
  watcher.observe(host);
  return () => watcher.disconnect();
}

/** Paper is narrower than most windows: the figure is laid out for it, and back again. */
function followPaper({ host, measure, update }: Followed): () => void {
  const layOut = (width: string): void => {
    if (host.style.maxWidth === width) return;
    host.style.maxWidth = width;
    measure();
    update();
  };
  const onPaper = (): void => layOut(`${PAPER}px`);
  const offPaper = (): void => layOut("");
  const paper = matchMedia("print");
  const ends = [
    listen(paper, "change", () => (paper.matches ? onPaper() : offPaper())),
    listen(window, "beforeprint", onPaper),
    listen(window, "afterprint", offPaper),
  ];
  return () => ends.forEach((end) => end());
}

function followTheme({ update }: Followed): () => void {
  const theme = new MutationObserver(() => requestAnimationFrame(update));
  theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "data-mode", "class"] });
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-theme", "data-jp-theme-light", "class"] });
  const end = listen(matchMedia("(prefers-color-scheme: dark)"), "change", update);
  return () => {
    theme.disconnect();
    end();
  };
}

/** What WebKit resets the controls of a kept page to is what they hold, also where nobody puts it right. */
function keepControls(host: HTMLElement): void {
  for (const control of host.querySelectorAll("input")) {
    control.defaultChecked = control.checked;
    control.defaultValue = control.value;
  }
}

/**
 * What a browser puts back into controls after Back or a reload, the figure overrules: at once,
 * and in the next frame, since WebKit resets the controls of a kept page only after this event.
 */
function followPage({ host, update, addressed }: Followed): () => void {
  const ends = [
    listen(window, "pagehide", () => keepControls(host)),
    listen(window, "pageshow", () => {
      update();
      requestAnimationFrame(update);
    }),
    listen(window, "hashchange", addressed),
  ];
  return () => ends.forEach((end) => end());
}
