// Axes: the plane, the marks in it, its legend, and a position that follows the pointer.

import { Plane } from "./axes/plane.js";
import type { AxisName } from "./axes/scales.js";
import { element, svg } from "./dom.js";
import type { AxesSpec, Drag, MarkSpec } from "./grammar.js";
import { dataUnder, grip } from "./grip.js";
import { isFixed, makeMark } from "./marks/make.js";
import type { Mark } from "./marks/mark.js";
import type { Builder } from "./view.js";

/** A mark, its SVG group, and whether it changes only when the axes do. */
interface Drawn { readonly mark: Mark; readonly group: SVGGElement; readonly fixed: boolean }

function drawnIn(plane: Plane, spec: MarkSpec): Drawn {
  const group = svg("g", { class: `nn-mark-${spec.kind}` });
  plane.layer.append(group);
  return { mark: makeMark(spec, plane, group), group, fixed: isFixed(spec) };
}

/** The numbers that the visible marks draw along an axis. */
function* numbersAlong(axis: AxisName, plane: Plane, marks: readonly Drawn[]): Generator<ArrayLike<number>> {
  const { scene } = plane;
  for (const { mark } of marks) {
    if (!scene.shown(mark.spec.when)) continue;
    for (const ref of mark.extent?.[axis] ?? []) {
      const value = scene.get(ref);
      if (value) yield value.data;
    }
  }
}

/** Applies a drag rule to clicks, drags and keys on the plane; returns a function that updates the accessible value. */
function followPointer(plane: Plane, spec: AxesSpec, rule: Drag): () => void {
  const { scene, backdrop } = plane;
  let last: [number, number] | undefined;
  const middle = (): [number, number] => [(spec.xlim[0] + spec.xlim[1]) / 2, (spec.ylim[0] + spec.ylim[1]) / 2];
  const move = (a: number, b: number): void => {
    last = [a, b];
    scene.drag(rule, a, b);
  };
  const position = (): [number, number] => {
    if ("program" in rule) return last ?? middle();
    return [rule.x ? scene.number(rule.x) : middle()[0], rule.y ? scene.number(rule.y) : middle()[1]];
  };
  backdrop.addEventListener("click", (event) => {
    const point = dataUnder(event, plane);
    if (point) move(...point);
  });
  return grip(backdrop, plane, { label: `${spec.title ?? spec.ylabel ?? "plot"}: position`, offset: false, surface: true, position, move });
}

function legendOf(marks: readonly Drawn[]): HTMLElement | undefined {
  const entries = marks.flatMap(({ mark }) => mark.legend?.() ?? []);
  if (!entries.length) return undefined;
  return element("ul", { class: "nn-legend" }, ...entries.map(([name, swatch]) => element("li", {}, swatch, name)));
}

export const axes: Builder<AxesSpec> = (spec, { scene }) => {
  const plane = new Plane(spec, scene);
  const marks = spec.marks.map((m) => drawnIn(plane, m));
  const legend = spec.legend ? legendOf(marks) : undefined;
  if (legend) plane.root.append(legend);
  const updatePointer = spec.pointer && followPointer(plane, spec, spec.pointer);

  const draw = (all: boolean): void => {
    plane.clearMap();
    for (const { mark, group, fixed } of marks) {
      const shown = scene.shown(mark.spec.when);
      group.style.display = shown ? "" : "none";
      if (mark.spec.kind === "handle" || (shown && (all || !fixed))) mark.update();
    }
    updatePointer?.();
  };

  return {
    root: plane.root,
    update() {
      const resized = plane.space.stale;
      if (resized) plane.fit();
      const all = plane.scales.grow((axis) => numbersAlong(axis, plane, marks)) || resized;
      if (all) plane.drawTicks();
      draw(all);
    },
    measure: plane.space.measure,
  };
};
