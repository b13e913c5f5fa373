// The plane in which marks are drawn: its elements, its size, and the conversion between data and pixels.

import { AvailableSpace } from "../available-space.js";
import { attributes, element, svg, uniqueId } from "../dom.js";
import type { AxesSpec } from "../grammar.js";
import type { Plot } from "../marks/mark.js";
import type { Scene } from "../scene.js";
import { Scales } from "./scales.js";
import { type Box, Ticks } from "./ticks.js";

/** The width of the previous plot if both specify the same one, else Infinity: so a last plot that wraps is not wider than the others. */
function widthOfPrevious(root: HTMLElement): number {
  const previous = root.previousElementSibling;
  const sameWidth = previous instanceof HTMLElement && previous.classList.contains("nn-axes")
    && previous.style.getPropertyValue("--nn-width") === root.style.getPropertyValue("--nn-width");
  return sameWidth && previous.clientWidth ? previous.clientWidth : Infinity;
}

/** Margins around the plane for ticks and axis names. */
function marginsOf({ frame, xlabel, ylabel }: AxesSpec): { left: number; right: number; top: number; bottom: number } {
  const bottom = frame ? (xlabel ? 42 : 26) : 8;
  return { left: frame ? 46 : 8, right: 12, top: ylabel && frame ? 24 : 10, bottom };
}

export class Plane implements Plot {
  readonly scales: Scales;
  readonly space: AvailableSpace;
  readonly root = element("div", { class: "nn-axes" });
  readonly node: SVGGElement;
  /** Marks that are cut off at the frame. */
  readonly layer: SVGGElement;
  readonly above = svg("g");
  /** Below the marks; takes pointer events where there is no mark. */
  readonly backdrop = svg("rect", { fill: "transparent" });
  readonly canvas = element("canvas", { class: "nn-map", "aria-hidden": "true" });
  private readonly ticks: Ticks;
  private readonly clipBox = svg("rect");
  private readonly picture: SVGSVGElement;
  private readonly box: HTMLElement;
  private readonly hasMap: boolean;
  private readonly margins: ReturnType<typeof marginsOf>;
  /** The size of the whole picture, margins included. */
  private size: { width: number; height: number };

  constructor(private readonly spec: AxesSpec, readonly scene: Scene) {
    this.scales = new Scales(spec);
    this.ticks = new Ticks(spec);
    this.margins = marginsOf(spec);
    this.size = { width: spec.width, height: spec.height };
    this.hasMap = spec.marks.some((m) => m.kind === "heat");
    const clip = uniqueId("clip");
    const { gridLines, xAxis, yAxis, xName, yName } = this.ticks;
    this.layer = svg("g", { "clip-path": `url(#${clip})` });
    this.node = svg("g", {}, gridLines, this.backdrop, this.layer, xAxis, yAxis, this.above);
    this.picture = svg("svg", { class: "nn-svg", role: "group", "aria-label": spec.title ?? spec.ylabel ?? "plot" },
      svg("defs", {}, svg("clipPath", { id: clip }, this.clipBox)), this.node, xName, yName);
    this.box = element("div", { class: "nn-plot" }, this.canvas, this.picture);
    const { root } = this;
    root.style.setProperty("--nn-width", `${spec.width}px`);
    if (spec.title) root.append(element("div", { class: "nn-view-title" }, spec.title));
    root.append(this.box);
    this.space = new AvailableSpace(root, () => root.clientWidth && Math.min(root.clientWidth, widthOfPrevious(root)));
  }

  get width(): number {
    return this.size.width - this.margins.left - this.margins.right;
  }

  get height(): number {
    return this.size.height - this.margins.top - this.margins.bottom;
  }

  x(v: number): number {
    return this.scales.x(v);
  }

  y(v: number): number {
    return this.scales.y(v);
  }

  toPixels(a: number, b: number): [number, number] {
    return [this.x(a), this.y(b)];
  }

  toData(px: number, py: number): [number, number] {
    return [this.scales.x.invert(px), this.scales.y.invert(py)];
  }

  limits(): { x: [number, number]; y: [number, number] } {
    return { x: this.scales.x.domain() as [number, number], y: this.scales.y.domain() as [number, number] };
  }

  settle(): void {
    this.scene.settle();
  }

  /** Lays the plane out for the available width. */
  fit(): void {
    const { spec, space, margins, scales } = this;
    space.stale = false;
    const { scale } = space;
    this.root.style.setProperty("--nn-width", `${spec.width * scale}px`);
    this.size = this.sizeFor((space.width || spec.width * scale) / scale);
    const { size: { width, height }, width: w, height: h } = this;
    attributes(this.picture, { width: width * scale, height: height * scale, viewBox: `0 0 ${width} ${height}` });
    attributes(this.node, { transform: `translate(${margins.left},${margins.top})` });
    attributes(this.clipBox, { x: -1, y: -1, width: w + 2, height: h + 2 });
    attributes(this.backdrop, { width: w, height: h });
    this.fitMap(scale);
    this.box.style.width = `${width * scale}px`;
    scales.x.range([0, w]);
    scales.y.range([h, 0]);
  }

  drawTicks(): void {
    const { width, height } = this;
    this.ticks.draw(this.scales, { ...this.margins, width, height } satisfies Box);
  }

  clearMap(): void {
    if (this.hasMap) this.canvas.getContext("2d")?.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  /** The picture's size for an available width in pixels. */
  private sizeFor(available: number): { width: number; height: number } {
    const { spec, margins: { left, right, top, bottom } } = this;
    const width = Math.max(Math.min(220, spec.width * 0.78), Math.min(available, spec.width * 1.25));
    if (!spec.equal) return { width, height: Math.round(spec.height * Math.max(0.75, Math.min(1.1, width / spec.width))) };
    const unit = (width - left - right) / Math.abs(spec.xlim[1] - spec.xlim[0]);
    return { width, height: Math.round(unit * Math.abs(spec.ylim[1] - spec.ylim[0])) + top + bottom };
  }

  /** Aligns the canvas for heat maps with the plane, at the screen's resolution. */
  private fitMap(scale: number): void {
    const { canvas, hasMap, width: w, height: h, margins: { left, top } } = this;
    const ratio = Math.min(2, devicePixelRatio || 1) * scale;
    canvas.width = hasMap ? Math.round(w * ratio) : 0;
    canvas.height = hasMap ? Math.round(h * ratio) : 0;
    Object.assign(canvas.style, { left: `${left * scale}px`, top: `${top * scale}px`, width: `${w * scale}px`, height: `${h * scale}px` });
  }
}
