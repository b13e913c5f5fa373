// How a paint pad looks: its cells in colour, lines between them, their numbers, the cell that keys change.

import { paintPixels, span, table, themeColor } from "../color.js";
import { element } from "../dom.js";
import { formatNumber } from "../format.js";
import type { PaintSpec } from "../grammar.js";
import type { Cells, Position } from "./cells.js";

const RATIO = 2; // pixels of the canvas to one of the page

export class PadPicture {
  readonly canvas = element("canvas", { class: "nn-pad", tabindex: 0, role: "application", "aria-roledescription": "paint pad" });
  /** One pixel for each cell, from which they are enlarged. */
  private readonly small: HTMLCanvasElement;
  /** The size of a cell in the page. */
  private readonly pixel: number;

  constructor(private readonly spec: PaintSpec, private readonly cells: Cells) {
    const { canvas, cells: { rows, columns } } = this;
    this.pixel = Math.max(4, Math.min(34, Math.floor(224 / Math.max(rows, columns))));
    const [w, h] = [columns * this.pixel, rows * this.pixel];
    canvas.width = RATIO * w;
    canvas.height = RATIO * h;
    Object.assign(canvas.style, { width: `${w}px`, aspectRatio: `${columns} / ${rows}` });
    this.small = element("canvas", { width: columns, height: rows });
  }

  /** The position below the pointer. */
  under(event: PointerEvent): Position {
    const box = this.canvas.getBoundingClientRect();
    const { rows, columns } = this.cells;
    return [((event.clientY - box.top) / box.height) * rows, ((event.clientX - box.left) / box.width) * columns];
  }

  /** `cursor` is the cell that keys change, drawn while the pad has the focus. */
  draw(cursor: Position): void {
    const context = this.canvas.getContext("2d");
    if (!context) return;
    const ends = span(this.cells.values, this.spec.colors, this.spec.range);
    this.drawCells(context, ends);
    if (this.pixel >= 12) this.drawLines(context);
    if (this.spec.annotate !== undefined) this.drawNumbers(context, this.spec.annotate, ends);
    if (document.activeElement === this.canvas) this.drawCursor(context, cursor);
  }

  private drawCells(context: CanvasRenderingContext2D, [low, high]: readonly [number, number]): void {
    const { canvas, small, cells: { rows, columns, values } } = this;
    const mini = small.getContext("2d");
    if (!mini) return;
    const image = mini.createImageData(columns, rows);
    paintPixels(image, values, 0, table(canvas, this.spec.colors), low, high, false);
    mini.putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
  }

  private drawLines(context: CanvasRenderingContext2D): void {
    const { canvas, cells: { rows, columns } } = this;
    const size = RATIO * this.pixel;
    context.strokeStyle = "rgb(128 128 128 / .35)";
    context.beginPath();
    for (let c = 1; c < columns; c++) context.rect(c * size, 0, 0, canvas.height);
    for (let r = 1; r < rows; r++) context.rect(0, r * size, canvas.width, 0);
    context.stroke();
  }

  private drawNumbers(context: CanvasRenderingContext2D, format: string, [low, high]: readonly [number, number]): void {
    const { canvas, pixel, cells: { columns, values } } = this;
    const size = RATIO * pixel;
    const colors = table(canvas, this.spec.colors);
    context.font = `${Math.round(pixel * 0.8)}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    values.forEach((v, k) => {
      const at = Math.round(((v - low) / (high - low || 1)) * 255);
      const [red, green, blue] = colors.subarray(Math.min(255, Math.max(0, at)) * 4);
      context.fillStyle = red! * 0.3 + green! * 0.6 + blue! * 0.1 > 140 ? "#111" : "#fff";
      context.fillText(formatNumber(v, format), ((k % columns) + 0.5) * size, (Math.floor(k / columns) + 0.5) * size);
    });
  }

  private drawCursor(context: CanvasRenderingContext2D, [row, column]: Position): void {
    const size = RATIO * this.pixel;
    context.strokeStyle = themeColor(this.canvas, "--nn-focus");
    context.lineWidth = 3;
    context.strokeRect(column * size, row * size, size, size);
    context.lineWidth = 1;
  }
}
