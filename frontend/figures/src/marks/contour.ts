// Contour lines of a grid of numbers.

import { contours } from "d3-contour";
import { cssColor, scaleLimits } from "../color.js";
import { attributes, resize, svg } from "../dom.js";
import type { ContourSpec } from "../grammar.js";
import { lineLegend, type Make, round, stroke } from "./mark.js";

export const contour: Make<ContourSpec> = (spec, plot, layer) => {
  const paths: SVGPathElement[] = [];
  return {
    spec,
    legend: lineLegend(spec),
    update() {
      const z = plot.scene.get(spec.z);
      if (!z || z.shape.length !== 2) return;
      const [h, w] = [z.shape[0]!, z.shape[1]!];
      const [low, high] = scaleLimits(z.data, "", undefined);
      const { levels } = spec;
      const thresholds = typeof levels === "number"
        ? Array.from({ length: levels }, (_, k) => low + ((k + 0.5) / levels) * (high - low))
        : [...levels];
      const rings = contours().size([w, h]).thresholds(thresholds)(Array.from(z.data));
      const [x0, x1] = spec.xlim;
      const [y0, y1] = spec.ylim;
      // d3 centres cells on halves: value (r, c) is at (c + ½, r + ½)
      const px = (c: number): number => plot.x(x0 + ((c - 0.5) / (w - 1)) * (x1 - x0));
      const py = (r: number): number => plot.y(y0 + ((r - 0.5) / (h - 1)) * (y1 - y0));
      resize(paths, rings.length, layer, () => svg("path", { ...stroke({ color: spec.color, width: 1 }, "muted"), class: "nn-contour" }));
      rings.forEach((ring, k) => {
        const d = ring.coordinates.flat().map((loop) =>
          `M${loop.map((p) => `${round(px(p[0]!))},${round(py(p[1]!))}`).join("L")}Z`).join("");
        const path = paths[k]!;
        attributes(path, { d });
        if (spec.fill) attributes(path, { fill: cssColor(spec.color, "muted"), "fill-opacity": 0.09 });
        attributes(path, { "stroke-opacity": String(0.35 + (0.6 * k) / Math.max(1, rings.length - 1)) });
      });
    },
  };
};
