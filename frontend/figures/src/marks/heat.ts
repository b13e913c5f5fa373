// A map: a colour for each number, on the canvas below the marks.

import { paintPixels, scaleSwatch, span, table } from "../color.js";
import { element } from "../dom.js";
import type { HeatSpec } from "../grammar.js";
import type { Make } from "./mark.js";

export const heat: Make<HeatSpec> = (spec, plot) => {
  let image: ImageData | undefined;
  const small = element("canvas");
  return {
    spec,
    legend: () => (spec.label ? [[spec.label, scaleSwatch(spec.colors)]] : []),
    update() {
      const z = plot.scene.get(spec.z);
      const context = plot.canvas.getContext("2d");
      const smallContext = small.getContext("2d");
      if (!z || z.shape.length !== 2 || !context || !smallContext || !plot.scene.shown(spec.when)) return;
      const [h, w] = [z.shape[0]!, z.shape[1]!];
      if (!image || image.width !== w || image.height !== h) {
        small.width = w;
        small.height = h;
        image = smallContext.createImageData(w, h);
      }
      const scale = spec.colors;
      const [low, high] = span(z.data, scale, spec.range);
      paintPixels(image, z.data, 0, table(plot.root, scale), low, high, true);
      smallContext.putImageData(image, 0, 0);
      const ratio = plot.canvas.width / (plot.width || 1);
      const [x0, x1] = [plot.x(spec.xlim[0]), plot.x(spec.xlim[1])];
      const [y0, y1] = [plot.y(spec.ylim[0]), plot.y(spec.ylim[1])];
      // grid values stand at the rectangle's edges: half a cell reaches beyond them
      const [dx, dy] = [(x1 - x0) / Math.max(1, w - 1) / 2, (y0 - y1) / Math.max(1, h - 1) / 2];
      context.imageSmoothingEnabled = spec.smooth;
      context.drawImage(small, (x0 - dx) * ratio, (y1 - dy) * ratio, (x1 - x0 + 2 * dx) * ratio, (y0 - y1 + 2 * dy) * ratio);
    },
  };
};
