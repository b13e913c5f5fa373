// A heat map: a colour for each number, on the canvas below the marks.

import { colorTable, scaleLimits, scaleSwatch } from "../color.js";
import type { HeatSpec } from "../grammar.js";
import { Pixels } from "../pixels.js";
import type { Make } from "./mark.js";

export const heat: Make<HeatSpec> = (spec, plot) => {
  const small = new Pixels();
  return {
    spec,
    legend: () => (spec.label ? [[spec.label, scaleSwatch(spec.colors)]] : []),
    update() {
      const z = plot.scene.get(spec.z);
      const context = plot.canvas.getContext("2d");
      if (!z || z.shape.length !== 2 || !context || !plot.scene.shown(spec.when)) return;
      const [h, w] = [z.shape[0]!, z.shape[1]!];
      const [low, high] = scaleLimits(z.data, spec.colors, spec.range);
      small.paint({ data: z.data, from: 0, height: h, width: w, low, high, colors: colorTable(plot.root, spec.colors) }, true);
      const ratio = plot.canvas.width / (plot.width || 1);
      const [x0, x1] = [plot.x(spec.xlim[0]), plot.x(spec.xlim[1])];
      const [y0, y1] = [plot.y(spec.ylim[0]), plot.y(spec.ylim[1])];
      // the outer grid values are on the rectangle's edges, so half a cell extends beyond them
      const [dx, dy] = [(x1 - x0) / Math.max(1, w - 1) / 2, (y0 - y1) / Math.max(1, h - 1) / 2];
      context.imageSmoothingEnabled = spec.smooth;
      context.drawImage(small.canvas, (x0 - dx) * ratio, (y1 - dy) * ratio, (x1 - x0 + 2 * dx) * ratio, (y0 - y1 + 2 * dy) * ratio);
    },
  };
};
