// Cleans the HTML and SVG in a cell's output: removes everything that could run code.

const FORBIDDEN = new Set(["script", "iframe", "object", "embed", "base", "meta", "link", "form", "foreignobject"]);
const ADDRESSES = new Set(["href", "src", "xlink:href", "action", "formaction"]);
const SAFE = /^(https?:|data:image\/(png|jpeg|gif|svg\+xml)|#|\.|\/)/i;

/** The markup's nodes: scripts, handlers and addresses that run code are left out. */
export function cleaned(markup: string, kind: "text/html" | "image/svg+xml"): Node[] {
  const parsed = new DOMParser().parseFromString(markup, kind);
  const root = kind === "text/html" ? parsed.body : parsed.documentElement;
  for (const node of [...root.querySelectorAll("*"), root]) {
    if (FORBIDDEN.has(node.localName.toLowerCase())) {
      node.remove();
      continue;
    }
    for (const { name, value } of [...node.attributes]) {
      const attribute = name.toLowerCase();
      if (attribute.startsWith("on") || (ADDRESSES.has(attribute) && !SAFE.test(value.trim()))) node.removeAttribute(name);
    }
  }
  return kind === "text/html" ? [...root.childNodes].map((n) => document.importNode(n, true)) : [document.importNode(root, true)];
}
