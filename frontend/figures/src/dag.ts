// The recorded graph, laid out in layers by dagre: values appear from the inputs on, then gradients in reverse order.

import dagre from "@dagrejs/dagre";
import { arrowTip } from "./arrow-tip.js";
import { AvailableSpace } from "./available-space.js";
import { attributes, element, setText, svg, uniqueId } from "./dom.js";
import { formatNumber } from "./format.js";
import type { DagSpec, NodeSpec, Ref } from "./grammar.js";
import { buttons, chosen, click, type Clicks, markButton } from "./grip.js";
import type { Scene } from "./scene.js";
import type { Builder, View } from "./view.js";

const SIGNS: Record<string, string> = { add: "+", sub: "−", mul: "×", div: "÷", neg: "−", matmul: "@", sum: "Σ", pow: "^", sigmoid: "σ", sqrt: "√", exp: "exp", log: "log" };
const BOX_H = 58;
// pairs of a box's width and the gap between boxes: the first that fits the page is used, else the last
const WIDTHS = [[92, 46], [78, 30], [66, 18], [58, 14]] as const;

type Widths = (typeof WIDTHS)[number];

/** The positions of boxes and edges for boxes of width `box`, and the size of the picture. */
function arrange(spec: DagSpec, [box, gap]: Widths) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: spec.direction, nodesep: 18, ranksep: gap, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of spec.nodes) graph.setNode(node.id, { width: box, height: BOX_H });
  spec.nodes.forEach((node) => node.inputs.forEach((from, k) => graph.setEdge(from, node.id, {}, String(k))));
  dagre.layout(graph);
  const { width = 400, height = 200 } = graph.graph();
  return { graph, box, width, height };
}

type Arrangement = ReturnType<typeof arrange>;
type GraphEdge = ReturnType<Arrangement["graph"]["edges"]>[number];

/** A node of the graph: its name, its value, its gradient. */
class NodeBox {
  readonly item: SVGGElement;
  private readonly frame = svg("rect", { y: -BOX_H / 2, height: BOX_H, rx: 7 });
  private readonly value = svg("text", { y: 5, "text-anchor": "middle", class: "nn-dag-value" });
  private readonly gradient = svg("text", { y: 21, "text-anchor": "middle", class: "nn-dag-grad" });

  constructor(readonly spec: NodeSpec) {
    const name = svg("text", { y: -12, "text-anchor": "middle", class: "nn-dag-name" });
    setText(name, SIGNS[spec.label] ?? spec.label);
    const kind = spec.kind ?? (spec.inputs.length ? "op" : "input");
    this.item = svg("g", { class: `nn-dag-node nn-dag-${kind}` }, this.frame, name, this.value, this.gradient);
  }

  place({ graph, box }: Arrangement): void {
    const { x, y } = graph.node(this.spec.id);
    attributes(this.item, { transform: `translate(${x},${y})` });
    attributes(this.frame, { x: -box / 2, width: box });
  }

  /** Shows the value and the gradient that have been computed so far; returns a description in words. */
  draw(value: string | undefined, gradient: string | undefined, state: "waiting" | "forward" | "backward"): string {
    setText(this.value, value ?? "");
    setText(this.gradient, gradient === undefined ? "" : `∂ ${gradient}`);
    attributes(this.item, { "data-state": state });
    const { label } = this.spec;
    return `${label}${value === undefined ? "" : `, value ${value}`}${gradient === undefined ? "" : `, gradient ${gradient}`}`;
  }
}

class Dag implements View {
  readonly root: HTMLElement;
  readonly measure: () => boolean;
  private readonly space: AvailableSpace;
  private readonly picture: SVGSVGElement;
  private readonly nodes: readonly NodeBox[];
  private readonly edges: readonly { readonly edge: GraphEdge; readonly path: SVGPathElement }[];
  private readonly clicks: Clicks;
  /** The nodes in the order in which the backward pass reaches them. */
  private readonly backward: readonly string[];
  private arrangement: Arrangement;

  constructor(private readonly spec: DagSpec, private readonly scene: Scene) {
    this.clicks = spec.select ? { select: spec.select } : {};
    this.backward = spec.backward ?? [...spec.nodes].reverse().filter((n) => n.grad).map((n) => n.id);
    this.arrangement = arrange(spec, WIDTHS[0]);
    this.nodes = spec.nodes.map((node) => new NodeBox(node));
    const tip = uniqueId("tip");
    this.edges = this.arrangement.graph.edges().map((edge) => ({ edge, path: svg("path", { class: "nn-dag-edge", "marker-end": `url(#${tip})` }) }));
    const edgeGroup = svg("g", {}, ...this.edges.map(({ path }) => path));
    const boxes = svg("g", {}, ...this.nodes.map(({ item }) => item));
    this.picture = svg("svg", { class: "nn-svg nn-dag", role: "group", "aria-label": "recorded graph" },
      svg("defs", {}, arrowTip(tip)), edgeGroup, boxes);
    this.root = element("div", { class: "nn-dag-view", tabindex: 0, role: "region", "aria-label": "recorded graph, scrolls sideways" }, this.picture);
    this.space = new AvailableSpace(this.root);
    this.measure = this.space.measure;
    if (spec.select) buttons(boxes, () => this.nodes.map((n) => n.item), (i) => click(scene, this.clicks, i));
  }

  update(): void {
    if (this.space.stale) this.fit();
    const { spec, scene, nodes, backward } = this;
    const step = spec.step ? scene.input(spec.step).tensor[0]! : nodes.length + backward.length;
    const reached = new Set(backward.slice(0, Math.max(0, step - nodes.length)));
    nodes.forEach((node, i) => {
      const { id, value, grad } = node.spec;
      const reachedBackward = reached.has(id);
      const forward = i < step;
      const description = node.draw(forward ? this.show(value) : undefined, reachedBackward && grad ? this.show(grad) : undefined,
        reachedBackward ? "backward" : forward ? "forward" : "waiting");
      node.item.classList.toggle("nn-now", this.isNow(i, step));
      if (spec.select) markButton(node.item, description, chosen(scene, this.clicks, i), i === 0);
      else attributes(node.item, { role: "img", "aria-label": description });
    });
    for (const { edge: { v, w }, path } of this.edges) path.classList.toggle("nn-back", reached.has(v) && reached.has(w));
  }

  /** Lays the graph out for the available width. */
  private fit(): void {
    const { space, spec } = this;
    space.stale = false;
    const { scale } = space;
    const available = (space.width - 8) / scale;
    for (const widths of WIDTHS) {
      if (this.arrangement.box !== widths[0]) this.arrangement = arrange(spec, widths);
      if (available <= 0 || this.arrangement.width <= available) break;
    }
    const { graph, width, height } = this.arrangement;
    attributes(this.picture, { viewBox: `0 0 ${width} ${height}`, width: width * scale, height: height * scale });
    for (const node of this.nodes) node.place(this.arrangement);
    for (const { edge, path } of this.edges) {
      const { points } = graph.edge(edge) as { points: { x: number; y: number }[] };
      attributes(path, { d: `M${points.map((p) => `${p.x.toFixed(1)},${p.y.toFixed(1)}`).join("L")}` });
    }
  }

  /** Whether node i is the one that is being computed: forwards first, then backwards. */
  private isNow(i: number, step: number): boolean {
    const { spec, nodes, backward } = this;
    const current = this.scene.get(spec.now)?.data[0];
    if (current !== undefined) return i === current;
    if (!spec.step) return false;
    return step <= nodes.length ? i === step - 1 : backward[step - nodes.length - 1] === nodes[i]!.spec.id;
  }

  /** A single number as text; for larger tensors their shape. */
  private show(ref: Ref | undefined): string {
    const v = this.scene.get(ref);
    if (!v) return "";
    return v.data.length === 1 ? formatNumber(v.data[0]!, this.spec.format) : `[${v.shape.join("×")}]`;
  }
}

export const dag: Builder<DagSpec> = (spec, { scene }) => new Dag(spec, scene);
