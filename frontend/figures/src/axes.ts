// Axes: scales, ticks, the plane in which marks stand, its canvas for maps, its legend.

import { type Axis, axisBottom, axisLeft } from "d3-axis";
import { type NumberValue, type ScaleContinuousNumeric, scaleLinear, scaleLog } from "d3-scale";
import { select } from "d3-selection";
import { attributes, element, setText, svg, uniqueId } from "./dom.js";
import { formatNumber } from "./format.js";
import type { AxesSpec } from "./grammar.js";
import { grip } from "./grip.js";
import { isFixed, makeMark } from "./marks/make.js";
import type { Mark, Plot } from "./marks/mark.js";
import { Room } from "./room.js";
import type { Builder } from "./view.js";

type Scale = ScaleContinuousNumeric<number, number>;
/** A tick of a logarithmic axis: 0.01, but 1e-4, so that small ones find room. */
const power = (v: { valueOf(): number }): string => {
  const x = v.valueOf();
  return formatNumber(x, x < 1e-3 || x >= 1e5 ? "~e" : "~g");
};
const makeScale = (kind: string): Scale => (kind === "log" ? scaleLog() : scaleLinear());

/** The width of the picture before it in its row, if both are of one size: a last one that had to wrap stays as wide. */
function besideIt(root: HTMLElement): number {
  const before = root.previousElementSibling;
  const same = before instanceof HTMLElement && before.classList.contains("nn-axes")
    && before.style.getPropertyValue("--nn-width") === root.style.getPropertyValue("--nn-width");
  return same && before.clientWidth ? before.clientWidth : Infinity;
}

export const axes: Builder<AxesSpec> = (spec, { scene }) => {
  const x = makeScale(spec.xscale);
  const y = makeScale(spec.yscale);
  x.domain([...spec.xlim]);
  y.domain([...spec.ylim]);
  const clip = uniqueId("clip");
  const clipBox = svg("rect");
  const gridLines = svg("g", { class: "nn-gridlines", "aria-hidden": "true" });
  const layer = svg("g", { "clip-path": `url(#${clip})` });
  const above = svg("g");
  const xAxis = svg("g", { class: "nn-axis", "aria-hidden": "true" });
  const yAxis = svg("g", { class: "nn-axis", "aria-hidden": "true" });
  const backdrop = svg("rect", { fill: "transparent" });
  const plane = svg("g", {}, gridLines, backdrop, layer, xAxis, yAxis, above);
  const xName = svg("text", { class: "nn-axis-name", "text-anchor": "middle" });
  const yName = svg("text", { class: "nn-axis-name", "text-anchor": "start" });
  const picture = svg("svg", { class: "nn-svg", role: "group", "aria-label": spec.title ?? spec.ylabel ?? "plot" },
    svg("defs", {}, svg("clipPath", { id: clip }, clipBox)), plane, xName, yName);
  const canvas = element("canvas", { class: "nn-map", "aria-hidden": "true" });
  const box = element("div", { class: "nn-plot" }, canvas, picture);
  const legend = element("ul", { class: "nn-legend" });
  const root = element("div", { class: "nn-axes" });
  root.style.setProperty("--nn-width", `${spec.width}px`);
  if (spec.title) root.append(element("div", { class: "nn-view-title" }, spec.title));
  root.append(box, legend);

  const room = new Room(root, () => root.clientWidth && Math.min(root.clientWidth, besideIt(root)));
  let width = spec.width;
  let height = spec.height;
  const left = spec.frame ? 46 : 8;
  const [right, top] = [12, spec.ylabel && spec.frame ? 24 : 10];
  const bottom = spec.frame ? (spec.xlabel ? 42 : 26) : 8;

  const plot: Plot = {
    scene, node: plane, root, canvas, above,
    x: (v) => x(v),
    y: (v) => y(v),
    get width() { return width - left - right; },
    get height() { return height - top - bottom; },
    toPixels: (a, b) => [x(a), y(b)],
    toData: (a, b) => [x.invert(a), y.invert(b)],
    limits: () => ({ x: x.domain() as [number, number], y: y.domain() as [number, number] }),
    settle: () => scene.settle(),
  };

  const marks: { mark: Mark; group: SVGGElement; fixed: boolean }[] = spec.marks.map((m) => {
    const group = svg("g", { class: `nn-mark-${m.kind}` });
    layer.append(group);
    return { mark: makeMark(m, plot, group), group, fixed: isFixed(m) };
  });
  const hasHeat = spec.marks.some((m) => m.kind === "heat");
  const entries = spec.legend ? marks.flatMap(({ mark }) => mark.legend?.() ?? []) : [];
  for (const [name, swatch] of entries) legend.append(element("li", {}, swatch, name));
  if (!entries.length) legend.remove();

  let renewPointer: (() => void) | undefined;
  if (spec.pointer) {
    const rule = spec.pointer;
    let last: [number, number] | undefined;
    const middle = (): [number, number] => [(spec.xlim[0] + spec.xlim[1]) / 2, (spec.ylim[0] + spec.ylim[1]) / 2];
    renewPointer = grip(backdrop, plot, {
      label: `${spec.title ?? spec.ylabel ?? "plot"}: position`, offset: false, surface: true,
      position: () => {
        if ("program" in rule) return last ?? middle();
        return [rule.x ? scene.number(rule.x) : middle()[0], rule.y ? scene.number(rule.y) : middle()[1]];
      },
      move: (a, b) => {
        last = [a, b];
        scene.drag(rule, a, b);
      },
    });
    backdrop.addEventListener("click", (event) => {
      const at = plane.getScreenCTM();
      if (!at) return;
      const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(at.inverse());
      const [a, b] = plot.toData(p.x, p.y);
      last = [a, b];
      scene.drag(rule, a, b);
    });
  }

  /** Grows the limits that the author left open. */
  const fit = (): boolean => {
    let moved = false;
    for (const [key, scale, side] of [["xlim", x, 0], ["ylim", y, 1]] as const) {
      if (!spec.fit?.includes(key)) continue;
      let [low, high] = spec.free ? [Infinity, -Infinity] : [...spec[key]];
      for (const { mark } of marks) {
        if (!scene.shown(mark.spec.when)) continue;
        for (const ref of mark.reach?.[side ? "y" : "x"] ?? []) {
          const data = scene.get(ref)?.data;
          for (let i = 0; i < (data?.length ?? 0); i++) {
            const v = data![i]!;
            if (v < low!) low = v;
            if (v > high! && Number.isFinite(v)) high = v;
          }
        }
      }
      if (!(low! <= high!) || !Number.isFinite(low! + high!)) [low, high] = [...spec[key]];
      if (spec.free && spec[side ? "yscale" : "xscale"] !== "log") {
        const pad = side ? (high! - low!) * 0.06 || 0.5 : low === high ? 1 : 0;
        low = side && low! >= 0 && low! < (high! - low!) * 0.5 ? 0 : low! - (side ? pad : 0);
        high = high! + pad;
      }
      const [a, b] = scale.domain();
      if (a !== low || b !== high) {
        scale.domain([low!, high!]);
        moved = true;
      }
    }
    return moved;
  };

  const layout = (): void => {
    room.stale = false;
    const { scale } = room;
    root.style.setProperty("--nn-width", `${spec.width * scale}px`);
    width = Math.max(Math.min(220, spec.width * 0.78), Math.min((room.width || spec.width * scale) / scale, spec.width * 1.25));
    height = Math.round(spec.height * Math.max(0.75, Math.min(1.1, width / spec.width)));
    if (spec.equal) {
      const unit = (width - left - right) / Math.abs(spec.xlim[1] - spec.xlim[0]);
      height = Math.round(unit * Math.abs(spec.ylim[1] - spec.ylim[0])) + top + bottom;
    }
    const [w, h] = [plot.width, plot.height];
    attributes(picture, { width: width * scale, height: height * scale, viewBox: `0 0 ${width} ${height}` });
    attributes(plane, { transform: `translate(${left},${top})` });
    attributes(clipBox, { x: -1, y: -1, width: w + 2, height: h + 2 });
    attributes(backdrop, { width: w, height: h });
    const ratio = Math.min(2, devicePixelRatio || 1) * scale;
    canvas.width = hasHeat ? Math.round(w * ratio) : 0;
    canvas.height = hasHeat ? Math.round(h * ratio) : 0;
    Object.assign(canvas.style, { left: `${left * scale}px`, top: `${top * scale}px`, width: `${w * scale}px`, height: `${h * scale}px` });
    box.style.width = `${width * scale}px`;
    x.range([0, plot.width]);
    y.range([plot.height, 0]);
  };

  const names = spec.marks.flatMap((m) => (m.kind === "bars" && m.labels ? [m.labels] : []))[0];
  const bottomAxis = (count: number): Axis<NumberValue> => names
    ? axisBottom(x).tickValues(names.map((_, i) => i)).tickFormat((v) => names[Number(v)] ?? "")
    : axisBottom(x).ticks(count, spec.xscale === "log" ? power : undefined);

  const drawAxes = (): void => {
    const [w, h] = [plot.width, plot.height];
    if (!spec.frame) return;
    attributes(xAxis, { transform: `translate(0,${h})` });
    const [across, up] = [Math.max(2, Math.round(w / 75)), Math.max(2, Math.round(h / 52))];
    select(xAxis).call(bottomAxis(across).tickSizeOuter(0).tickSize(5).tickPadding(5));
    select(yAxis).call(axisLeft(y).ticks(up, spec.yscale === "log" ? power : undefined).tickSizeOuter(0).tickSize(5).tickPadding(5));
    gridLines.replaceChildren(
      ...y.ticks(up).map((v) => svg("line", { x2: w, y1: y(v), y2: y(v) })),
    );
    attributes(xName, { x: left + w / 2, y: height - 6 });
    setText(xName, spec.xlabel ?? "");
    attributes(yName, { x: 4, y: 13 });
    setText(yName, spec.ylabel ?? "");
  };

  const draw = (all: boolean): void => {
    if (hasHeat) canvas.getContext("2d")?.clearRect(0, 0, canvas.width, canvas.height);
    for (const { mark, group, fixed } of marks) {
      const shown = scene.shown(mark.spec.when);
      group.style.display = shown ? "" : "none";
      if (mark.spec.kind === "handle" || (shown && (all || !fixed))) mark.update();
    }
    renewPointer?.();
  };

  return {
    root,
    update() {
      const anew = room.stale;
      if (anew) layout();
      const all = fit() || anew;
      if (all) drawAxes();
      draw(all);
    },
    measure: room.measure,
  };
};
