// Creates elements in code: markup from data is never parsed without being cleaned (see clean.ts).

type Attributes = Readonly<Record<string, string | boolean | undefined>>;

export function element<K extends keyof HTMLElementTagNameMap>(
  name: K, attributes: Attributes = {}, ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(key, "");
    else if (typeof value === "string") node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

export function actionButton(label: string, onClick: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const node = element("button", { type: "button", class: "nn-run-button", ...attributes }, label);
  node.addEventListener("click", onClick);
  return node;
}

/** The absolute form of an address that is relative to the page; a worker would resolve it differently. */
export const absolute = (address: string): string => new URL(address, document.baseURI).href;

export const isRecord = (x: unknown): x is Record<string, unknown> => typeof x === "object" && x !== null && !Array.isArray(x);
