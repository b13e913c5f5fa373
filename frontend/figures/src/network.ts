// The network: neurons, edges, biases. Width shows a weight's size, colour and dash its sign; weights can be dragged.

import { AvailableSpace } from "./available-space.js";
import { attributes, element, setText, svg } from "./dom.js";
import type { NetworkSpec } from "./grammar.js";
import { buttons, chosen, click, type Clicks, isClickable, markButton } from "./grip.js";
import { Edge } from "./network/edge.js";
import { Layout, placeNumber } from "./network/layout.js";
import { Neuron } from "./network/neuron.js";
import type { Scene } from "./scene.js";
import type { Builder, View } from "./view.js";

class Network implements View {
  readonly root: HTMLElement;
  readonly measure: () => boolean;
  private readonly space: AvailableSpace;
  private readonly layout: Layout;
  private readonly picture: SVGSVGElement;
  private readonly neuronGroup = svg("g");
  private readonly edges: readonly Edge[];
  private readonly neurons: readonly Neuron[];
  private readonly byId: ReadonlyMap<string, Neuron>;
  private readonly clicks: Clicks;
  /** The neurons that a click switches on and off. */
  private readonly switches: readonly Neuron[];

  constructor(private readonly spec: NetworkSpec, private readonly scene: Scene) {
    const { select, toggle, order, hover } = spec;
    this.clicks = { ...(select && { select }), ...(typeof toggle === "string" && { toggle }), ...(order && { order }) };
    this.layout = new Layout(spec);
    this.edges = spec.edges.map((e) => new Edge(e, spec, scene));
    this.neurons = spec.neurons.map((n) => new Neuron(n, spec, this.layout, scene));
    this.byId = new Map(this.neurons.map((neuron) => [neuron.spec.id, neuron]));
    this.switches = toggle === true ? this.neurons.filter(({ spec: { on } }) => scene.canSet(on)) : [];

    const edgeGroup = svg("g", {}, ...this.edges.map((edge) => edge.item));
    this.neuronGroup.append(...this.neurons.map((neuron) => neuron.item));
    const biases = this.neurons.filter((neuron) => neuron.spec.bias).map((neuron) => neuron.biasItem);
    const numbers = svg("g", { class: "nn-edge-numbers" }, ...this.edges.map((edge) => edge.number), ...biases);
    this.picture = svg("svg", { class: "nn-svg nn-network", role: "group", "aria-label": "network" }, edgeGroup, this.neuronGroup, numbers);
    this.root = element("div", { class: "nn-axes" }, this.picture);
    this.space = new AvailableSpace(this.root);
    this.measure = this.space.measure;
    this.root.style.setProperty("--nn-width", `${spec.width}px`);
    if ([...this.edges, ...this.neurons].some((item) => item.canDrag)) {
      this.root.append(element("p", { class: "nn-note nn-by-touch" }, "With a finger: slide an edge or a bias sideways."));
    }

    if (isClickable(this.clicks)) buttons(this.neuronGroup, () => this.neurons.map((n) => n.item), (i) => click(scene, this.clicks, i));
    if (this.switches.length) this.makeSwitches();
    if (hover) this.neurons.forEach((neuron, i) => neuron.onHover((inside) => void scene.set(hover, inside ? i : -1)));
  }

  update(): void {
    if (this.space.stale) this.fit();
    this.drawEdges();
    for (const neuron of this.neurons) neuron.draw();
    if (isClickable(this.clicks)) this.markClickable();
    this.markSwitches();
  }

  private makeSwitches(): void {
    for (const { item } of this.switches) {
      const plus = svg("text", { class: "nn-neuron-plus", "text-anchor": "middle", y: 6 });
      setText(plus, "+");
      item.append(plus);
    }
    buttons(this.neuronGroup, () => this.switches.map(({ item }) => item), (i) => {
      const { on } = this.switches[i]!.spec;
      if (this.scene.canSet(on)) this.scene.setAt(on, this.scene.number(on) === 0 ? 1 : 0);
    });
  }

  /** Lays the picture out for the available width. */
  private fit(): void {
    const { spec, space, layout } = this;
    space.stale = false;
    const { scale } = space;
    this.root.style.setProperty("--nn-width", `${spec.width * scale}px`);
    const width = Math.max(240, Math.min((space.width || spec.width * scale) / scale, spec.width * 1.25));
    attributes(this.picture, { width: width * scale, height: layout.height * scale, viewBox: `0 0 ${width} ${layout.height}` });
    layout.fit(width);
    const occupied = layout.occupied();
    for (const edge of this.edges) {
      const [from, to] = [layout.at(edge.spec.source), layout.at(edge.spec.target)];
      edge.place(from, to, layout.radius, placeNumber(from, to, layout.radius, occupied));
    }
    for (const neuron of this.neurons) neuron.place(layout.at(neuron.spec.id));
  }

  private drawEdges(): void {
    const { spec, edges } = this;
    const isOff = ({ spec: { source, target } }: Edge): boolean => this.isOff(source) || this.isOff(target);
    const hidesOff = this.switches.length > 0;
    const shown = hidesOff ? edges.filter((edge) => !isOff(edge)).length : edges.length;
    const byGradient = spec.show === "gradients";
    const largest = byGradient ? Math.max(1e-12, ...edges.map((edge) => edge.absGradient)) : spec.limit;
    const style = { byGradient, largest, many: shown > 40 || this.layout.crowded, hidesOff };
    for (const edge of edges) edge.draw(style, isOff(edge));
  }

  private isOff(id: string): boolean {
    return this.byId.get(id)?.off ?? false;
  }

  private markClickable(): void {
    const { scene, clicks, spec } = this;
    this.neurons.forEach((neuron, i) => {
      const turn = spec.order ? scene.input(spec.order).tensor[i] ?? 0 : 0;
      markButton(neuron.item, neuron.drawTurn(turn), chosen(scene, clicks, i), i === 0);
    });
  }

  private markSwitches(): void {
    if (!this.switches.length) return;
    this.switches.forEach(({ item, name, off }, i) => markButton(item, `${name}, ${off ? "off" : "on"}`, !off, i === 0));
    for (const { biasItem, off } of this.neurons) biasItem.classList.toggle("nn-gone", off);
  }
}

export const network: Builder<NetworkSpec> = (spec, { scene }) => new Network(spec, scene);
