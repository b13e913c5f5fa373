// The unrolled recurrent network: one cell and its word, or a copy of the cell for every letter.

import { cssColor } from "./color.js";
import { attributes, element, setText, svg, uniqueId } from "./dom.js";
import { formatNumber } from "./format.js";
import type { SequenceSpec } from "./grammar.js";
import { buttons, chosen, click, type Clicks, markButton } from "./grip.js";
import { Room } from "./room.js";
import type { Builder } from "./view.js";

const STEP = 88;

export const sequence: Builder<SequenceSpec> = (spec, { scene }) => {
  const clicks: Clicks = spec.select ? { select: spec.select } : {};
  const tip = uniqueId("tip");
  const body = svg("g");
  const picture = svg("svg", { class: "nn-svg nn-sequence" },
    svg("defs", {}, svg("marker", { id: tip, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto", markerUnits: "userSpaceOnUse" },
      svg("path", { d: "M0,0L8,4L0,8Z", class: "nn-dag-tip" }))), body);
  const root = element("div", { class: "nn-dag-view", tabindex: 0, role: "region", "aria-label": "network over the word, scrolls sideways" }, picture);
  let items: SVGGElement[] = [];
  const room = new Room(root, () => 0); // as wide as its letters: it scrolls sideways
  if (spec.select) buttons(body, () => items, (i) => click(scene, clicks, i));

  const arrow = (d: string, extra = ""): SVGPathElement => svg("path", { d, class: `nn-dag-edge ${extra}`, "marker-end": `url(#${tip})` });
  const words = (content: string, x: number, y: number, kind: string): SVGTextElement => {
    const node = svg("text", { x, y, "text-anchor": "middle", class: kind });
    setText(node, content);
    return node;
  };
  const stateColumn = (t: number): SVGElement[] => {
    const states = scene.get(spec.states);
    if (!states || states.shape.length < 2 || t >= states.shape[0]!) return [];
    const size = Math.min(16, states.shape[1]!);
    const side = Math.min(10, 40 / Math.ceil(size / 4));
    return Array.from({ length: size }, (_, k) => {
      const v = states.data[t * states.shape[1]! + k]!;
      const square = svg("rect", {
        x: -2 * side + (k % 4) * side, y: 96 + Math.floor(k / 4) * side, width: side - 1, height: side - 1,
        fill: cssColor(v < 0 ? "weight-neg" : "weight-pos"), "fill-opacity": (0.08 + 0.92 * Math.min(1, Math.abs(v))).toFixed(2),
      });
      return square;
    });
  };
  const outputBars = (t: number): SVGElement[] => {
    const outputs = scene.get(spec.outputs);
    if (!outputs || outputs.shape.length < 1 || t >= outputs.shape[0]!) return [];
    const k = outputs.shape[1] ?? 1;
    const row = Array.from({ length: k }, (_, i) => outputs.data[t * k + i]!);
    const best = row.indexOf(Math.max(...row));
    const w = Math.min(14, 60 / k);
    const made: SVGElement[] = row.map((v, i) => svg("rect", {
      x: (i - k / 2) * w, width: w - 2, y: 46 - 34 * Math.min(1, Math.max(0, v)), height: 34 * Math.min(1, Math.max(0, v)),
      fill: cssColor(i === best || k === 1 ? "series0" : "muted"),
    }));
    const label = k === 1 ? formatNumber(row[0]!, ".2f") : `${spec.output_labels?.[best] ?? best} ${formatNumber(row[best]!, ".2f")}`;
    made.push(words(label, 0, 8, "nn-neuron-note"));
    return made;
  };

  /** Beside the arrow from the cell to the outputs. */
  const headName = (): SVGTextElement => {
    const node = words(spec.head, 6, 66, "nn-neuron-note");
    attributes(node, { "text-anchor": "start" });
    return node;
  };

  const update = (): void => {
    const raw = scene.inputs.get(spec.word)?.raw;
    const word = typeof raw === "string" ? raw : "";
    const many = scene.number(spec.unrolled, 1) !== 0;
    const n = many ? Math.max(1, word.length) : 1;
    const deltas = scene.get(spec.deltas);
    const focus = items.findIndex((item) => item === document.activeElement);
    body.replaceChildren();
    items = [];
    for (let t = 0; t < n; t++) {
      const last = many ? t : Math.max(0, word.length - 1);
      const x = 52 + t * STEP + (many ? 0 : 20);
      const item = svg("g", { transform: `translate(${x},14)`, class: "nn-cell" });
      const size = deltas?.data[last];
      const box = svg("rect", { x: -30, y: 76, width: 60, height: 68, rx: 9, class: "nn-cell-box" });
      if (size !== undefined && Number.isFinite(size)) {
        attributes(box, { "stroke-width": 1.2 + Math.min(6, Math.abs(size) * 6) });
        box.classList.add("nn-changed");
        item.append(words(`Δ ${formatNumber(size, ".2g")}`, 0, 206, "nn-neuron-delta"));
      }
      item.append(box, words(spec.cell, 0, 91, "nn-dag-name"), ...stateColumn(last));
      if (spec.outputs) item.append(arrow("M0,76L0,50"), headName(), ...outputBars(last));
      item.append(arrow("M0,170L0,148"), words(many ? word[t] ?? "·" : word || "·", 0, 188, "nn-letter"));
      body.append(item);
      if (many) {
        body.append(arrow(`M${x + 30 - STEP},${124}L${x - 34},${124}`, "nn-state-wire"));
        items.push(item);
      } else item.append(arrow("M30,98C70,98 70,160 2,160C-64,160 -64,110 -33,110", "nn-state-wire"));
    }
    const width = 52 + n * STEP + 30;
    attributes(picture, { width: width * room.scale, height: 230 * room.scale, viewBox: `0 0 ${width} 230`, role: "group", "aria-label": `${spec.cell} over "${word}"` });
    if (spec.select) items.forEach((item, i) => markButton(item, `position ${i + 1}: ${word[i] ?? "empty"}`, chosen(scene, clicks, i), i === 0));
    if (focus >= 0) items[Math.min(focus, items.length - 1)]?.focus();
  };
  return { root, update, measure: room.measure };
};
