// Creates elements in code: markup from data is never parsed without being cleaned (see clean.ts).

type Attributes = Readonly<Record<string, string | boolean | undefined>>;

export function element<K extends keyof HTMLElementTagNameMap>(
  name: K, attributes: Attributes = {}, ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (typeof value === "string") made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

export function action(label: string, act: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = element("button", { type: "button", class: "nn-run-button", ...attributes }, label);
  made.addEventListener("click", act);
  return made;
}

/** The absolute form of an address that is relative to the page; a worker would resolve it differently. */
export const absolute = (address: string): string => new URL(address, document.baseURI).href;

export const isRecord = (x: unknown): x is Record<string, unknown> => typeof x === "object" && x !== null && !Array.isArray(x);
