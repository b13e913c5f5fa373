// Arrows: one gradient, or a field of them.

import { cssColor } from "../color.js";
import { attributes, resize, svg, uniqueId } from "../dom.js";
import type { ArrowsSpec } from "../grammar.js";
import { arrowHead, at, count, lineLegend, type Make, polyline, stroke } from "./mark.js";

export const arrows: Make<ArrowsSpec> = (spec, plot, layer) => {
  const id = uniqueId("tip");
  const paths: SVGPathElement[] = [];
  layer.append(arrowHead(id, cssColor(spec.color, "gradient")));
  return {
    spec,
    reach: { x: [spec.x], y: [spec.y] },
    legend: lineLegend(spec),
    update() {
      const [x, y, dx, dy] = [spec.x, spec.y, spec.dx, spec.dy].map((r) => plot.scene.get(r));
      const scale = plot.scene.number(spec.scale, 1);
      resize(paths, count(x, y, dx, dy), layer, () =>
        svg("path", { ...stroke(spec, "gradient"), "marker-end": `url(#${id})` }));
      paths.forEach((path, i) => {
        const a = plot.x(at(x, i));
        const b = plot.y(at(y, i));
        const c = plot.x(at(x, i) + scale * at(dx, i));
        const d = plot.y(at(y, i) + scale * at(dy, i));
        const tiny = Math.hypot(c - a, d - b) < 0.5;
        attributes(path, { d: tiny ? "" : polyline(2, (k) => (k ? c : a), (k) => (k ? d : b)) });
      });
    },
  };
};
