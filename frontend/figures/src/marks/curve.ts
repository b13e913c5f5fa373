// One or more lines through points in their order; they can be dragged if they have a drag rule.

import { cssColor } from "../color.js";
import { attributes, resize, svg, uniqueId } from "../dom.js";
import type { CurveSpec } from "../grammar.js";
import { grip } from "../grip.js";
import { arrowHead, entryAt, lineLegend, type Make, polyline, stroke } from "./mark.js";

export const curve: Make<CurveSpec> = (spec, plot, layer) => {
  const paths: SVGPathElement[] = [];
  const rule = spec.drag;
  let tip: string | undefined;
  if (spec.arrow) {
    tip = uniqueId("tip");
    layer.append(arrowHead(tip, cssColor(spec.color, "series0")));
  }
  let updateGrip: (() => void) | undefined;
  let handle: SVGPathElement | undefined;
  let last: [number, number] | undefined;
  if (rule) {
    handle = svg("path", { fill: "none", stroke: "transparent", "stroke-width": 24, class: "nn-curve-grip" });
    updateGrip = grip(handle, plot, {
      label: spec.label ?? "curve", offset: false,
      position: () => last ?? middle(),
      move: (x, y) => {
        last = [x, y];
        plot.scene.drag(rule, x, y);
      },
    });
  }
  const middle = (): [number, number] => {
    const x = plot.scene.get(spec.x);
    const i = (x?.data.length ?? 0) >> 1;
    return [entryAt(x, i), entryAt(plot.scene.get(spec.y), i)];
  };
  return {
    spec,
    extent: { x: [spec.x], y: [spec.y] },
    legend: lineLegend(spec),
    update() {
      const x = plot.scene.get(spec.x);
      const y = plot.scene.get(spec.y);
      const n = x?.data.length ?? 0;
      const rows = y && y.shape.length > 1 ? y.shape[0]! : 1;
      resize(paths, rows, layer, () =>
        svg("path", { ...stroke(spec, "series0"), "marker-end": tip && `url(#${tip})` }));
      paths.forEach((path, r) => {
        const from = rows > 1 ? r * n : 0;
        attributes(path, { d: polyline(n, (i) => plot.x(x!.data[i]!), (i) => plot.y(entryAt(y, from + i))) });
      });
      if (handle) {
        // below the handles that are on the curve
        if (!handle.parentNode) plot.above.prepend(handle);
        attributes(handle, { d: paths[0]?.getAttribute("d") ?? "" });
        updateGrip?.();
      }
    },
  };
};
