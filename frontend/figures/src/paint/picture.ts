// Draws a paint pad: its cells in colour, the lines between them, their numbers, the cell that keys change.

import { colorTable, scaleLimits } from "../color.js";
import { element } from "../dom.js";
import { Enlarged, fitCanvas } from "../enlarged.js";
import type { PaintSpec } from "../grammar.js";
import { Pixels } from "../pixels.js";
import type { Cells, Position } from "./cells.js";

export class PadPicture {
  readonly canvas = element("canvas", { class: "nn-pad", tabindex: 0, role: "application", "aria-roledescription": "paint pad" });
  private readonly small = new Pixels();
  /** The side of a cell, in CSS pixels. */
  private readonly pixel: number;

  constructor(private readonly spec: PaintSpec, private readonly cells: Cells) {
    const { rows, columns } = cells;
    this.pixel = Math.max(4, Math.min(34, Math.floor(224 / Math.max(rows, columns))));
    fitCanvas(this.canvas, columns, rows, this.pixel);
  }

  /** The position under the pointer. */
  under(event: PointerEvent): Position {
    const box = this.canvas.getBoundingClientRect();
    const { rows, columns } = this.cells;
    return [((event.clientY - box.top) / box.height) * rows, ((event.clientX - box.left) / box.width) * columns];
  }

  /** Draws the pad; the given cell, which keys change, is framed while the pad has the focus. */
  draw([row, column]: Position): void {
    const { canvas, small, spec, pixel, cells: { rows, columns, values } } = this;
    const [low, high] = scaleLimits(values, spec.colors, spec.range);
    const picture = { data: values, from: 0, height: rows, width: columns, low, high, colors: colorTable(canvas, spec.colors) };
    small.paint(picture);
    const enlarged = new Enlarged(canvas, picture, pixel);
    enlarged.enlarge(small.canvas);
    const { context, size } = enlarged;
    if (!context) return;
    if (pixel >= 12) this.drawLines(context, size);
    if (spec.annotate !== undefined) enlarged.write(spec.annotate);
    if (document.activeElement === canvas) enlarged.frame(row, column, 1, 1, { color: "--nn-focus", width: 3, inset: 0 });
  }

  private drawLines(context: CanvasRenderingContext2D, size: number): void {
    const { canvas, cells: { rows, columns } } = this;
    context.strokeStyle = "rgb(128 128 128 / .35)";
    context.lineWidth = 1;
    context.beginPath();
    for (let c = 1; c < columns; c++) context.rect(c * size, 0, 0, canvas.height);
    for (let r = 1; r < rows; r++) context.rect(0, r * size, canvas.width, 0);
    context.stroke();
  }
}
