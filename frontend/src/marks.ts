// What is drawn inside axes: each mark makes its elements once and moves them when numbers change.

import { contours } from "d3-contour";
import {
  symbol, symbolCircle, symbolCross, symbolDiamond, symbolSquare, symbolStar, symbolTriangle,
} from "d3-shape";
import { classColor, cssColor, paintPixels, span, table } from "./color.js";
import { attributes, element, resize, setText, svg, uniqueId } from "./dom.js";
import { formatNumber } from "./format.js";
import { buttons, chosen, click, type Clicks, type Frame, grip, isClickable, markButton } from "./grip.js";
import type { Scene, Value } from "./scene.js";
import { type DragRule, isLive, type PartSpec, type Ref, type Words } from "./spec.js";
import { words } from "./words.js";

export interface Plot extends Frame {
  readonly scene: Scene;
  /** Data to pixels, one number at a time. */
  x(v: number): number;
  y(v: number): number;
  readonly width: number;
  readonly height: number;
  /** The element whose style carries the theme. */
  readonly root: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  /** Marks that are not cut off at the frame. */
  readonly above: SVGGElement;
}

export interface Mark {
  readonly spec: MarkSpec;
  update(): void;
  /** Legend entries: name and swatch. */
  legend?(): [string, Node][];
  remove?(): void;
}

export interface MarkSpec extends PartSpec {
  readonly color?: string;
  readonly label?: string;
  readonly width?: number;
  readonly dash?: boolean;
  readonly arrow?: boolean;
  readonly x?: Ref; readonly y?: Ref; readonly xy?: Ref; readonly z?: Ref;
  readonly x0?: Ref; readonly y0?: Ref; readonly x1?: Ref; readonly y1?: Ref;
  readonly dx?: Ref; readonly dy?: Ref; readonly scale?: Ref;
  readonly w0?: Ref; readonly w1?: Ref; readonly w2?: Ref; readonly band?: Ref;
  readonly slope?: Ref; readonly intercept?: Ref;
  readonly height?: Ref; readonly base?: Ref; readonly classes?: Ref; readonly size?: Ref; readonly mark?: Ref;
  readonly labels?: readonly string[]; readonly class_names?: readonly string[];
  readonly xlim?: readonly [number, number]; readonly ylim?: readonly [number, number];
  readonly levels?: number | readonly number[]; readonly fill?: boolean;
  readonly colors?: string; readonly range?: readonly [number, number]; readonly smooth?: boolean;
  readonly drag?: DragRule | true;
  readonly select?: string; readonly toggle?: string; readonly step?: number; readonly format?: string;
  readonly text?: Words; readonly anchor?: string;
}

type Make = (spec: MarkSpec, plot: Plot, layer: SVGGElement) => Mark;

const SHAPES = [symbolSquare, symbolCircle, symbolTriangle, symbolDiamond, symbolCross, symbolStar];
const shape = (k: number, area: number): string => symbol(SHAPES[k <= 0 ? 0 : k % SHAPES.length]!, area)() ?? "";
const at = (v: Value | undefined, i: number, otherwise = NaN): number =>
  v ? (v.data.length === 1 ? v.data[0]! : v.data[i] ?? otherwise) : otherwise;
const count = (...values: (Value | undefined)[]): number => Math.max(0, ...values.map((v) => v?.data.length ?? 0));
const round = (v: number): number => Math.round(v * 100) / 100;

function stroke(spec: MarkSpec, otherwise: string): Record<string, string | number> {
  const made: Record<string, string | number> = {
    fill: "none", stroke: cssColor(spec.color, otherwise), "stroke-width": spec.width ?? 2,
    "stroke-linejoin": "round", "stroke-linecap": "round",
  };
  if (spec.dash) made["stroke-dasharray"] = "6 5";
  return made;
}

function swatch(spec: MarkSpec): Node {
  const line = svg("line", { x1: 1, x2: 21, y1: 8, y2: 8, ...stroke(spec, "series0") });
  return svg("svg", { width: 22, height: 16, "aria-hidden": "true" }, line);
}

const named = (spec: MarkSpec) => (): [string, Node][] => (spec.label ? [[spec.label, swatch(spec)]] : []);

/** A polyline's path data; gaps where a number is missing. */
export function polyline(n: number, px: (i: number) => number, py: (i: number) => number): string {
  let d = "";
  let pen = false;
  for (let i = 0; i < n; i++) {
    const a = px(i);
    const b = py(i);
    if (!Number.isFinite(a + b) || Math.abs(a) > 1e5 || Math.abs(b) > 1e5) {
      pen = false;
      continue;
    }
    d += `${pen ? "L" : "M"}${round(a)},${round(b)}`;
    pen = true;
  }
  return d;
}

const curve: Make = (spec, plot, layer) => {
  const paths: SVGPathElement[] = [];
  const rule = spec.drag;
  let tip: string | undefined;
  if (spec.arrow) {
    tip = uniqueId("tip");
    layer.append(arrowHead(tip, cssColor(spec.color, "series0")));
  }
  let renew: (() => void) | undefined;
  let handle: SVGPathElement | undefined;
  let last: [number, number] | undefined;
  if (rule && rule !== true) {
    handle = svg("path", { fill: "none", stroke: "transparent", "stroke-width": 24, class: "nn-curve-grip" });
    renew = grip(handle, plot, {
      label: spec.label ?? "curve", offset: false, step: spec.step,
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
    return [at(x, i), at(plot.scene.get(spec.y), i)];
  };
  return {
    spec,
    legend: named(spec),
    update() {
      const x = plot.scene.get(spec.x);
      const y = plot.scene.get(spec.y);
      const n = x?.data.length ?? 0;
      const rows = y && y.shape.length > 1 ? y.shape[0]! : 1;
      resize(paths, rows, layer, () =>
        svg("path", { ...stroke(spec, "series0"), "marker-end": tip && `url(#${tip})` }));
      paths.forEach((path, r) => {
        const from = rows > 1 ? r * n : 0;
        path.setAttribute("d", polyline(n, (i) => plot.x(x!.data[i]!), (i) => plot.y(at(y, from + i))));
      });
      if (handle) {
        // below the handles that stand on the curve
        if (!handle.parentNode) plot.above.prepend(handle);
        handle.setAttribute("d", paths[0]?.getAttribute("d") ?? "");
        renew?.();
      }
    },
  };
};

const points: Make = (spec, plot, layer) => {
  const { scene } = plot;
  const items: SVGGElement[] = [];
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
        label: spec.labels?.[i] ?? `${spec.label ?? "point"} ${i + 1}`, offset: true, step: spec.step,
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
  return {
    spec,
    update() {
      const xy = scene.get(spec.xy);
      const xs = scene.get(spec.x);
      const ys = scene.get(spec.y);
      const n = xy ? xy.data.length >> 1 : count(xs, ys);
      const classes = scene.get(spec.classes);
      const size = scene.get(spec.size);
      const ring = scene.get(spec.mark);
      resize(items, n, parent, make);
      for (let i = 0; i < n; i++) {
        const x = plot.x(xy ? xy.data[2 * i]! : at(xs, i));
        const y = plot.y(xy ? xy.data[2 * i + 1]! : at(ys, i));
        const item = items[i]!;
        const dot = item.querySelector(".nn-dot")!;
        if (!Number.isFinite(x + y)) {
          item.setAttribute("display", "none");
          continue;
        }
        item.removeAttribute("display");
        item.setAttribute("transform", `translate(${round(x)},${round(y)})`);
        const k = classes ? Math.max(0, Math.round(at(classes, i, 0))) : 1;
        const s = at(size, i, 4);
        dot.setAttribute("d", shape(k, Math.PI * s * s));
        attributes(dot, { fill: classes ? classColor(k) : cssColor(spec.color, "series0") });
        item.classList.toggle("nn-ringed", at(ring, i, 0) > 0);
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

function symbolSwatch(k: number, color: string): Node {
  const dot = svg("path", { d: shape(k, 60), fill: color, transform: "translate(8,8)" });
  return svg("svg", { width: 16, height: 16, "aria-hidden": "true" }, dot);
}

const handle: Make = (spec, plot) => {
  const { scene } = plot;
  const dot = svg("circle", { r: Number(spec.size ?? 7), class: "nn-knob" });
  dot.style.setProperty("--nn-knob", cssColor(spec.color, "accent"));
  const item = svg("g", {}, svg("circle", { r: 15, fill: "transparent" }), dot);
  plot.above.append(item);
  const position = (): [number, number] => [scene.number(spec.x), scene.number(spec.y)];
  const renew = grip(item, plot, {
    label: spec.label ?? "handle", offset: true, step: spec.step, position,
    move: (x, y) => {
      if (spec.drag && spec.drag !== true) scene.drag(spec.drag, x, y);
    },
  });
  return {
    spec,
    remove: () => item.remove(),
    update() {
      const shown = scene.shown(spec.when);
      const [x, y] = position();
      const [px, py] = [plot.x(x), plot.y(y)];
      if (!shown || !Number.isFinite(px + py)) item.setAttribute("display", "none");
      else {
        item.removeAttribute("display");
        // what lies outside stays at the frame's edge, where it can be taken hold of
        const inX = Math.min(plot.width, Math.max(0, px));
        const inY = Math.min(plot.height, Math.max(0, py));
        item.setAttribute("transform", `translate(${round(inX)},${round(inY)})`);
      }
      renew();
    },
  };
};

/** The two points where w0 + w1 x + w2 y = 0 meets a box, in data. */
function across(w0: number, w1: number, w2: number, x: readonly number[], y: readonly number[]): number[] | null {
  if (Math.abs(w1) + Math.abs(w2) < 1e-12) return null;
  const [x0, x1, y0, y1] = [x[0]!, x[1]!, y[0]!, y[1]!];
  const steep = Math.abs(w1) * Math.abs(x1 - x0) > Math.abs(w2) * Math.abs(y1 - y0);
  return steep
    ? [-(w0 + w2 * y0) / w1, y0, -(w0 + w2 * y1) / w1, y1]
    : [x0, -(w0 + w1 * x0) / w2, x1, -(w0 + w1 * x1) / w2];
}

const line: Make = (spec, plot, layer) => {
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
    legend: named(spec),
    update() {
      const [w0, w1, w2] = coefficients();
      const { x, y } = plot.limits();
      const ends = across(w0, w1, w2, x, y);
      path.setAttribute("d", ends ? `M${pixels(ends).map((p) => p.map(round)).join("L")}` : "");
      const half = spec.band ? scene.number(spec.band) : 0;
      const a = half ? across(w0 - half, w1, w2, x, y) : null;
      const b = half ? across(w0 + half, w1, w2, x, y) : null;
      band.setAttribute("d", a && b ? `M${[...pixels(a), ...pixels(b).reverse()].map((p) => p.map(round)).join("L")}Z` : "");
    },
  };
};

const segments: Make = (spec, plot, layer) => {
  const path = svg("path", stroke(spec, "muted"));
  layer.append(path);
  return {
    spec,
    legend: named(spec),
    update() {
      const [x0, y0, x1, y1] = [spec.x0, spec.y0, spec.x1, spec.y1].map((r) => plot.scene.get(r));
      let d = "";
      for (let i = 0; i < count(x0, y0, x1, y1); i++) {
        d += polyline(2, (k) => plot.x(at(k ? x1 : x0, i)), (k) => plot.y(at(k ? y1 : y0, i)));
      }
      path.setAttribute("d", d);
    },
  };
};

function arrowHead(id: string, color: string): Element {
  const tip = svg("path", { d: "M0,0L9,4.5L0,9L2.5,4.5Z", fill: color });
  return svg("marker", {
    id, viewBox: "0 0 9 9", refX: 7, refY: 4.5, markerWidth: 9, markerHeight: 9, orient: "auto-start-reverse",
    markerUnits: "userSpaceOnUse",
  }, tip);
}

const arrows: Make = (spec, plot, layer) => {
  const id = uniqueId("tip");
  const paths: SVGPathElement[] = [];
  layer.append(arrowHead(id, cssColor(spec.color, "gradient")));
  return {
    spec,
    legend: named(spec),
    update() {
      const [x, y, dx, dy] = [spec.x, spec.y, spec.dx, spec.dy].map((r) => plot.scene.get(r));
      const scale = plot.scene.number(spec.scale, 1);
      resize(paths, count(x, y, dx, dy), layer, () =>
        svg("path", { ...stroke(spec, "gradient"), "marker-end": `url(#${id})` }));
      paths.forEach((path, i) => {
        const a = plot.x(at(x, i));
        const b = plot.y(at(y, i));
        const c = plot.x(at(x, i) + scale * at(dx, i));
        const d = plot.y(at(y, i) + scale * at(dy, i));
        const tiny = Math.hypot(c - a, d - b) < 0.5;
        path.setAttribute("d", tiny ? "" : polyline(2, (k) => (k ? c : a), (k) => (k ? d : b)));
      });
    },
  };
};

const bars: Make = (spec, plot, layer) => {
  const { scene } = plot;
  const items: SVGGElement[] = [];
  const clicks: Clicks = spec.select ? { select: spec.select } : {};
  if (spec.select) buttons(layer, () => items, (i) => click(scene, clicks, i));
  return {
    spec,
    legend: named(spec),
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
        const half = ((spec.width ?? 0.8) * gap) / 2;
        const [left, right] = [plot.x(middle - half), plot.x(middle + half)];
        const [top, foot] = [plot.y(height!.data[i]!), plot.y(at(base, i, 0) || 0)];
        const ok = Number.isFinite(top + foot);
        attributes(item.firstElementChild!, {
          x: round(left), width: round(Math.max(0, right - left)),
          y: ok ? round(Math.min(top, foot)) : 0, height: ok ? round(Math.abs(foot - top)) : 0,
          fill: classes ? classColor(at(classes, i)) : cssColor(spec.color, "series0"),
        });
        const number = item.lastElementChild!;
        if (spec.format !== undefined) {
          attributes(number, { x: round((left + right) / 2), y: round(top > foot ? top + 13 : top - 4) });
          setText(number, formatNumber(height!.data[i]!, spec.format));
        }
        if (spec.select) markButton(item, spec.labels?.[i] ?? `bar ${i + 1}`, chosen(scene, clicks, i), i === 0);
      });
    },
  };
};

const area: Make = (spec, plot, layer) => {
  const path = svg("path", { fill: cssColor(spec.color, "series0"), class: "nn-area" });
  layer.append(path);
  return {
    spec,
    legend: named(spec),
    update() {
      const [x, y, base] = [spec.x, spec.y, spec.base].map((r) => plot.scene.get(r));
      const n = x?.data.length ?? 0;
      const k = (i: number): number => (i < n ? i : 2 * n - 1 - i);
      const d = polyline(2 * n, (i) => plot.x(at(x, k(i))), (i) => plot.y(i < n ? at(y, i) : at(base, k(i), 0)));
      path.setAttribute("d", d && `${d}Z`);
    },
  };
};

const contour: Make = (spec, plot, layer) => {
  const paths: SVGPathElement[] = [];
  return {
    spec,
    legend: named(spec),
    update() {
      const z = plot.scene.get(spec.z);
      if (!z || z.shape.length !== 2) return;
      const [h, w] = [z.shape[0]!, z.shape[1]!];
      const [low, high] = span(z.data, "", undefined);
      const { levels = 10 } = spec;
      const thresholds = typeof levels === "number"
        ? Array.from({ length: levels }, (_, k) => low + ((k + 0.5) / levels) * (high - low))
        : [...levels];
      const rings = contours().size([w, h]).thresholds(thresholds)(Array.from(z.data));
      const [x0, x1] = spec.xlim!;
      const [y0, y1] = spec.ylim!;
      // d3's cells are centred on halves: value (r, c) stands at (c + ½, r + ½)
      const px = (c: number): number => plot.x(x0 + ((c - 0.5) / (w - 1)) * (x1 - x0));
      const py = (r: number): number => plot.y(y0 + ((r - 0.5) / (h - 1)) * (y1 - y0));
      resize(paths, rings.length, layer, () => svg("path", { ...stroke({ ...spec, width: spec.width ?? 1 }, "muted"), class: "nn-contour" }));
      rings.forEach((ring, k) => {
        const d = ring.coordinates.flat().map((loop) =>
          `M${loop.map((p) => `${round(px(p[0]!))},${round(py(p[1]!))}`).join("L")}Z`).join("");
        const path = paths[k]!;
        path.setAttribute("d", d);
        if (spec.fill) attributes(path, { fill: cssColor(spec.color, "muted"), "fill-opacity": 0.09 });
        path.setAttribute("stroke-opacity", String(0.35 + (0.6 * k) / Math.max(1, rings.length - 1)));
      });
    },
  };
};

const heat: Make = (spec, plot) => {
  let image: ImageData | undefined;
  const small = element("canvas");
  return {
    spec,
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
      const scale = spec.colors ?? "classes";
      const [low, high] = span(z.data, scale, spec.range);
      paintPixels(image, z.data, 0, table(plot.root, scale), low, high, true);
      smallContext.putImageData(image, 0, 0);
      const ratio = plot.canvas.width / (plot.width || 1);
      const [x0, x1] = [plot.x(spec.xlim![0]), plot.x(spec.xlim![1])];
      const [y0, y1] = [plot.y(spec.ylim![0]), plot.y(spec.ylim![1])];
      // grid values stand at the rectangle's edges: half a cell reaches beyond them
      const [dx, dy] = [(x1 - x0) / Math.max(1, w - 1) / 2, (y0 - y1) / Math.max(1, h - 1) / 2];
      context.imageSmoothingEnabled = spec.smooth ?? true;
      context.drawImage(small, (x0 - dx) * ratio, (y1 - dy) * ratio, (x1 - x0 + 2 * dx) * ratio, (y0 - y1 + 2 * dy) * ratio);
    },
  };
};

const label: Make = (spec, plot, layer) => {
  const node = svg("text", { class: "nn-label", fill: cssColor(spec.color, "ink"), "text-anchor": spec.anchor });
  layer.append(node);
  return {
    spec,
    update() {
      const x = plot.x(plot.scene.number(spec.x));
      const y = plot.y(plot.scene.number(spec.y));
      const shown = Number.isFinite(x + y);
      const shift = spec as unknown as { dx?: number; dy?: number };
      attributes(node, { x: shown ? round(x + (shift.dx ?? 0)) : 0, y: shown ? round(y + (shift.dy ?? 0)) : 0, display: shown ? undefined : "none" });
      setText(node, words(plot.scene, spec.text ?? []));
    },
  };
};

const makers: Record<string, Make> = { curve, points, handle, line, segments, arrows, bars, area, contour, heat, label };

export function makeMark(spec: MarkSpec, plot: Plot, layer: SVGGElement): Mark {
  const make = makers[spec.kind];
  if (!make) throw new Error(`this page cannot draw the mark "${spec.kind}": it may come from a newer nnlib`);
  return make(spec, plot, layer);
}

/** Whether a mark can change only with the axes. */
export const isFixed = (spec: MarkSpec): boolean =>
  spec.kind !== "heat" && !spec.drag && !spec.select && !spec.toggle && !spec.text &&
  Object.values(spec).every((field) => typeof field !== "object" || field === null || Array.isArray(field) || !("ref" in field) || !isLive(field as Ref));
