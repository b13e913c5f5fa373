// Makes elements movable, by pointer (d3-drag) and by keys, with a name and a value for screen readers.

import { drag } from "d3-drag";
import { select } from "d3-selection";
import { attributes } from "./dom.js";
import { formatNumber } from "./format.js";
import type { Scene } from "./scene.js";

export interface Coordinates {
  /** The group in whose coordinates pointer positions are given. */
  readonly node: SVGGElement;
  toPixels(x: number, y: number): [number, number];
  toData(px: number, py: number): [number, number];
  limits(): { x: readonly [number, number]; y: readonly [number, number] };
  /** Applies pending changes, so that positions are up to date. */
  settle(): void;
}

export interface Grip {
  readonly label: string;
  readonly step?: number | undefined;
  /** Whether the element is the whole plot; an upward or downward swipe on it must then still scroll the page. */
  readonly surface?: boolean;
  /** Whether a drag keeps the distance between pointer and position; if not, the position jumps to the pointer. */
  readonly offset: boolean;
  position(): [number, number];
  move(x: number, y: number): void;
}

const clamp = (v: number, [low, high]: readonly [number, number]): number =>
  Math.min(Math.max(low, high), Math.max(Math.min(low, high), v));

const SLOP = 8; // pixels that a finger moves before it is clear whether it drags or scrolls

/**
 * Touch on a large element: a sideways swipe moves it, an upward or downward swipe scrolls the page, two fingers zoom.
 * The browser does the scrolling; `move` is called only once the swipe is clearly sideways.
 */
export function onSwipe(node: Element, act: { start?(): void; move(event: PointerEvent, distance: number): void }): void {
  let from: { id: number; x: number; y: number } | null = null;
  let dragging = false;
  const stop = (): void => {
    from = null;
    dragging = false;
    node.classList.remove("nn-held");
  };
  node.classList.add("nn-swiped");
  node.addEventListener("pointerdown", (event) => {
    if (!(event instanceof PointerEvent) || event.pointerType !== "touch") return;
    const second = from !== null;
    stop();
    if (!second) from = { id: event.pointerId, x: event.clientX, y: event.clientY };
  });
  node.addEventListener("pointermove", (event) => {
    if (!(event instanceof PointerEvent) || from?.id !== event.pointerId) return;
    const distance = event.clientX - from.x;
    if (!dragging) {
      if (Math.abs(distance) < SLOP || Math.abs(distance) < Math.abs(event.clientY - from.y)) return;
      dragging = true;
      node.classList.add("nn-held");
      act.start?.();
    }
    act.move(event, distance);
  });
  for (const end of ["pointerup", "pointercancel"]) node.addEventListener(end, stop);
}

type Move = (x: number, y: number) => void;

/** Drags by mouse and pen, and by touch unless the element is the whole plot. */
function moveByPointer(node: SVGElement, coordinates: Coordinates, options: Grip, move: Move): void {
  select<SVGElement, unknown>(node).call(
    drag<SVGElement, unknown>()
      .touchable(() => !options.surface)
      .container(() => coordinates.node)
      .subject((event: { x: number; y: number }) => {
        if (!options.offset) return { x: event.x, y: event.y };
        const [px, py] = coordinates.toPixels(...options.position());
        return Number.isFinite(px + py) ? { x: px, y: py } : { x: event.x, y: event.y };
      })
      .on("start", () => {
        node.classList.add("nn-held");
        node.focus({ preventScroll: true });
      })
      .on("drag", (event: { x: number; y: number }) => move(...coordinates.toData(event.x, event.y)))
      .on("end", () => node.classList.remove("nn-held")),
  );
}

/** The data coordinates under a pointer; undefined if the plot is not drawn. */
export function dataUnder(event: MouseEvent, coordinates: Coordinates): [number, number] | undefined {
  const toScreen = coordinates.node.getScreenCTM();
  if (!toScreen) return undefined;
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(toScreen.inverse());
  return coordinates.toData(point.x, point.y);
}

function moveByKeys(node: SVGElement, coordinates: Coordinates, options: Grip, move: Move): void {
  node.addEventListener("keydown", (event) => {
    coordinates.settle(); // a second key press within one frame starts where the first ended
    const { x: xLimits, y: yLimits } = coordinates.limits();
    const [x, y] = options.position();
    if (!Number.isFinite(x + y)) return;
    const factor = event.shiftKey ? 10 : 1;
    const dx = options.step ?? Math.abs(xLimits[1] - xLimits[0]) / 50;
    const dy = options.step ?? Math.abs(yLimits[1] - yLimits[0]) / 50;
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [x - dx * factor, y], ArrowRight: [x + dx * factor, y],
      ArrowUp: [x, y + dy * factor], ArrowDown: [x, y - dy * factor],
      PageUp: [x, y + 10 * dy], PageDown: [x, y - 10 * dy],
      Home: [xLimits[0], y], End: [xLimits[1], y],
    };
    const target = moves[event.key];
    if (!target) return;
    event.preventDefault();
    move(...target);
  });
}

/** Makes an element movable; returns a function that updates its accessible value. */
export function grip(node: SVGElement, coordinates: Coordinates, options: Grip): () => void {
  attributes(node, { tabindex: 0, role: "slider", "aria-label": options.label });
  node.classList.add("nn-grip");
  const move: Move = (x, y) => {
    const { x: xLimits, y: yLimits } = coordinates.limits();
    options.move(clamp(x, xLimits), clamp(y, yLimits));
  };
  moveByPointer(node, coordinates, options, move);
  if (options.surface) {
    onSwipe(node, {
      move(event) {
        const point = dataUnder(event, coordinates);
        if (point) move(...point);
      },
    });
  }
  moveByKeys(node, coordinates, options, move);
  return () => {
    const [x, y] = options.position();
    const { x: xLimits } = coordinates.limits();
    attributes(node, {
      "aria-valuemin": +xLimits[0].toPrecision(4),
      "aria-valuemax": +xLimits[1].toPrecision(4),
      "aria-valuenow": Number.isFinite(x) ? +x.toPrecision(4) : 0,
      "aria-valuetext": `x ${formatNumber(x, ".3~g")}, y ${formatNumber(y, ".3~g")}`,
    });
  };
}

/**
 * Lets vertical drags, sideways swipes and keys change a number, such as an edge's weight or a neuron's bias.
 * Returns a function that updates the accessible value.
 */
export function verticalSlider(
  node: SVGElement,
  label: string,
  value: { get(): number; set(v: number): void; min: number; max: number; step: number },
): () => void {
  attributes(node, { tabindex: 0, role: "slider", "aria-label": label, "aria-orientation": "vertical" });
  node.classList.add("nn-dial");
  let start = 0;
  let from = 0;
  const set = (v: number): void => value.set(+Math.min(value.max, Math.max(value.min, v)).toPrecision(12));
  select<SVGElement, unknown>(node).call(
    drag<SVGElement, unknown>()
      .touchable(false)
      .container(() => (node.ownerSVGElement ?? node) as SVGSVGElement)
      .on("start", (event: { y: number }) => {
        start = value.get();
        from = event.y;
        node.classList.add("nn-held");
        node.focus({ preventScroll: true });
      })
      .on("drag", (event: { y: number }) => {
        // 200 pixels cover the whole range; dragging upwards increases the value
        const raw = start + ((from - event.y) * (value.max - value.min)) / 200;
        set(Math.round(raw / value.step) * value.step);
      })
      .on("end", () => node.classList.remove("nn-held")),
  );
  onSwipe(node, {
    start: () => (start = value.get()),
    move: (_, distance) => set(Math.round((start + (distance * (value.max - value.min)) / 200) / value.step) * value.step),
  });
  node.addEventListener("keydown", (event) => {
    const v = value.get();
    const factor = event.shiftKey ? 10 : 1;
    const values: Record<string, number> = {
      ArrowUp: v + value.step * factor, ArrowRight: v + value.step * factor,
      ArrowDown: v - value.step * factor, ArrowLeft: v - value.step * factor,
      PageUp: v + 10 * value.step, PageDown: v - 10 * value.step, Home: value.min, End: value.max,
    };
    const next = values[event.key];
    if (next === undefined) return;
    event.preventDefault();
    set(next);
  });
  return () =>
    attributes(node, {
      "aria-valuemin": value.min,
      "aria-valuemax": value.max,
      "aria-valuenow": +value.get().toPrecision(6),
      "aria-valuetext": formatNumber(value.get(), ".3~g"),
    });
}

export interface Clicks {
  readonly select?: string;
  readonly toggle?: string;
  readonly order?: string;
}

/** Applies a click on item i to the inputs that `clicks` names. */
export function click(scene: Scene, clicks: Clicks, i: number): void {
  if (clicks.select && !scene.inputs.has(clicks.select)) scene.chooseSeed?.(i);
  else if (clicks.select) scene.set(clicks.select, i);
  if (clicks.toggle) {
    const raw = scene.input(clicks.toggle).raw;
    if (raw instanceof Float64Array) {
      const copy = raw.slice();
      copy[i] = copy[i] ? 0 : 1;
      scene.set(clicks.toggle, copy);
    }
  }
  if (clicks.order) {
    const raw = scene.input(clicks.order).raw;
    if (raw instanceof Float64Array) {
      const copy = raw.slice();
      const rank = copy[i]!;
      if (rank > 0) copy.forEach((v, k) => { if (v >= rank) copy[k] = 0; });
      else copy[i] = Math.max(...copy) + 1;
      scene.set(clicks.order, copy);
    }
  }
}

export const isClickable = (clicks: Clicks): boolean => !!(clicks.select || clicks.toggle || clicks.order);

/** Whether item i is chosen: a chosen item has a ring around it and is announced as pressed. */
export function chosen(scene: Scene, clicks: Clicks, i: number): boolean {
  if (clicks.select) return scene.named(clicks.select)?.data[0] === i;
  const list = clicks.toggle ?? clicks.order;
  return !!list && (scene.input(list).tensor[i] ?? 0) > 0;
}

/** Makes items buttons; one of them is a tab stop, arrow keys move the focus among them. */
export function buttons(parent: Element, items: () => Element[], press: (i: number) => void): void {
  const index = (target: EventTarget | null): number =>
    items().findIndex((item) => target instanceof Node && item.contains(target));
  parent.addEventListener("click", (event) => {
    const i = index(event.target);
    if (i >= 0) press(i);
  });
  parent.addEventListener("keydown", (event) => {
    const key = (event as KeyboardEvent).key;
    const list = items();
    const i = index(event.target);
    if (i < 0) return;
    const step: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    const target = key === "Home" ? 0 : key === "End" ? list.length - 1 : key in step ? i + step[key]! : i;
    if (key === "Enter" || key === " ") press(i);
    else if (target === i && !(key in step)) return;
    event.preventDefault();
    const next = list[Math.min(list.length - 1, Math.max(0, target))];
    if (next instanceof HTMLElement || next instanceof SVGElement) {
      list.forEach((item) => item.setAttribute("tabindex", item === next ? "0" : "-1"));
      next.focus();
    }
  });
}

/** Makes an item a button with this name, pressed or not pressed. */
export function markButton(item: Element, label: string, on: boolean, first: boolean): void {
  attributes(item, { role: "button", "aria-label": label, "aria-pressed": on ? "true" : "false" });
  if (!item.hasAttribute("tabindex")) item.setAttribute("tabindex", first ? "0" : "-1");
  item.classList.toggle("nn-chosen", on);
}
