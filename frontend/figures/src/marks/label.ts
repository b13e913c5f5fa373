// Text in the picture, with live numbers.

import { cssColor } from "../color.js";
import { attributes, setText, svg } from "../dom.js";
import type { LabelSpec } from "../grammar.js";
import { words } from "../words.js";
import { type Make, round } from "./mark.js";

export const label: Make<LabelSpec> = (spec, plot, layer) => {
  const node = svg("text", { class: "nn-label", fill: cssColor(spec.color, "ink"), "text-anchor": spec.anchor });
  layer.append(node);
  return {
    spec,
    extent: { x: [spec.x], y: [spec.y] },
    update() {
      const x = plot.x(plot.scene.number(spec.x));
      const y = plot.y(plot.scene.number(spec.y));
      const shown = Number.isFinite(x + y);
      attributes(node, { x: shown ? round(x + spec.dx) : 0, y: shown ? round(y + spec.dy) : 0, display: shown ? undefined : "none" });
      setText(node, words(plot.scene, spec.text));
    },
  };
};
