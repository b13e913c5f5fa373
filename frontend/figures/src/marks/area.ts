// The area between two curves.

import { cssColor } from "../color.js";
import { attributes, svg } from "../dom.js";
import type { AreaSpec } from "../grammar.js";
import { entryAt, lineLegend, type Make, polyline } from "./mark.js";

export const area: Make<AreaSpec> = (spec, plot, layer) => {
  const path = svg("path", { fill: cssColor(spec.color, "series0"), class: "nn-area" });
  layer.append(path);
  return {
    spec,
    extent: { x: [spec.x], y: [spec.y, spec.base] },
    legend: lineLegend(spec),
    update() {
      const [x, y, base] = [spec.x, spec.y, spec.base].map((r) => plot.scene.get(r));
      const n = x?.data.length ?? 0;
      // along the curve, then back along the base
      const k = (i: number): number => (i < n ? i : 2 * n - 1 - i);
      const d = polyline(2 * n, (i) => plot.x(entryAt(x, k(i))), (i) => plot.y(i < n ? entryAt(y, i) : entryAt(base, k(i), 0)));
      attributes(path, { d: d && `${d}Z` });
    },
  };
};
