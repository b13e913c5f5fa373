// A neuron of the network: its name, its numbers, its bias, and the image of its outputs.

import { colorTable, scaleLimits } from "../color.js";
import { attributes, element, setText, svg } from "../dom.js";
import type { NetworkSpec, NeuronSpec } from "../grammar.js";
import { Pixels } from "../pixels.js";
import type { Scene } from "../scene.js";
import type { Layout, Point } from "./layout.js";
import { neuronName, parameterSlider, shortNumber } from "./numbers.js";

const ordinal = (k: number): string => `${k}${{ 1: "st", 2: "nd", 3: "rd" }[k] ?? "th"}`;

function bodyOf(n: NeuronSpec, radius: number): SVGElement {
  return n.image
    ? svg("rect", { x: -radius, y: -radius, width: 2 * radius, height: 2 * radius, rx: 5, class: "nn-neuron" })
    : svg("circle", { r: radius, class: "nn-neuron" });
}

function titleOf(n: NeuronSpec, radius: number, beside: boolean): SVGTextElement {
  const title = svg("text", beside
    ? { class: "nn-neuron-name", "text-anchor": "end", x: -radius - 6, y: 4 }
    : { class: "nn-neuron-name", "text-anchor": "middle", y: -radius - 5 });
  setText(title, n.label);
  return title;
}

export class Neuron {
  readonly item: SVGGElement;
  /** The bias, drawn on top of the edges. */
  readonly biasItem: SVGGElement;
  /** The name for screen readers; it begins with "neuron". */
  readonly name: string;
  /** A circle, or a square if the neuron is an image. */
  private readonly body: SVGElement;
  private readonly pixels: Pixels | undefined;
  private readonly value: SVGTextElement;
  private readonly total: SVGTextElement;
  private readonly delta: SVGTextElement;
  private readonly turn: SVGTextElement;
  private readonly bias: SVGTextElement;
  private readonly updateSlider: (() => void) | undefined;

  constructor(readonly spec: NeuronSpec, network: NetworkSpec, private readonly layout: Layout, private readonly scene: Scene) {
    const { radius } = layout;
    const labelOrPosition = neuronName(network, spec.id);
    this.name = spec.label ? `neuron ${spec.label}` : labelOrPosition;
    this.body = bodyOf(spec, radius);
    this.value = svg("text", { class: "nn-neuron-value", "text-anchor": "middle", y: spec.image ? radius + 14 : 4 });
    this.total = svg("text", { class: "nn-neuron-note", "text-anchor": "middle", y: radius + 13 });
    this.delta = svg("text", { class: "nn-neuron-delta", "text-anchor": "middle", y: radius + 26 });
    this.turn = svg("text", { class: "nn-neuron-turn", "text-anchor": "end", x: -4 - 3.2 * spec.label.length, y: -radius - 5 });
    this.item = svg("g", { class: "nn-neuron-item" }, this.body);
    if (spec.image) {
      this.pixels = new Pixels(element("canvas", { class: "nn-neuron-image" }));
      const side = 2 * radius - 2;
      this.item.append(svg("foreignObject", { x: -side / 2, y: -side / 2, width: side, height: side }, this.pixels.canvas));
    }
    this.item.append(titleOf(spec, radius, layout.isNamedBeside(spec)), this.value, this.total, this.delta, this.turn);
    this.bias = svg("text", { class: "nn-edge-number nn-bias", "text-anchor": "start", x: radius + 3, y: -radius + 4 });
    this.biasItem = svg("g", {}, this.bias);
    this.updateSlider = parameterSlider(scene, network, this.biasItem, spec.bias, `bias of ${labelOrPosition}`);
    if (this.updateSlider) {
      this.biasItem.prepend(svg("rect", { x: radius, y: -radius - 12, width: 44, height: 24, fill: "transparent" }));
    }
  }

  get canDrag(): boolean {
    return this.updateSlider !== undefined;
  }

  /** Whether the reader has switched the neuron off. */
  get off(): boolean {
    return !!this.spec.on && this.scene.number(this.spec.on, 1) === 0;
  }

  /** Calls `change` with true when the pointer or the keyboard focus enters the neuron, with false when it leaves. */
  onHover(change: (inside: boolean) => void): void {
    this.item.addEventListener("pointerenter", () => change(true));
    this.item.addEventListener("focusin", () => {
      if (this.item.matches(":focus-visible")) change(true);
    });
    for (const leaving of ["pointerleave", "focusout"]) this.item.addEventListener(leaving, () => change(false));
  }

  place({ x, y }: Point): void {
    const transform = `translate(${x},${y})`;
    attributes(this.item, { transform });
    attributes(this.biasItem, { transform });
  }

  draw(): void {
    const { scene, spec } = this;
    const v = scene.number(spec.value, NaN);
    const total = scene.number(spec.total, NaN);
    const d = scene.number(spec.delta, NaN);
    setText(this.value, spec.value && Number.isFinite(v) ? shortNumber(v) : "");
    setText(this.total, Number.isFinite(total) ? `in ${shortNumber(total)}` : "");
    setText(this.delta, Number.isFinite(d) ? `δ ${shortNumber(d)}` : "");
    if (spec.bias) setText(this.bias, this.layout.crowded ? "" : shortNumber(scene.number(spec.bias)));
    const fill = `${(Math.min(1, Number.isFinite(v) ? Math.abs(v) : 0) * 38).toFixed(0)}%`;
    if (this.body.style.getPropertyValue("--nn-fill") !== fill) this.body.style.setProperty("--nn-fill", fill);
    this.item.classList.toggle("nn-off", this.off);
    this.item.classList.toggle("nn-value-negative", v < 0);
    this.drawImage();
    this.updateSlider?.();
  }

  /** Shows the neuron's position in the order that the reader has chosen, 0 for none; returns a description for screen readers. */
  drawTurn(turn: number): string {
    const { scene, spec } = this;
    setText(this.turn, turn > 0 ? ordinal(turn) : "");
    const v = scene.number(spec.value, NaN);
    const d = scene.number(spec.delta, NaN);
    const words = `${this.name}${Number.isFinite(v) ? `, a = ${shortNumber(v)}` : ""}${Number.isFinite(d) ? `, δ = ${shortNumber(d)}` : ""}`;
    return turn > 0 ? `${words}, ${ordinal(turn)} in order` : words;
  }

  private drawImage(): void {
    const { pixels } = this;
    const image = pixels && !this.off ? this.scene.get(this.spec.image) : undefined;
    if (!pixels || image?.shape.length !== 2) return;
    const { data } = image;
    const [height, width] = image.shape as [number, number];
    const [low, high] = scaleLimits(data, "classes", undefined);
    const largest = Math.max(Math.abs(low), Math.abs(high)) || 1;
    const limits = low >= 0 && high <= 1 ? { low: 0, high: 1 } : { low: -largest, high: largest };
    pixels.paint({ data, from: 0, height, width, ...limits, colors: colorTable(pixels.canvas, "classes") }, true);
  }
}
