// Numbers as text: Python's format language, read by d3-format, with a true minus sign.

import { format as d3format } from "d3-format";

const cache = new Map<string, (x: number) => string>();

function maker(spec: string): (x: number) => string {
  let made = cache.get(spec);
  if (!made) {
    try {
      if (spec === "") made = (x) => String(+x.toPrecision(6)).replace("-", "−");
      else if (spec === "c") made = (x) => String.fromCodePoint(Math.max(0, Math.round(x)));
      else if (spec.endsWith("d")) {
        const whole = d3format(spec);
        made = (x) => whole(Math.round(x));
      } else if (/g$/.test(spec)) {
        // Python's g drops trailing zeros
        const general = d3format(spec.replace(/~?g$/, "~g"));
        made = (x) => general(x);
      } else made = d3format(spec);
    } catch {
      made = (x) => String(x);
    }
    cache.set(spec, made);
  }
  return made;
}

export function formatNumber(value: number, spec: string): string {
  if (Number.isNaN(value)) return "undefined";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const made = maker(spec)(value);
  return /^[−-]0(\.0*)?$/.test(made) ? made.slice(1) : made;
}
