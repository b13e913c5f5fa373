// The interface of a mark, and what all marks share: the plane, lines, swatches, values by index.

import { cssColor } from "../color.js";
import { svg } from "../dom.js";
import type { Color, MarkSpec, Ref } from "../grammar.js";
import type { Coordinates } from "../grip.js";
import type { Scene, Value } from "../scene.js";

export interface Plot extends Coordinates {
  readonly scene: Scene;
  /** Converts a data coordinate to pixels; so does `y`. */
  x(v: number): number;
  y(v: number): number;
  readonly width: number;
  readonly height: number;
  /** The element whose style has the theme's colours. */
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
  /** The numbers, along each axis, to which open limits are fitted. */
  readonly extent?: { readonly x: Refs; readonly y: Refs };
}

type Refs = readonly (Ref | undefined)[];

/** Makes a mark and its elements; the mark's `update` redraws them when numbers change. */
export type Make<Spec extends MarkSpec> = (spec: Spec, plot: Plot, layer: SVGGElement) => Mark;

/** The entry at index i; a single number is used for every i. */
export const entryAt = (v: Value | undefined, i: number, otherwise = NaN): number =>
  v ? (v.data.length === 1 ? v.data[0]! : v.data[i] ?? otherwise) : otherwise;
export const maxLength = (...values: (Value | undefined)[]): number => Math.max(0, ...values.map((v) => v?.data.length ?? 0));
export const round = (v: number): number => Math.round(v * 100) / 100;

interface Line { readonly color: Color; readonly width?: number; readonly dash?: boolean }

export function stroke({ color, width = 2, dash }: Line, otherwise: string): Record<string, string | number> {
  const values: Record<string, string | number> = {
    fill: "none", stroke: cssColor(color, otherwise), "stroke-width": width,
    "stroke-linejoin": "round", "stroke-linecap": "round",
  };
  if (dash) values["stroke-dasharray"] = "6 5";
  return values;
}

function swatch(spec: Line): Node {
  const line = svg("line", { x1: 1, x2: 21, y1: 8, y2: 8, ...stroke(spec, "series0") });
  return svg("svg", { width: 22, height: 16, "aria-hidden": "true" }, line);
}

/** A legend of one entry, the mark's label beside a piece of its line; empty without a label. */
export const lineLegend = (spec: Line & { readonly label?: string }) => (): [string, Node][] =>
  spec.label ? [[spec.label, swatch(spec)]] : [];

/** A polyline's path data, with gaps where a number is missing or far outside the plot. */
export function polyline(n: number, px: (i: number) => number, py: (i: number) => number): string {
  let d = "";
  let penDown = false;
  for (let i = 0; i < n; i++) {
    const a = px(i);
    const b = py(i);
    if (!Number.isFinite(a + b) || Math.abs(a) > 1e5 || Math.abs(b) > 1e5) {
      penDown = false;
      continue;
    }
    d += `${penDown ? "L" : "M"}${round(a)},${round(b)}`;
    penDown = true;
  }
  return d;
}

export function arrowHead(id: string, color: string): Element {
  const tip = svg("path", { d: "M0,0L9,4.5L0,9L2.5,4.5Z", fill: color });
  return svg("marker", {
    id, viewBox: "0 0 9 9", refX: 7, refY: 4.5, markerWidth: 9, markerHeight: 9, orient: "auto-start-reverse",
    markerUnits: "userSpaceOnUse",
  }, tip);
}
