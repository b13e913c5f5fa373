// Line segments, each between two points.

import { attributes, svg } from "../dom.js";
import type { SegmentsSpec } from "../grammar.js";
import { entryAt, lineLegend, type Make, maxLength, polyline, stroke } from "./mark.js";

export const segments: Make<SegmentsSpec> = (spec, plot, layer) => {
  const path = svg("path", stroke(spec, "muted"));
  layer.append(path);
  return {
    spec,
    extent: { x: [spec.x0, spec.x1], y: [spec.y0, spec.y1] },
    legend: lineLegend(spec),
    update() {
      const [x0, y0, x1, y1] = [spec.x0, spec.y0, spec.x1, spec.y1].map((r) => plot.scene.get(r));
      let d = "";
      for (let i = 0; i < maxLength(x0, y0, x1, y1); i++) {
        d += polyline(2, (k) => plot.x(entryAt(k ? x1 : x0, i)), (k) => plot.y(entryAt(k ? y1 : y0, i)));
      }
      attributes(path, { d });
    },
  };
};
