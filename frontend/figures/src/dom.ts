// Makes elements from tag names and attributes, never from strings of markup.

export const SVG = "http://www.w3.org/2000/svg";
export const MATHML = "http://www.w3.org/1998/Math/MathML";

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** Sets only the attributes that have changed: each one that is written makes the browser recompute styles. */
export function attributes(node: Element, values: Attributes): void {
  for (const name in values) {
    const value = values[name];
    const text = value === undefined || value === false ? null : value === true ? "" : String(value);
    if (text === node.getAttribute(name)) continue;
    if (text === null) node.removeAttribute(name);
    else node.setAttribute(name, text);
  }
}

/** Keeps sizes such as 28 × 28 on one line. */
const unbroken = (words: string): string => words.replace(/(\d) × (?=\d)/g, "$1\u00a0×\u00a0");

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  values: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  // After a reload browsers restore the values of controls, but the figure starts from its initial values.
  if (tag === "input" || tag === "select") node.setAttribute("autocomplete", "off");
  attributes(node, values);
  node.append(...children.map((child) => (typeof child === "string" ? unbroken(child) : child)));
  return node;
}

/** A button that calls `act` when it is pressed. */
export function action(label: string, act: () => void, values: Attributes = {}): HTMLButtonElement {
  const button = element("button", { type: "button", ...values }, label);
  button.addEventListener("click", act);
  return button;
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  values: Attributes = {},
  ...children: Node[]
): SVGElementTagNameMap[K] {
  const node = document.createElementNS(SVG, tag);
  attributes(node, values);
  node.append(...children);
  return node;
}

/** Adds elements to the end of `pool` and `parent`, or removes them, until there are `count`; `make` creates new ones. */
export function resize<T extends Element>(pool: T[], count: number, parent: Element, make: (i: number) => T): T[] {
  while (pool.length > count) pool.pop()!.remove();
  while (pool.length < count) {
    const node = make(pool.length);
    parent.append(node);
    pool.push(node);
  }
  return pool;
}

export const reducedMotion = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Calls `change` when an element comes into view or goes out of view; returns a function that stops watching. */
export function watchVisibility(node: Element, change: (visible: boolean) => void): () => void {
  let inViewport = true;
  let visible = true;
  const notify = (): void => {
    const isVisible = inViewport && document.visibilityState === "visible";
    if (isVisible !== visible) change((visible = isVisible));
  };
  const observer = new IntersectionObserver((entries) => {
    inViewport = entries.at(-1)!.isIntersecting;
    notify();
  });
  observer.observe(node);
  document.addEventListener("visibilitychange", notify);
  return () => {
    observer.disconnect();
    document.removeEventListener("visibilitychange", notify);
  };
}

/** Shows for four seconds that playing or training paused while the figure was out of view. */
export function showResumed(note: Element): void {
  setText(note, "Paused while out of view; now running again.");
  setTimeout(() => setText(note, ""), 4000);
}

const FONT_SIZE = 15; // the figures' font size in pixels, unless the reader has set another
const NARROWEST = 240; // the least width in pixels that a drawing needs at the usual font size

/** The factor by which the reader's font is larger than usual: drawings grow by it as far as they fit the figure. */
export function fontScale(node: Element): number {
  const figure = node.closest(".nn-figure");
  if (!figure) return 1;
  const requested = parseFloat(getComputedStyle(figure).fontSize) / FONT_SIZE;
  return Math.max(1, Math.round(100 * Math.min(requested, figure.clientWidth / NARROWEST)) / 100);
}

let counter = 0;
/** An id that no other element of the page has. */
export const uniqueId = (stem: string): string => `nn-${stem}-${++counter}`;

/** Sets text only if it has changed, so screen readers announce only changes. A text node is reused, which is cheaper. */
export function setText(node: Element | Text, words: string): void {
  const text = unbroken(words);
  if (node.textContent === text) return;
  const child = node.firstChild;
  if (child instanceof Text && !child.nextSibling) child.data = text;
  else node.textContent = text;
}
