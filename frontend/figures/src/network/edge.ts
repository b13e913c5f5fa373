// An edge of the network: width shows the weight's size, colour and dash its sign; the weight can be dragged.

import { attributes, setText, svg } from "../dom.js";
import type { EdgeSpec, NetworkSpec } from "../grammar.js";
import type { Scene } from "../scene.js";
import type { Point } from "./layout.js";
import { neuronName, parameterSlider, shortNumber } from "./numbers.js";

/** The settings with which all edges of a network are drawn. */
export interface EdgeStyle {
  /** Width and colour show the gradient instead of the weight. */
  readonly byGradient: boolean;
  /** The absolute value to which the widths are relative. */
  readonly largest: number;
  /** There are too many edges for wide lines and for numbers. */
  readonly many: boolean;
  /** Edges of a neuron that is off are hidden instead of faint. */
  readonly hidesOff: boolean;
}

export class Edge {
  readonly item: SVGGElement;
  readonly number = svg("text", { class: "nn-edge-number", "text-anchor": "middle" });
  private readonly path = svg("path", { class: "nn-edge", fill: "none" });
  /** A wide invisible line, which is easier to drag than the visible one. */
  private readonly hit = svg("path", { stroke: "transparent", "stroke-width": 24, fill: "none" });
  private readonly updateSlider: (() => void) | undefined;

  constructor(readonly spec: EdgeSpec, network: NetworkSpec, private readonly scene: Scene) {
    this.item = svg("g", { class: "nn-edge-item" }, this.hit, this.path);
    const label = spec.label ?? `weight from ${neuronName(network, spec.source)} to ${neuronName(network, spec.target)}`;
    this.updateSlider = parameterSlider(scene, network, this.item, spec.weight, label);
  }

  get canDrag(): boolean {
    return this.updateSlider !== undefined;
  }

  /** The gradient's absolute value; 0 if there is no gradient. */
  get absGradient(): number {
    return Math.abs(this.scene.number(this.spec.gradient, 0));
  }

  place(from: Point, to: Point, radius: number, number: Point): void {
    const d = `M${from.x + radius},${from.y}L${to.x - radius},${to.y}`;
    attributes(this.path, { d });
    attributes(this.hit, { d });
    attributes(this.number, { x: number.x, y: number.y });
  }

  /** `off`: one of the edge's neurons is off. */
  draw(style: EdgeStyle, off: boolean): void {
    this.item.classList.toggle(style.hidesOff ? "nn-gone" : "nn-off", off);
    this.number.classList.toggle("nn-gone", off);
    if (!off || !style.hidesOff) {
      this.drawLine(style);
      this.drawNumber(style);
    }
    this.updateSlider?.();
  }

  private drawLine({ byGradient, largest, many }: EdgeStyle): void {
    const v = this.scene.number(byGradient ? this.spec.gradient : this.spec.weight, NaN);
    const known = Number.isFinite(v);
    attributes(this.path, {
      stroke: known ? `var(--nn-weight-${v < 0 ? "neg" : "pos"})` : "var(--nn-muted)",
      "stroke-width": known ? (0.6 + Math.min(1.2, Math.abs(v) / largest) * (many ? 3.5 : 6)).toFixed(2) : 1.2,
      "stroke-dasharray": known && v < 0 ? "7 4" : undefined,
      "stroke-opacity": known ? 0.9 : 0.5,
    });
  }

  private drawNumber({ byGradient, many }: EdgeStyle): void {
    const weight = this.scene.number(this.spec.weight, NaN);
    const gradient = this.scene.number(this.spec.gradient, NaN);
    const parts = [!byGradient && Number.isFinite(weight) ? shortNumber(weight) : "", Number.isFinite(gradient) ? `∂ ${shortNumber(gradient)}` : ""].filter(Boolean);
    setText(this.number, many ? "" : parts.join("  "));
    this.number.classList.toggle("nn-is-gradient", byGradient);
  }
}
