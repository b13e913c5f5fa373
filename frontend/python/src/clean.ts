// HTML and SVG that a cell made, without anything that could run.

const FORBIDDEN = new Set(["script", "iframe", "object", "embed", "base", "meta", "link", "form", "foreignobject"]);
const ADDRESSES = new Set(["href", "src", "xlink:href", "action", "formaction"]);
const SAFE = /^(https?:|data:image\/(png|jpeg|gif|svg\+xml)|#|\.|\/)/i;

/** The markup's nodes: scripts, handlers and addresses that run code are left out. */
export function cleaned(markup: string, kind: "text/html" | "image/svg+xml"): Node[] {
  const parsed = new DOMParser().parseFromString(markup, kind);
  const root = kind === "text/html" ? parsed.body : parsed.documentElement;
  for (const found of [...root.querySelectorAll("*"), root]) {
    if (FORBIDDEN.has(found.localName.toLowerCase())) {
      found.remove();
      continue;
    }
    for (const { name, value } of [...found.attributes]) {
      const lower = name.toLowerCase();
      if (lower.startsWith("on") || (ADDRESSES.has(lower) && !SAFE.test(value.trim()))) found.removeAttribute(name);
    }
  }
  return kind === "text/html" ? [...root.childNodes].map((n) => document.importNode(n, true)) : [document.importNode(root, true)];
}
