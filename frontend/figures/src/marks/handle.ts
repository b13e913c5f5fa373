// A point that the reader moves by dragging or by arrow keys.

import { cssColor } from "../color.js";
import { attributes, svg } from "../dom.js";
import type { HandleSpec } from "../grammar.js";
import { grip } from "../grip.js";
import { type Make, round } from "./mark.js";

export const handle: Make<HandleSpec> = (spec, plot) => {
  const { scene } = plot;
  const dot = svg("circle", { r: spec.size, class: "nn-handle" });
  dot.style.setProperty("--nn-handle-color", cssColor(spec.color, "accent"));
  const item = svg("g", {}, svg("circle", { r: 15, fill: "transparent" }), dot);
  plot.above.append(item);
  const position = (): [number, number] => [scene.number(spec.x), scene.number(spec.y)];
  const updateGrip = grip(item, plot, {
    label: spec.label, offset: true, step: spec.step, position,
    move: (x, y) => scene.drag(spec.drag, x, y),
  });
  return {
    spec,
    extent: { x: [spec.x], y: [spec.y] },
    update() {
      const shown = scene.shown(spec.when);
      const [x, y] = position();
      const [px, py] = [plot.x(x), plot.y(y)];
      if (!shown || !Number.isFinite(px + py)) attributes(item, { display: "none" });
      else {
        item.removeAttribute("display");
        // a point outside the axes is drawn at their edge, where it can be dragged
        const inX = Math.min(plot.width, Math.max(0, px));
        const inY = Math.min(plot.height, Math.max(0, py));
        attributes(item, { transform: `translate(${round(inX)},${round(inY)})` });
      }
      updateGrip();
    },
  };
};
