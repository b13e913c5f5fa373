// The paint pad: cells are painted by pointer or by keys, with a choice of inks.

import { action, attributes, element, setText, uniqueId } from "./dom.js";
import { formatNumber } from "./format.js";
import type { PaintSpec } from "./grammar.js";
import { Cells, type Position } from "./paint/cells.js";
import { PadPicture } from "./paint/picture.js";
import type { Input, Scene } from "./scene.js";
import type { View } from "./view.js";

/** Handles pointers: one pointer draws; two fingers zoom or scroll the page and draw nothing. */
class Strokes {
  private last: Position | null = null;
  private readonly fingers = new Set<number>();
  /** The cells before the first finger touched them. */
  private untouched: Float64Array | null = null;

  /** `onMove` is called with the cell that the brush has reached. */
  constructor(private readonly cells: Cells, private readonly picture: PadPicture, private readonly onMove: (cell: Position) => void) {}

  listen(): void {
    const { canvas } = this.picture;
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => {
      if (!this.last || this.fingers.size !== 1) return;
      for (const sample of event.getCoalescedEvents?.() ?? [event]) this.draw(this.picture.under(sample));
    });
    for (const end of ["pointerup", "pointercancel"] as const) canvas.addEventListener(end, (event) => this.release(event));
  }

  private press(event: PointerEvent): void {
    const { canvas } = this.picture;
    event.preventDefault();
    this.fingers.add(event.pointerId);
    if (this.fingers.size > 1) {
      // erase what the first finger has drawn
      if (this.untouched) this.cells.replace(this.untouched);
      this.untouched = null;
      this.last = null;
      return;
    }
    this.untouched = event.pointerType === "touch" ? this.cells.values.slice() : null;
    canvas.focus();
    canvas.setPointerCapture(event.pointerId);
    this.draw(this.picture.under(event));
  }

  private draw(to: Position): void {
    this.cells.line(this.last ?? to, to);
    this.last = to;
    this.onMove([Math.floor(to[0]), Math.floor(to[1])]);
  }

  private release(event: PointerEvent): void {
    this.fingers.delete(event.pointerId);
    this.last = null;
  }
}

/** The choice of inks, and the button that clears the pad. */
function tools(range: PaintSpec["range"], cells: Cells): HTMLElement {
  const [low, high] = range;
  const inks: [string, number][] = low < 0 ? [["+", high], ["−", low], ["0", 0]] : [["draw", high], ["erase", low]];
  const group = uniqueId("ink");
  const choices = inks.map(([words, value], i) => {
    const radio = element("input", { type: "radio", name: group });
    radio.checked = i === 0;
    radio.addEventListener("change", () => (cells.ink = value));
    return element("label", { class: "nn-choice" }, radio, element("span", {}, words));
  });
  return element("div", { class: "nn-tools" },
    element("div", { class: "nn-choices", role: "radiogroup", "aria-label": "brush" }, ...choices),
    action("clear", () => cells.clear()));
}

export class PaintPad implements View {
  readonly root: HTMLElement;
  private readonly cells: Cells;
  private readonly picture: PadPicture;
  private readonly status = element("output", { class: "nn-value", "aria-live": "polite" });
  /** The cell that keys change. */
  private cursor: Position;

  constructor(spec: PaintSpec, input: Input, scene: Scene) {
    this.cells = new Cells(spec, input, scene);
    this.picture = new PadPicture(spec, this.cells);
    this.cursor = [this.cells.rows >> 1, this.cells.columns >> 1];
    const { canvas } = this.picture;
    new Strokes(this.cells, this.picture, (cell) => (this.cursor = cell)).listen();
    canvas.addEventListener("keydown", (event) => this.onKey(event));
    for (const change of ["focus", "blur"]) canvas.addEventListener(change, () => this.update());
    attributes(canvas, { "aria-label": `${input.label}: arrows move, space paints, plus and minus change a cell` });
    this.root = element("div", { class: "nn-control nn-paint", role: "group", "aria-label": input.label },
      element("span", { class: "nn-name" }, input.label), canvas, tools(spec.range, this.cells), this.status);
  }

  update(): void {
    this.picture.draw(this.cursor);
  }

  private onKey(event: KeyboardEvent): void {
    if (!this.press(event.key)) return;
    event.preventDefault();
    this.update();
    const [row, column] = this.cursor;
    setText(this.status, `row ${row + 1}, column ${column + 1}: ${formatNumber(this.cells.at(this.cursor), ".2~f")}`);
  }

  /** Handles a key; returns whether the pad uses it. */
  private press(key: string): boolean {
    const { cells, cursor: [row, column] } = this;
    const { rows, columns } = cells;
    const steps: Record<string, Position> = {
      ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
      PageUp: [-rows, 0], PageDown: [rows, 0], Home: [0, -columns], End: [0, columns],
    };
    const step = steps[key];
    if (step) this.cursor = cells.nearest([row + step[0], column + step[1]]);
    else if (key === " " || key === "Enter") cells.dab([row + 0.5, column + 0.5]);
    else if (/^[+=-]$/.test(key)) cells.change(this.cursor, key === "-" ? -1 : 1);
    else return false;
    return true;
  }
}
