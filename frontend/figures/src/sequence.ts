// A recurrent network over a word: one cell with a loop, or unrolled, with a copy of the cell for each letter.

import { arrowTip } from "./arrow-tip.js";
import { AvailableSpace } from "./available-space.js";
import { cssColor } from "./color.js";
import { attributes, element, setText, svg, uniqueId } from "./dom.js";
import { formatNumber } from "./format.js";
import type { SequenceSpec } from "./grammar.js";
import { buttons, chosen, click, type Clicks, markButton } from "./grip.js";
import type { Scene, Value } from "./scene.js";
import type { Builder, View } from "./view.js";

const STEP = 88;

function textAt(content: string, x: number, y: number, className: string): SVGTextElement {
  const node = svg("text", { x, y, "text-anchor": "middle", class: className });
  setText(node, content);
  return node;
}

/** The state at position t: a square for each of its first 16 numbers, in four columns. */
function stateSquares(states: Value | undefined, t: number): SVGElement[] {
  if (!states || states.shape.length < 2 || t >= states.shape[0]!) return [];
  const size = Math.min(16, states.shape[1]!);
  const side = Math.min(10, 40 / Math.ceil(size / 4));
  return Array.from({ length: size }, (_, k) => {
    const v = states.data[t * states.shape[1]! + k]!;
    return svg("rect", {
      x: -2 * side + (k % 4) * side, y: 96 + Math.floor(k / 4) * side, width: side - 1, height: side - 1,
      fill: cssColor(v < 0 ? "weight-neg" : "weight-pos"), "fill-opacity": (0.08 + 0.92 * Math.min(1, Math.abs(v))).toFixed(2),
    });
  });
}

/** The outputs at position t as bars, and the largest of them with its name. */
function outputBars(outputs: Value | undefined, t: number, names: readonly string[] | undefined): SVGElement[] {
  if (!outputs || outputs.shape.length < 1 || t >= outputs.shape[0]!) return [];
  const k = outputs.shape[1] ?? 1;
  const row = Array.from({ length: k }, (_, i) => outputs.data[t * k + i]!);
  const best = row.indexOf(Math.max(...row));
  const w = Math.min(14, 60 / k);
  const bars = row.map((v, i) => svg("rect", {
    x: (i - k / 2) * w, width: w - 2, y: 46 - 34 * Math.min(1, Math.max(0, v)), height: 34 * Math.min(1, Math.max(0, v)),
    fill: cssColor(i === best || k === 1 ? "series0" : "muted"),
  }));
  const label = k === 1 ? formatNumber(row[0]!, ".2f") : `${names?.[best] ?? best} ${formatNumber(row[best]!, ".2f")}`;
  return [...bars, textAt(label, 0, 8, "nn-neuron-note")];
}

class Sequence implements View {
  readonly root: HTMLElement;
  readonly measure: () => boolean;
  private readonly space: AvailableSpace;
  private readonly tip = uniqueId("tip");
  private readonly body = svg("g");
  private readonly picture: SVGSVGElement;
  private readonly clicks: Clicks;
  /** The copies of the cell, one for each letter; none if a single cell with a loop is drawn. */
  private copies: SVGGElement[] = [];

  constructor(private readonly spec: SequenceSpec, private readonly scene: Scene) {
    this.clicks = spec.select ? { select: spec.select } : {};
    this.picture = svg("svg", { class: "nn-svg nn-sequence" }, svg("defs", {}, arrowTip(this.tip)), this.body);
    this.root = element("div", { class: "nn-dag-view", tabindex: 0, role: "region", "aria-label": "network over the word, scrolls sideways" }, this.picture);
    this.space = new AvailableSpace(this.root, () => 0); // its width depends on the word alone: it scrolls sideways
    this.measure = this.space.measure;
    if (spec.select) buttons(this.body, () => this.copies, (i) => click(scene, this.clicks, i));
  }

  update(): void {
    const { spec, scene, space } = this;
    const raw = scene.inputs.get(spec.word)?.raw;
    const word = typeof raw === "string" ? raw : "";
    const unrolled = scene.number(spec.unrolled, 1) !== 0;
    const n = unrolled ? Math.max(1, word.length) : 1;
    const focus = this.copies.findIndex((item) => item === document.activeElement);
    this.body.replaceChildren();
    if (unrolled) this.drawCopies(word, n);
    else this.drawLoop(word);
    const width = 52 + n * STEP + 30;
    attributes(this.picture, { width: width * space.scale, height: 230 * space.scale, viewBox: `0 0 ${width} 230`, role: "group", "aria-label": `${spec.cell} over "${word}"` });
    if (spec.select) this.copies.forEach((item, i) => markButton(item, `position ${i + 1}: ${word[i] ?? "empty"}`, chosen(scene, this.clicks, i), i === 0));
    if (focus >= 0) this.copies[Math.min(focus, this.copies.length - 1)]?.focus();
  }

  /** Draws a copy of the cell for each letter, with the state passed on from one to the next. */
  private drawCopies(word: string, n: number): void {
    this.copies = Array.from({ length: n }, (_, t) => this.cell(52 + t * STEP, t, word[t] ?? "·"));
    this.copies.forEach((item, t) => {
      const x = 52 + t * STEP;
      this.body.append(item, this.arrow(`M${x + 30 - STEP},${124}L${x - 34},${124}`, "nn-state-wire"));
    });
  }

  /** Draws one cell with an arrow from itself to itself. */
  private drawLoop(word: string): void {
    this.copies = [];
    const item = this.cell(72, Math.max(0, word.length - 1), word || "·");
    item.append(this.arrow("M30,98C70,98 70,160 2,160C-64,160 -64,110 -33,110", "nn-state-wire"));
    this.body.append(item);
  }

  /** The cell at position t, with its input below and its outputs above. */
  private cell(x: number, t: number, inputLabel: string): SVGGElement {
    const { spec, scene } = this;
    const item = svg("g", { transform: `translate(${x},14)`, class: "nn-cell" });
    const box = svg("rect", { x: -30, y: 76, width: 60, height: 68, rx: 9, class: "nn-cell-box" });
    const change = scene.get(spec.changes)?.data[t];
    if (change !== undefined && Number.isFinite(change)) {
      attributes(box, { "stroke-width": 1.2 + Math.min(6, Math.abs(change) * 6) });
      box.classList.add("nn-changed");
      item.append(textAt(`Δ ${formatNumber(change, ".2g")}`, 0, 206, "nn-neuron-delta"));
    }
    item.append(box, textAt(spec.cell, 0, 91, "nn-dag-name"), ...stateSquares(scene.get(spec.states), t));
    if (spec.outputs) item.append(this.arrow("M0,76L0,50"), this.headName(), ...outputBars(scene.get(spec.outputs), t, spec.output_labels));
    item.append(this.arrow("M0,170L0,148"), textAt(inputLabel, 0, 188, "nn-letter"));
    return item;
  }

  /** The output layer's name, beside the arrow from the cell to the outputs. */
  private headName(): SVGTextElement {
    const node = textAt(this.spec.head, 6, 66, "nn-neuron-note");
    attributes(node, { "text-anchor": "start" });
    return node;
  }

  private arrow(d: string, extra = ""): SVGPathElement {
    return svg("path", { d, class: `nn-dag-edge ${extra}`, "marker-end": `url(#${this.tip})` });
  }
}

export const sequence: Builder<SequenceSpec> = (spec, { scene }) => new Sequence(spec, scene);
