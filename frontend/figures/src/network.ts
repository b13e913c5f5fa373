// The network: neurons, edges, biases; width is size, colour and dash are sign; weights can be dragged.

import { paintPixels, span, table } from "./color.js";
import { attributes, element, setText, svg } from "./dom.js";
import { formatNumber } from "./format.js";
import type { NetworkSpec, NeuronSpec } from "./grammar.js";
import { buttons, chosen, click, type Clicks, dial, isClickable, markButton } from "./grip.js";
import { Room } from "./room.js";
import type { Builder } from "./view.js";

const two = (v: number): string => formatNumber(v, Math.abs(v) >= 100 ? ".3~g" : ".2f");

const ordinal = (k: number): string => `${k}${{ 1: "st", 2: "nd", 3: "rd" }[k] ?? "th"}`;

export const network: Builder<NetworkSpec> = (spec, { scene }) => {
  const clicks: Clicks = { ...(spec.select && { select: spec.select }), ...(typeof spec.toggle === "string" && { toggle: spec.toggle }), ...(spec.order && { order: spec.order }) };
  const wires = svg("g");
  const numbers = svg("g", { class: "nn-edge-numbers" });
  const cells = svg("g");
  const picture = svg("svg", { class: "nn-svg nn-network", role: "group", "aria-label": "network" }, wires, cells, numbers);
  const root = element("div", { class: "nn-axes" }, picture);
  const room = new Room(root);
  root.style.setProperty("--nn-width", `${spec.width}px`);

  const layers = new Map<number, NeuronSpec[]>();
  for (const n of spec.neurons) layers.set(n.layer, [...(layers.get(n.layer) ?? []), n]);
  const most = Math.max(...[...layers.values()].map((l) => l.length));
  const columns = [...layers.keys()].sort((a, b) => a - b);
  const place = new Map<string, { x: number; y: number }>();
  // a tall layer stands closer, unless there is something to write below its neurons
  const noted = spec.neurons.some((n) => n.delta || n.net);
  const pictured = spec.neurons.every((n) => n.image) && !noted;
  const height = Math.max(spec.height, most * (pictured ? 42 : most > 8 && !noted ? 44 : 62));
  const radius = pictured ? (columns.length > 5 ? 15 : 17) : most > 8 ? 12 : 21;
  // names of inputs stand before them where the rows are close
  const before = (n: NeuronSpec): boolean => pictured && n.layer === columns[0];
  const margin = Math.max(0, ...spec.neurons.filter(before).map((n) => n.label.length * 7));
  let width = spec.width;
  let crowded = false; // no room for numbers between the layers

  const renew: (() => void)[] = [];
  /** A neuron's name for those who hear it: its label, or where it stands. */
  const name = (id: string): string => {
    const unit = /^(\d+)\.(\d+)$/.exec(id);
    return spec.neurons.find((n) => n.id === id)?.label || (unit ? `unit ${+unit[2]! + 1} of layer ${+unit[1]! + 1}` : id);
  };
  const edges = spec.edges.map((e) => {
    const path = svg("path", { class: "nn-edge", fill: "none" });
    const hit = svg("path", { stroke: "transparent", "stroke-width": 24, fill: "none" });
    const item = svg("g", { class: "nn-edge-item" }, hit, path);
    const number = svg("text", { class: "nn-edge-number", "text-anchor": "middle" });
    wires.append(item);
    numbers.append(number);
    const { weight } = e;
    if (scene.canSet(weight)) {
      const { min = -spec.limit, max = spec.limit, step = spec.step } = scene.bounds(weight.ref);
      renew.push(dial(item, e.label ?? `weight from ${name(e.source)} to ${name(e.target)}`, {
        get: () => scene.number(weight), set: (v) => scene.setAt(weight, v), min, max, step,
      }));
    }
    return { e, path, hit, number };
  });

  const neurons = spec.neurons.map((n) => {
    const disc = n.image
      ? svg("rect", { x: -radius, y: -radius, width: 2 * radius, height: 2 * radius, rx: 5, class: "nn-neuron" })
      : svg("circle", { r: radius, class: "nn-neuron" });
    const value = svg("text", { class: "nn-neuron-value", "text-anchor": "middle", y: n.image ? radius + 14 : 4 });
    const title = svg("text", before(n)
      ? { class: "nn-neuron-name", "text-anchor": "end", x: -radius - 6, y: 4 }
      : { class: "nn-neuron-name", "text-anchor": "middle", y: -radius - 5 });
    setText(title, n.label);
    const below = svg("text", { class: "nn-neuron-note", "text-anchor": "middle", y: radius + 13 });
    const delta = svg("text", { class: "nn-neuron-delta", "text-anchor": "middle", y: radius + 26 });
    const item = svg("g", { class: "nn-neuron-item" }, disc);
    const canvas = n.image ? element("canvas") : undefined;
    let holder: SVGForeignObjectElement | undefined;
    if (canvas) {
      const side = 2 * radius - 2;
      holder = svg("foreignObject", { x: -side / 2, y: -side / 2, width: side, height: side }, canvas);
      canvas.className = "nn-neuron-image";
      item.append(holder);
    }
    const turn = svg("text", { class: "nn-neuron-turn", "text-anchor": "end", x: -4 - 3.2 * n.label.length, y: -radius - 5 });
    const bias = svg("text", { class: "nn-edge-number nn-bias", "text-anchor": "start", x: radius + 3, y: -radius + 4 });
    item.append(title, value, below, delta, turn);
    cells.append(item);
    const group = svg("g", {}, bias);
    if (scene.canSet(n.bias)) {
      const target = n.bias;
      const { min = -spec.limit, max = spec.limit, step = spec.step } = scene.bounds(target.ref);
      group.prepend(svg("rect", { x: radius, y: -radius - 12, width: 44, height: 24, fill: "transparent" }));
      renew.push(dial(group, `bias of ${name(n.id)}`, {
        get: () => scene.number(target), set: (v) => scene.setAt(target, v), min, max, step,
      }));
    }
    if (n.bias) numbers.append(group);
    return { n, item, disc, value, below, delta, turn, canvas, group, bias };
  });
  if (isClickable(clicks)) buttons(cells, () => neurons.map((n) => n.item), (i) => click(scene, clicks, i));
  // neurons that switch themselves on and off
  const switches = spec.toggle === true ? neurons.filter(({ n }) => scene.canSet(n.on)) : [];
  if (switches.length) {
    for (const { item } of switches) {
      const plus = svg("text", { class: "nn-neuron-plus", "text-anchor": "middle", y: 6 });
      setText(plus, "+");
      item.append(plus);
    }
    buttons(cells, () => switches.map(({ item }) => item), (i) => {
      const { on } = switches[i]!.n;
      if (scene.canSet(on)) scene.setAt(on, scene.number(on) === 0 ? 1 : 0);
    });
  }
  const { peek } = spec;
  if (peek) {
    neurons.forEach(({ item }, i) => {
      for (const [event, to] of [["pointerenter", i], ["focusin", i], ["pointerleave", -1], ["focusout", -1]] as const) {
        item.addEventListener(event, () => {
          if (event !== "focusin" || item.matches(":focus-visible")) scene.set(peek, to);
        });
      }
    });
  }

  if (renew.length) root.append(element("p", { class: "nn-note nn-by-touch" }, "With a finger: slide an edge or a bias sideways."));

  const layout = (): void => {
    room.stale = false;
    const { scale } = room;
    root.style.setProperty("--nn-width", `${spec.width * scale}px`);
    width = Math.max(240, Math.min((room.width || spec.width * scale) / scale, spec.width * 1.25));
    attributes(picture, { width: width * scale, height: height * scale, viewBox: `0 0 ${width} ${height}` });
    const left = radius + 12 + margin;
    const right = width - radius - 46;
    crowded = pictured && (right - left) / Math.max(1, columns.length - 1) < 2 * radius + 44;
    columns.forEach((layer, c) => {
      const list = layers.get(layer)!;
      list.forEach((n, r) => {
        const x = columns.length > 1 ? left + (c / (columns.length - 1)) * (right - left) : width / 2;
        place.set(n.id, { x, y: ((n.row ?? r) + 0.5 + (n.row === undefined ? (most - list.length) / 2 : 0)) * (height / most) });
      });
    });
    // what numbers must not cover: neurons and their biases, then each other
    const taken: [number, number][] = [];
    for (const n of spec.neurons) {
      const p = place.get(n.id)!;
      taken.push([p.x - 8, p.y], [p.x + 8, p.y]);
      if (n.bias) taken.push([p.x + radius + 18, p.y - radius]);
    }
    edges.forEach(({ e, path, hit, number }) => {
      const a = place.get(e.source)!;
      const b = place.get(e.target)!;
      const d = `M${a.x + radius},${a.y}L${b.x - radius},${b.y}`;
      attributes(path, { d });
      attributes(hit, { d });
      const at = (t: number): [number, number] => [a.x + radius + (b.x - a.x - 2 * radius) * t, a.y + (b.y - a.y) * t - 4];
      const free = (p: [number, number]): number => Math.min(...taken.map((q) => Math.max(Math.abs(p[0] - q[0]) / 36, Math.abs(p[1] - q[1]) / 13)));
      const spots = (a.y === b.y ? [0.5, 0.4, 0.6] : [0.34, 0.64, 0.26, 0.74, 0.43, 0.57, 0.18, 0.82]).map(at);
      const spot = spots.find((p) => free(p) >= 1) ?? spots.reduce((best, p) => (free(p) > free(best) ? p : best));
      taken.push(spot);
      attributes(number, { x: spot[0], y: spot[1] });
    });
    for (const { n, item, group } of neurons) {
      const p = place.get(n.id)!;
      attributes(item, { transform: `translate(${p.x},${p.y})` });
      attributes(group, { transform: `translate(${p.x},${p.y})` });
    }
  };

  const masks = new Map(spec.neurons.filter((n) => n.on).map((n) => [n.id, n.on]));
  const off = (id: string): boolean => masks.has(id) && scene.number(masks.get(id), 1) === 0;
  const update = (): void => {
    if (room.stale) layout();
    const shown = switches.length ? spec.edges.filter((e) => !off(e.source) && !off(e.target)).length : spec.edges.length;
    const wide = shown > 40 || crowded;
    const byGradient = spec.show === "gradients";
    let scale = byGradient ? 1e-12 : spec.limit;
    if (byGradient) for (const { e } of edges) scale = Math.max(scale, Math.abs(scene.number(e.gradient, 0)));
    for (const { e, path, number } of edges) {
      const w = scene.number(byGradient ? e.gradient : e.weight, NaN);
      const gone = off(e.source) || off(e.target);
      path.parentElement?.classList.toggle(switches.length ? "nn-gone" : "nn-off", gone);
      if (gone && switches.length) {
        number.classList.toggle("nn-gone", true); // add() would write it anew each time
        continue;
      }
      number.classList.toggle("nn-gone", gone);
      const known = Number.isFinite(w);
      attributes(path, {
        stroke: known ? `var(--nn-weight-${w < 0 ? "neg" : "pos"})` : "var(--nn-muted)",
        "stroke-width": known ? (0.6 + Math.min(1.2, Math.abs(w) / scale) * (wide ? 3.5 : 6)).toFixed(2) : 1.2,
        "stroke-dasharray": known && w < 0 ? "7 4" : undefined,
        "stroke-opacity": known ? 0.9 : 0.5,
      });
      const slope = scene.number(e.gradient, NaN);
      const parts = [known && !byGradient ? two(w) : "", Number.isFinite(slope) ? `∂ ${two(slope)}` : ""].filter(Boolean);
      setText(number, wide ? "" : parts.join("  "));
      number.classList.toggle("nn-is-gradient", byGradient);
    }
    neurons.forEach(({ n, item, disc, value, below, delta, turn, canvas, group, bias }, i) => {
      const v = scene.number(n.value, NaN);
      setText(value, n.value && Number.isFinite(v) ? two(v) : "");
      const net = scene.number(n.net, NaN);
      setText(below, Number.isFinite(net) ? `in ${two(net)}` : "");
      const d = scene.number(n.delta, NaN);
      setText(delta, Number.isFinite(d) ? `δ ${two(d)}` : "");
      if (n.bias) setText(bias, crowded ? "" : two(scene.number(n.bias)));
      const fill = `${(Math.min(1, Number.isFinite(v) ? Math.abs(v) : 0) * 38).toFixed(0)}%`;
      if (disc.style.getPropertyValue("--nn-fill") !== fill) disc.style.setProperty("--nn-fill", fill);
      item.classList.toggle("nn-off", off(n.id));
      item.classList.toggle("nn-negative", v < 0);
      if (isClickable(clicks)) {
        const words = `neuron ${name(n.id)}${Number.isFinite(v) ? `, a = ${two(v)}` : ""}${Number.isFinite(d) ? `, δ = ${two(d)}` : ""}`;
        const at = spec.order ? scene.input(spec.order).tensor[i] ?? 0 : 0;
        setText(turn, at > 0 ? ordinal(at) : "");
        markButton(item, at > 0 ? `${words}, ${ordinal(at)} in order` : words, chosen(scene, clicks, i), i === 0);
      }
      const at = switches.findIndex((s) => s.n === n);
      if (at >= 0) markButton(item, `neuron ${name(n.id)}, ${off(n.id) ? "off" : "on"}`, !off(n.id), at === 0);
      if (switches.length) group.classList.toggle("nn-gone", off(n.id));
      const picture = off(n.id) ? undefined : canvas && scene.get(n.image);
      if (canvas && picture && picture.shape.length === 2) {
        const [h, w] = picture.shape as [number, number];
        if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
        const context = canvas.getContext("2d");
        if (!context) return;
        const image = context.createImageData(w, h);
        const [low, high] = span(picture.data, "classes", undefined);
        const unit = low >= 0 && high <= 1;
        const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
        paintPixels(image, picture.data, 0, table(root, "classes"), unit ? 0 : -most, unit ? 1 : most, true);
        context.putImageData(image, 0, 0);
      }
    });
    for (const one of renew) one();
  };
  return { root, update, measure: room.measure };
};
