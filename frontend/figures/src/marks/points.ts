// Points: coloured by class, with names and rings, for clicking or dragging.

import { symbol, symbolCircle, symbolCross, symbolDiamond, symbolSquare, symbolStar, symbolTriangle } from "d3-shape";
import { classColor, cssColor } from "../color.js";
import { attributes, resize, svg } from "../dom.js";
import type { Live, PointsSpec } from "../grammar.js";
import { buttons, chosen, click, type Clicks, grip, isClickable, markButton } from "../grip.js";
import { entryAt, type Make, type Mark, maxLength, type Plot, round } from "./mark.js";

const SHAPES = [symbolSquare, symbolCircle, symbolTriangle, symbolDiamond, symbolCross, symbolStar];
const shape = (k: number, area: number): string => symbol(SHAPES[k <= 0 ? 0 : k % SHAPES.length]!, area)() ?? "";

function symbolSwatch(k: number, color: string): Node {
  const dot = svg("path", { d: shape(k, 60), fill: color, transform: "translate(8,8)" });
  return svg("svg", { width: 16, height: 16, "aria-hidden": "true" }, dot);
}

/** The numbers that determine how a point is drawn: x, y, class, size, ring. */
type Appearance = readonly [number, number, number, number, number];
const NUMBERS_PER_POINT = 5;

/** How the points were last drawn, so that only those that have changed are drawn again. */
class DrawnPoints {
  private drawn = new Float64Array();

  resize(count: number): void {
    if (this.drawn.length !== NUMBERS_PER_POINT * count) this.drawn = new Float64Array(NUMBERS_PER_POINT * count).fill(NaN);
  }

  /** Stores how point i is drawn now; returns whether that has changed. */
  change(i: number, appearance: Appearance): boolean {
    let changed = false;
    appearance.forEach((v, k) => {
      if (this.drawn[NUMBERS_PER_POINT * i + k] === v) return;
      this.drawn[NUMBERS_PER_POINT * i + k] = v;
      changed = true;
    });
    return changed;
  }
}

class Points implements Mark {
  readonly extent: Mark["extent"];
  private readonly items: SVGGElement[] = [];
  private readonly drawn = new DrawnPoints();
  private readonly updateGrips: (() => void)[] = [];
  private readonly clicks: Clicks;
  /** The input that holds the points, if they can be dragged. */
  private readonly target: Live | undefined;
  private readonly parent: SVGGElement;

  constructor(readonly spec: PointsSpec, private readonly plot: Plot, layer: SVGGElement) {
    const { scene } = plot;
    this.extent = { x: [spec.x], y: [spec.y] };
    this.clicks = { ...(spec.select && { select: spec.select }), ...(spec.toggle && { toggle: spec.toggle }) };
    this.target = spec.drag && scene.canSet(spec.xy) ? spec.xy : undefined;
    this.parent = this.target ? plot.above : layer;
    if (isClickable(this.clicks)) buttons(this.parent, () => this.items, (i) => click(scene, this.clicks, i));
  }

  update(): void {
    const { plot, spec, items, drawn, plot: { scene } } = this;
    const positions = this.positions();
    const classes = scene.get(spec.classes);
    const size = scene.get(spec.size);
    const ring = scene.get(spec.mark);
    resize(items, positions.count, this.parent, (i) => this.make(i));
    drawn.resize(positions.count);
    for (let i = 0; i < positions.count; i++) {
      const x = plot.x(positions.x(i));
      const y = plot.y(positions.y(i));
      const k = classes ? Math.max(0, Math.round(entryAt(classes, i, 0))) : 1;
      const appearance: Appearance = [x, y, k, entryAt(size, i, 4), entryAt(ring, i, 0)];
      if (drawn.change(i, appearance)) this.show(items[i]!, appearance, !!classes);
      if (!Number.isFinite(x + y)) continue;
      if (isClickable(this.clicks)) markButton(items[i]!, this.nameToClick(i), chosen(scene, this.clicks, i), i === 0);
      this.updateGrips[i]?.();
    }
  }

  legend(): [string, Node][] {
    const { spec } = this;
    if (spec.class_names) return spec.class_names.map((name, k) => [name, symbolSwatch(k, classColor(k))]);
    if (!spec.label || spec.classes) return [];
    return [[spec.label, symbolSwatch(1, cssColor(spec.color, "series0"))]];
  }

  /** The number of points and their data coordinates, from one array of pairs or from separate x and y. */
  private positions(): { count: number; x(i: number): number; y(i: number): number } {
    const { spec, plot: { scene } } = this;
    const xy = scene.get(spec.xy);
    if (xy) return { count: xy.data.length >> 1, x: (i) => xy.data[2 * i]!, y: (i) => xy.data[2 * i + 1]! };
    const [xs, ys] = [scene.get(spec.x), scene.get(spec.y)];
    return { count: maxLength(xs, ys), x: (i) => entryAt(xs, i), y: (i) => entryAt(ys, i) };
  }

  private make(i: number): SVGGElement {
    const { spec, target } = this;
    const item = svg("g", { class: "nn-point" }, svg("path", { class: "nn-dot" }));
    if (target || isClickable(this.clicks)) item.prepend(svg("circle", { r: 13, fill: "transparent" }));
    if (spec.labels?.[i]) {
      const name = svg("text", { x: 8, y: -7, class: "nn-label" });
      name.textContent = spec.labels[i]!;
      item.append(name);
    }
    if (target) this.updateGrips[i] = this.makeMovable(item, i, target);
    return item;
  }

  private makeMovable(item: SVGGElement, i: number, target: Live): () => void {
    const { spec, plot, plot: { scene } } = this;
    return grip(item, plot, {
      label: spec.labels?.[i] ?? `${spec.label ?? "point"} ${i + 1}`, offset: true,
      position: () => {
        const { x, y } = this.positions();
        return [x(i), y(i)];
      },
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

  private show(item: SVGGElement, [x, y, k, size, ring]: Appearance, hasClasses: boolean): void {
    if (!Number.isFinite(x + y)) return attributes(item, { display: "none" });
    attributes(item, { display: undefined, transform: `translate(${round(x)},${round(y)})` });
    attributes(item.querySelector(".nn-dot")!, {
      d: shape(k, Math.PI * size * size), fill: hasClasses ? classColor(k) : cssColor(this.spec.color, "series0"),
    });
    item.classList.toggle("nn-ringed", ring > 0);
  }

  private nameToClick(i: number): string {
    const { labels, select, label } = this.spec;
    return labels?.[i] ?? (select && label ? `${label} ${i}` : `point ${i + 1}`);
  }
}

export const points: Make<PointsSpec> = (spec, plot, layer) => new Points(spec, plot, layer);
