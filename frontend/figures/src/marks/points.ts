// Points: coloured by class, named, ringed, clicked or dragged.

import { symbol, symbolCircle, symbolCross, symbolDiamond, symbolSquare, symbolStar, symbolTriangle } from "d3-shape";
import { classColor, cssColor } from "../color.js";
import { attributes, resize, svg } from "../dom.js";
import type { PointsSpec } from "../grammar.js";
import { buttons, chosen, click, type Clicks, grip, isClickable, markButton } from "../grip.js";
import { at, count, type Make, round } from "./mark.js";

const SHAPES = [symbolSquare, symbolCircle, symbolTriangle, symbolDiamond, symbolCross, symbolStar];
const shape = (k: number, area: number): string => symbol(SHAPES[k <= 0 ? 0 : k % SHAPES.length]!, area)() ?? "";

function symbolSwatch(k: number, color: string): Node {
  const dot = svg("path", { d: shape(k, 60), fill: color, transform: "translate(8,8)" });
  return svg("svg", { width: 16, height: 16, "aria-hidden": "true" }, dot);
}

const LOOKS = 5; // numbers that say how a point looks: x, y, class, size, ring

/** Notes how point i looks now; says whether it has looked so before. */
function noted(drawn: Float64Array, i: number, looks: readonly number[]): boolean {
  let same = true;
  looks.forEach((v, k) => {
    if (drawn[LOOKS * i + k] === v) return;
    drawn[LOOKS * i + k] = v;
    same = false;
  });
  return same;
}

export const points: Make<PointsSpec> = (spec, plot, layer) => {
  const { scene } = plot;
  const items: SVGGElement[] = [];
  let drawn = new Float64Array(); // of each point: where and as what it stands in the picture
  const renew: (() => void)[] = [];
  const clicks: Clicks = { ...(spec.select && { select: spec.select }), ...(spec.toggle && { toggle: spec.toggle }) };
  const target = spec.drag && plot.scene.canSet(spec.xy) ? spec.xy : undefined;
  const parent = target ? plot.above : layer;
  const where = (i: number): [number, number] => {
    const xy = scene.get(spec.xy);
    return xy ? [xy.data[2 * i]!, xy.data[2 * i + 1]!] : [at(scene.get(spec.x), i), at(scene.get(spec.y), i)];
  };
  if (isClickable(clicks)) buttons(parent, () => items, (i) => click(scene, clicks, i));
  const make = (i: number): SVGGElement => {
    const dot = svg("path", { class: "nn-dot" });
    const item = svg("g", { class: "nn-point" }, dot);
    if (target || isClickable(clicks)) item.prepend(svg("circle", { r: 13, fill: "transparent" }));
    if (spec.labels?.[i]) {
      const name = svg("text", { x: 8, y: -7, class: "nn-label" });
      name.textContent = spec.labels[i]!;
      item.append(name);
    }
    if (target) {
      renew[i] = grip(item, plot, {
        label: spec.labels?.[i] ?? `${spec.label ?? "point"} ${i + 1}`, offset: true,
        position: () => where(i),
        move: (x, y) => {
          const raw = scene.input(target.ref).raw;
          if (!(raw instanceof Float64Array)) return;
          const copy = raw.slice();
          copy[2 * i] = x;
          copy[2 * i + 1] = y;
          scene.set(target.ref, copy);
        },
      });
    }
    return item;
  };
  const show = (item: SVGGElement, looks: Float64Array, i: number, classed: boolean): void => {
    const [x, y, k, s, ring] = looks.subarray(LOOKS * i, LOOKS * (i + 1)) as unknown as [number, number, number, number, number];
    if (!Number.isFinite(x + y)) return attributes(item, { display: "none" });
    attributes(item, { display: undefined, transform: `translate(${round(x)},${round(y)})` });
    attributes(item.querySelector(".nn-dot")!, {
      d: shape(k, Math.PI * s * s), fill: classed ? classColor(k) : cssColor(spec.color, "series0"),
    });
    item.classList.toggle("nn-ringed", ring > 0);
  };
  return {
    spec,
    reach: { x: [spec.x], y: [spec.y] },
    update() {
      const xy = scene.get(spec.xy);
      const xs = scene.get(spec.x);
      const ys = scene.get(spec.y);
      const n = xy ? xy.data.length >> 1 : count(xs, ys);
      const classes = scene.get(spec.classes);
      const size = scene.get(spec.size);
      const ring = scene.get(spec.mark);
      resize(items, n, parent, make);
      if (drawn.length !== LOOKS * n) drawn = new Float64Array(LOOKS * n).fill(NaN);
      for (let i = 0; i < n; i++) {
        const x = plot.x(xy ? xy.data[2 * i]! : at(xs, i));
        const y = plot.y(xy ? xy.data[2 * i + 1]! : at(ys, i));
        const item = items[i]!;
        const k = classes ? Math.max(0, Math.round(at(classes, i, 0))) : 1;
        if (!noted(drawn, i, [x, y, k, at(size, i, 4), at(ring, i, 0)])) show(item, drawn, i, !!classes);
        if (!Number.isFinite(x + y)) continue;
        if (isClickable(clicks)) {
          markButton(item, spec.labels?.[i] ?? (spec.select && spec.label ? `${spec.label} ${i}` : `point ${i + 1}`), chosen(scene, clicks, i), i === 0);
        }
        renew[i]?.();
      }
    },
    legend() {
      const names = spec.class_names;
      if (!names) {
        if (!spec.label || spec.classes) return [];
        return [[spec.label, symbolSwatch(1, cssColor(spec.color, "series0"))]];
      }
      return names.map((name, k) => [name, symbolSwatch(k, classColor(k))]);
    },
  };
};
