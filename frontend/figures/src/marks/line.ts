// A line across the axes, with a band around it.

import { cssColor } from "../color.js";
import { attributes, svg } from "../dom.js";
import type { LineSpec } from "../grammar.js";
import { lineLegend, type Make, round, stroke } from "./mark.js";

/** Where w0 + w1 x + w2 y = 0 crosses the limits: [x, y, x, y] in data coordinates; null if w1 = w2 = 0. */
function crossings(w0: number, w1: number, w2: number, x: readonly number[], y: readonly number[]): number[] | null {
  if (Math.abs(w1) + Math.abs(w2) < 1e-12) return null;
  const [x0, x1, y0, y1] = [x[0]!, x[1]!, y[0]!, y[1]!];
  const steep = Math.abs(w1) * Math.abs(x1 - x0) > Math.abs(w2) * Math.abs(y1 - y0);
  return steep
    ? [-(w0 + w2 * y0) / w1, y0, -(w0 + w2 * y1) / w1, y1]
    : [x0, -(w0 + w1 * x0) / w2, x1, -(w0 + w1 * x1) / w2];
}

export const line: Make<LineSpec> = (spec, plot, layer) => {
  const { scene } = plot;
  const band = svg("path", { class: "nn-band", fill: cssColor(spec.color, "ink") });
  const path = svg("path", stroke(spec, "ink"));
  layer.append(band, path);
  const coefficients = (): [number, number, number] => {
    if (spec.w0) return [scene.number(spec.w0), scene.number(spec.w1), scene.number(spec.w2)];
    if (spec.slope) return [scene.number(spec.intercept), scene.number(spec.slope), -1];
    return spec.x ? [-scene.number(spec.x), 1, 0] : [-scene.number(spec.y), 0, 1];
  };
  const pixels = (ends: number[]): number[][] => [
    [plot.x(ends[0]!), plot.y(ends[1]!)], [plot.x(ends[2]!), plot.y(ends[3]!)],
  ];
  return {
    spec,
    extent: { x: [spec.x], y: [spec.y] },
    legend: lineLegend(spec),
    update() {
      const [w0, w1, w2] = coefficients();
      const { x, y } = plot.limits();
      const ends = crossings(w0, w1, w2, x, y);
      attributes(path, { d: ends ? `M${pixels(ends).map((p) => p.map(round)).join("L")}` : "" });
      const half = spec.band ? scene.number(spec.band) : 0;
      const a = half ? crossings(w0 - half, w1, w2, x, y) : null;
      const b = half ? crossings(w0 + half, w1, w2, x, y) : null;
      attributes(band, { d: a && b ? `M${[...pixels(a), ...pixels(b).reverse()].map((p) => p.map(round)).join("L")}Z` : "" });
    },
  };
};
