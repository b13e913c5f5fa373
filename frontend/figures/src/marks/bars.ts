// Bars with their numbers; the axes draw their names.

import { classColor, cssColor } from "../color.js";
import { attributes, resize, setText, svg } from "../dom.js";
import { formatNumber } from "../format.js";
import type { BarsSpec } from "../grammar.js";
import { buttons, chosen, click, type Clicks, markButton } from "../grip.js";
import { entryAt, lineLegend, type Make, round } from "./mark.js";

export const bars: Make<BarsSpec> = (spec, plot, layer) => {
  const { scene } = plot;
  const items: SVGGElement[] = [];
  const clicks: Clicks = spec.select ? { select: spec.select } : {};
  if (spec.select) buttons(layer, () => items, (i) => click(scene, clicks, i));
  return {
    spec,
    extent: { x: [spec.x], y: [spec.height] },
    legend: lineLegend({ color: spec.color, label: spec.label }),
    update() {
      const height = scene.get(spec.height);
      const x = scene.get(spec.x);
      const base = scene.get(spec.base);
      const classes = scene.get(spec.classes);
      const n = height?.data.length ?? 0;
      const gap = x && n > 1 ? Math.abs(x.data[1]! - x.data[0]!) : 1;
      resize(items, n, layer, () =>
        svg("g", {}, svg("rect", { class: "nn-bar" }), svg("text", { class: "nn-label", "text-anchor": "middle" })));
      items.forEach((item, i) => {
        const middle = x ? x.data[i]! : i;
        const half = (spec.width * gap) / 2;
        const [left, right] = [plot.x(middle - half), plot.x(middle + half)];
        const [top, bottom] = [plot.y(height!.data[i]!), plot.y(entryAt(base, i, 0) || 0)];
        const isDrawn = Number.isFinite(top + bottom);
        attributes(item.firstElementChild!, {
          x: round(left), width: round(Math.max(0, right - left)),
          y: isDrawn ? round(Math.min(top, bottom)) : 0, height: isDrawn ? round(Math.abs(bottom - top)) : 0,
          fill: classes ? classColor(entryAt(classes, i)) : cssColor(spec.color, "series0"),
        });
        const number = item.lastElementChild!;
        if (spec.format !== undefined) {
          attributes(number, { x: round((left + right) / 2), y: round(top > bottom ? top + 13 : top - 4) });
          setText(number, formatNumber(height!.data[i]!, spec.format));
        }
        if (spec.select) markButton(item, spec.labels?.[i] ?? `bar ${i + 1}`, chosen(scene, clicks, i), i === 0);
      });
    },
  };
};
