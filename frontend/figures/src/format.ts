// Numbers as text: Python's format language, read by d3-format, with a true minus sign.

import { format as d3format } from "d3-format";

const cache = new Map<string, (x: number) => string>();

function formatterFor(spec: string): (x: number) => string {
  let formatter = cache.get(spec);
  if (!formatter) {
    try {
      if (spec === "") formatter = (x) => String(+x.toPrecision(6)).replace("-", "−");
      else if (spec === "c") formatter = (x) => String.fromCodePoint(Math.max(0, Math.round(x)));
      else if (spec.endsWith("d")) {
        const integer = d3format(spec);
        formatter = (x) => integer(Math.round(x));
      } else if (/g$/.test(spec)) {
        // Python's g drops trailing zeros
        const general = d3format(spec.replace(/~?g$/, "~g"));
        formatter = (x) => general(x);
      } else formatter = d3format(spec);
    } catch {
      formatter = (x) => String(x);
    }
    cache.set(spec, formatter);
  }
  return formatter;
}

export function formatNumber(value: number, spec: string): string {
  if (Number.isNaN(value)) return "undefined";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const text = formatterFor(spec)(value);
  return /^[−-]0(\.0*)?$/.test(text) ? text.slice(1) : text;
}
