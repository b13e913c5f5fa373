// An enlarged image: its pixels as squares, the numbers in them, frames around cells.

import { themeColor } from "./color.js";
import { formatNumber } from "./format.js";
import type { Picture } from "./pixels.js";

const RATIO = 2; // canvas pixels per CSS pixel

/** Sizes a canvas for width × height numbers, each a square with sides of `pixel` CSS pixels. */
export function fitCanvas(canvas: HTMLCanvasElement, width: number, height: number, pixel: number): void {
  const size = pixel * RATIO;
  if (canvas.width === width * size && canvas.height === height * size) return;
  canvas.width = width * size;
  canvas.height = height * size;
  Object.assign(canvas.style, { width: `${width * pixel}px`, aspectRatio: `${width} / ${height}` });
}

/** A canvas that shows an image enlarged. */
export class Enlarged {
  readonly context: CanvasRenderingContext2D | null;
  /** The side of a number's square, in canvas pixels. */
  readonly size: number;

  /** `pixel` is the side of a number's square, in CSS pixels. */
  constructor(private readonly canvas: HTMLCanvasElement, private readonly picture: Picture, pixel: number) {
    this.size = pixel * RATIO;
    fitCanvas(canvas, picture.width, picture.height, pixel);
    this.context = canvas.getContext("2d");
  }

  /** Draws the image, one pixel for each number, enlarged to the canvas. */
  enlarge(small: HTMLCanvasElement): void {
    const { context, canvas } = this;
    if (!context) return;
    context.imageSmoothingEnabled = false;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
  }

  /** Writes each number into its square. */
  write(format: string): void {
    const { context, size, picture: { data, from, width, height } } = this;
    if (!context) return;
    const values = Array.from({ length: height * width }, (_, i) => data[from + i]!);
    const written = values.map((v) => (Number.isNaN(v) ? "nan" : formatNumber(v, format)));
    // as large as the square allows, with gaps between long numbers
    const longest = Math.max(...written.map((words) => words.length));
    context.font = `${Math.round(size * Math.min(size > 50 ? 0.34 : 0.4, 1.45 / longest))}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    const ink = themeColor(this.canvas, "--nn-ink");
    written.forEach((words, i) => {
      context.fillStyle = Number.isNaN(values[i]!) ? ink : this.inkOn(values[i]!);
      context.fillText(words, ((i % width) + 0.5) * size, (Math.floor(i / width) + 0.5) * size, size * 0.96);
    });
  }

  /** Draws a frame around cells; `inset` keeps the line within them. */
  frame(row: number, column: number, height: number, width: number, line: { color: string; width: number; inset: number }): void {
    const { context, size } = this;
    if (!context) return;
    context.lineWidth = line.width;
    context.strokeStyle = themeColor(this.canvas, line.color);
    context.strokeRect(column * size + line.inset, row * size + line.inset, width * size - 2 * line.inset, height * size - 2 * line.inset);
  }

  /** Black on a bright square, white on a dark one. */
  private inkOn(v: number): string {
    const { low, high, colors } = this.picture;
    const k = Math.round(Math.min(1, Math.max(0, (v - low) / (high - low || 1))) * 255) * 4;
    const bright = colors[k]! * 0.3 + colors[k + 1]! * 0.59 + colors[k + 2]! * 0.11;
    return bright > 130 ? "#111" : "#fff";
  }
}
