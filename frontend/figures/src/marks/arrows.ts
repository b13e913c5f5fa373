// Arrows: one gradient, or a field of them.

import { cssColor } from "../color.js";
import { attributes, resize, svg, uniqueId } from "../dom.js";
import type { ArrowsSpec } from "../grammar.js";
import { arrowHead, entryAt, lineLegend, type Make, maxLength, polyline, stroke } from "./mark.js";

export const arrows: Make<ArrowsSpec> = (spec, plot, layer) => {
  const id = uniqueId("tip");
  const paths: SVGPathElement[] = [];
  layer.append(arrowHead(id, cssColor(spec.color, "gradient")));
  return {
    spec,
    extent: { x: [spec.x], y: [spec.y] },
    legend: lineLegend(spec),
    update() {
      const [x, y, dx, dy] = [spec.x, spec.y, spec.dx, spec.dy].map((r) => plot.scene.get(r));
      const scale = plot.scene.number(spec.scale, 1);
      resize(paths, maxLength(x, y, dx, dy), layer, () =>
        svg("path", { ...stroke(spec, "gradient"), "marker-end": `url(#${id})` }));
      paths.forEach((path, i) => {
        const a = plot.x(entryAt(x, i));
        const b = plot.y(entryAt(y, i));
        const c = plot.x(entryAt(x, i) + scale * entryAt(dx, i));
        const d = plot.y(entryAt(y, i) + scale * entryAt(dy, i));
        const tiny = Math.hypot(c - a, d - b) < 0.5;
        attributes(path, { d: tiny ? "" : polyline(2, (k) => (k ? c : a), (k) => (k ? d : b)) });
      });
    },
  };
};
