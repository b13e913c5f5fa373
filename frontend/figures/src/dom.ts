// Elements: made by name and attributes, never from strings of markup.

export const SVG = "http://www.w3.org/2000/svg";
export const MATHML = "http://www.w3.org/1998/Math/MathML";

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** Sets what has changed and nothing else: each attribute that is written makes the browser compute styles again. */
export function attributes(node: Element, values: Attributes): void {
  for (const name in values) {
    const value = values[name];
    const text = value === undefined || value === false ? null : value === true ? "" : String(value);
    if (text === node.getAttribute(name)) continue;
    if (text === null) node.removeAttribute(name);
    else node.setAttribute(name, text);
  }
}

/** Sizes such as 28 × 28 stay on one line. */
const unbroken = (words: string): string => words.replace(/(\d) × (?=\d)/g, "$1\u00a0×\u00a0");

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  values: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  // Browsers fill in what a control held before a reload; the figure behind it begins anew.
  if (tag === "input" || tag === "select") node.setAttribute("autocomplete", "off");
  attributes(node, values);
  node.append(...children.map((child) => (typeof child === "string" ? unbroken(child) : child)));
  return node;
}

/** A button that does `act` when it is pressed. */
export function action(label: string, act: () => void, values: Attributes = {}): HTMLButtonElement {
  const made = element("button", { type: "button", ...values }, label);
  made.addEventListener("click", act);
  return made;
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

/** Keeps as many elements in `parent` as there are data; `make` adds, surplus ones are removed. */
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

/** Calls `change` when an element comes into the reader's sight or leaves it; returns what ends that. */
export function watchSight(node: Element, change: (seen: boolean) => void): () => void {
  let near = true;
  let seen = true;
  const tell = (): void => {
    const now = near && document.visibilityState === "visible";
    if (now !== seen) change((seen = now));
  };
  const observer = new IntersectionObserver((entries) => {
    near = entries.at(-1)!.isIntersecting;
    tell();
  });
  observer.observe(node);
  document.addEventListener("visibilitychange", tell);
  return () => {
    observer.disconnect();
    document.removeEventListener("visibilitychange", tell);
  };
}

/** Says for some seconds that the figure stopped playing while it was out of sight. */
export function waited(note: Element): void {
  setText(note, "It waited while it was out of sight, and goes on now.");
  setTimeout(() => setText(note, ""), 4000);
}

const LETTERS = 15; // pixels: the figures' letters, unless the reader asks for another size
const NARROWEST = 240; // pixels of a drawing, before its letters grow

/** How much larger than usual the reader's letters are: drawings grow with them as far as there is room. */
export function letterScale(node: Element): number {
  const figure = node.closest(".nn-figure");
  if (!figure) return 1;
  const asked = parseFloat(getComputedStyle(figure).fontSize) / LETTERS;
  return Math.max(1, Math.round(100 * Math.min(asked, figure.clientWidth / NARROWEST)) / 100);
}

let counter = 0;
/** An id that no other element of the page has. */
export const uniqueId = (stem: string): string => `nn-${stem}-${++counter}`;

/** Sets text only where it changed, so that screen readers announce only changes; the node stays, which is cheaper. */
export function setText(node: Element | Text, words: string): void {
  const text = unbroken(words);
  if (node.textContent === text) return;
  const only = node.firstChild;
  if (only instanceof Text && !only.nextSibling) only.data = text;
  else node.textContent = text;
}
