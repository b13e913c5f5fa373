// Ticks, grid lines, and the names of the axes.

import { type Axis, axisBottom, axisLeft } from "d3-axis";
import type { NumberValue } from "d3-scale";
import { select } from "d3-selection";
import { attributes, setText, svg } from "../dom.js";
import { formatNumber } from "../format.js";
import type { AxesSpec } from "../grammar.js";
import type { Scale, Scales } from "./scales.js";

/** A tick label of a logarithmic axis: 0.01, but 1e-4, so that labels stay short. */
const power = (v: { valueOf(): number }): string => {
  const x = v.valueOf();
  return formatNumber(x, x < 1e-3 || x >= 1e5 ? "~e" : "~g");
};

/** The names of bars, shown in place of the x axis' numbers; undefined without names. */
const namesOfBars = (spec: AxesSpec): readonly string[] | undefined =>
  spec.marks.flatMap((m) => (m.kind === "bars" && m.labels ? [m.labels] : []))[0];

/** The position of a plane in its picture. */
export interface Box { readonly left: number; readonly top: number; readonly width: number; readonly height: number; readonly bottom: number }

export class Ticks {
  readonly gridLines = svg("g", { class: "nn-gridlines", "aria-hidden": "true" });
  readonly xAxis = svg("g", { class: "nn-axis", "aria-hidden": "true" });
  readonly yAxis = svg("g", { class: "nn-axis", "aria-hidden": "true" });
  readonly xName = svg("text", { class: "nn-axis-name", "text-anchor": "middle" });
  readonly yName = svg("text", { class: "nn-axis-name", "text-anchor": "start" });
  private readonly names: readonly string[] | undefined;

  constructor(private readonly spec: AxesSpec) {
    this.names = namesOfBars(spec);
  }

  draw({ x, y }: Scales, { left, top, width, height, bottom }: Box): void {
    const { spec } = this;
    if (!spec.frame) return;
    attributes(this.xAxis, { transform: `translate(0,${height})` });
    const [xTicks, yTicks] = [Math.max(2, Math.round(width / 75)), Math.max(2, Math.round(height / 52))];
    select(this.xAxis).call(this.bottomAxis(x, xTicks).tickSizeOuter(0).tickSize(5).tickPadding(5));
    select(this.yAxis).call(axisLeft(y).ticks(yTicks, spec.yscale === "log" ? power : undefined).tickSizeOuter(0).tickSize(5).tickPadding(5));
    this.gridLines.replaceChildren(...y.ticks(yTicks).map((v) => svg("line", { x2: width, y1: y(v), y2: y(v) })));
    attributes(this.xName, { x: left + width / 2, y: top + height + bottom - 6 });
    setText(this.xName, spec.xlabel ?? "");
    attributes(this.yName, { x: 4, y: 13 });
    setText(this.yName, spec.ylabel ?? "");
  }

  private bottomAxis(x: Scale, count: number): Axis<NumberValue> {
    const { names } = this;
    if (!names) return axisBottom(x).ticks(count, this.spec.xscale === "log" ? power : undefined);
    return axisBottom(x).tickValues(names.map((_, i) => i)).tickFormat((v) => names[Number(v)] ?? "");
  }
}
