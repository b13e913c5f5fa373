// The recorded graph: laid out in layers by dagre, filled in forwards with values, backwards with gradients.

import dagre from "@dagrejs/dagre";
import { attributes, element, setText, svg, uniqueId } from "./dom.js";
import { formatNumber } from "./format.js";
import type { DagSpec, Ref } from "./grammar.js";
import { buttons, chosen, click, type Clicks, markButton } from "./grip.js";
import { Room } from "./room.js";
import type { Builder } from "./view.js";

const SIGNS: Record<string, string> = { add: "+", sub: "−", mul: "×", div: "÷", neg: "−", matmul: "@", sum: "Σ", pow: "^", sigmoid: "σ", sqrt: "√", exp: "exp", log: "log" };
const BOX_H = 58;
// boxes' widths and the gaps between them: the first that fits the page is taken, else the last
const WIDTHS = [[92, 46], [78, 30], [66, 18], [58, 14]] as const;

export const dag: Builder<DagSpec> = (spec, { scene }) => {
  const clicks: Clicks = spec.select ? { select: spec.select } : {};
  const laidOut = ([box, gap]: readonly [number, number]) => {
    const graph = new dagre.graphlib.Graph({ multigraph: true });
    graph.setGraph({ rankdir: spec.direction, nodesep: 18, ranksep: gap, marginx: 8, marginy: 8 });
    graph.setDefaultEdgeLabel(() => ({}));
    for (const node of spec.nodes) graph.setNode(node.id, { width: box, height: BOX_H });
    spec.nodes.forEach((node) => node.inputs.forEach((from, k) => graph.setEdge(from, node.id, {}, String(k))));
    dagre.layout(graph);
    const { width = 400, height = 200 } = graph.graph();
    return { graph, box, width, height };
  };
  let placed = laidOut(WIDTHS[0]);
  const tip = uniqueId("tip");
  const marker = svg("marker", { id: tip, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto", markerUnits: "userSpaceOnUse" },
    svg("path", { d: "M0,0L8,4L0,8Z", class: "nn-dag-tip" }));
  const wires = svg("g");
  const boxes = svg("g");
  const picture = svg("svg", { class: "nn-svg nn-dag", role: "group", "aria-label": "recorded graph" },
    svg("defs", {}, marker), wires, boxes);
  const root = element("div", { class: "nn-dag-view", tabindex: 0, role: "region", "aria-label": "recorded graph, scrolls sideways" }, picture);
  const room = new Room(root);

  const edges = placed.graph.edges().map((e) => {
    const path = svg("path", { class: "nn-dag-edge", "marker-end": `url(#${tip})` });
    wires.append(path);
    return { e, source: e.v, target: e.w, path };
  });
  const nodes = spec.nodes.map((node) => {
    const frame = svg("rect", { y: -BOX_H / 2, height: BOX_H, rx: 7 });
    const item = svg("g", { class: `nn-dag-node nn-dag-${node.kind ?? (node.inputs.length ? "op" : "input")}` }, frame);
    const name = svg("text", { y: -12, "text-anchor": "middle", class: "nn-dag-name" });
    const value = svg("text", { y: 5, "text-anchor": "middle", class: "nn-dag-value" });
    const grad = svg("text", { y: 21, "text-anchor": "middle", class: "nn-dag-grad" });
    setText(name, SIGNS[node.label] ?? node.label);
    item.append(name, value, grad);
    boxes.append(item);
    return { node, item, frame, value, grad };
  });
  const layout = (): void => {
    room.stale = false;
    const { scale } = room;
    const across = (room.width - 8) / scale;
    for (const widths of WIDTHS) {
      if (placed.box !== widths[0]) placed = laidOut(widths);
      if (across <= 0 || placed.width <= across) break;
    }
    const { graph, box, width, height } = placed;
    attributes(picture, { viewBox: `0 0 ${width} ${height}`, width: width * scale, height: height * scale });
    for (const { node, item, frame } of nodes) {
      const at = graph.node(node.id);
      attributes(item, { transform: `translate(${at.x},${at.y})` });
      attributes(frame, { x: -box / 2, width: box });
    }
    for (const { e, path } of edges) {
      const { points } = graph.edge(e) as { points: { x: number; y: number }[] };
      attributes(path, { d: `M${points.map((p) => `${p.x.toFixed(1)},${p.y.toFixed(1)}`).join("L")}` });
    }
  };
  if (spec.select) buttons(boxes, () => nodes.map((n) => n.item), (i) => click(scene, clicks, i));
  const backward = spec.backward ?? [...spec.nodes].reverse().filter((n) => n.grad).map((n) => n.id);

  const show = (ref: Ref | undefined): string => {
    const v = scene.get(ref);
    if (!v) return "";
    return v.data.length === 1 ? formatNumber(v.data[0]!, spec.format) : `[${v.shape.join("×")}]`;
  };
  const update = (): void => {
    if (room.stale) layout();
    const n = nodes.length;
    const step = spec.step ? scene.input(spec.step).tensor[0]! : n + backward.length;
    const reached = new Set(backward.slice(0, Math.max(0, step - n)));
    nodes.forEach(({ node, item, value, grad }, i) => {
      const forward = i < step;
      const back = reached.has(node.id);
      setText(value, forward ? show(node.value) : "");
      setText(grad, back && node.grad ? `∂ ${show(node.grad)}` : "");
      const here = scene.get(spec.now)?.data[0];
      const now = here !== undefined ? i === here : !!spec.step && (step <= n ? i === step - 1 : backward[step - n - 1] === node.id);
      attributes(item, { "data-state": back ? "backward" : forward ? "forward" : "waiting" });
      item.classList.toggle("nn-now", now);
      const said = `${node.label}${forward ? `, value ${show(node.value)}` : ""}${back && node.grad ? `, gradient ${show(node.grad)}` : ""}`;
      if (spec.select) markButton(item, said, chosen(scene, clicks, i), i === 0);
      else attributes(item, { role: "img", "aria-label": said });
    });
    for (const { source, target, path } of edges) {
      path.classList.toggle("nn-back", reached.has(source) && reached.has(target));
    }
  };
  return { root, update, measure: room.measure };
};
