// What stands on an image's canvas: the enlarged pixels, the numbers in them, frames around cells.

import { paintPixels, themeColor } from "../color.js";
import { formatNumber } from "../format.js";

const RATIO = 2; // pixels of a canvas to one of the page

/** One image among the numbers of a view, and the scale that gives its colours. */
export interface Picture {
  readonly data: ArrayLike<number>;
  /** Where the image begins in the data. */
  readonly from: number;
  readonly height: number;
  readonly width: number;
  readonly low: number;
  readonly high: number;
  /** 256 colours, from low to high. */
  readonly colors: Uint8ClampedArray;
}

/** Paints an image as it is, a pixel for each number. */
export function paintSmall(small: HTMLCanvasElement, picture: Picture): void {
  const { width, height, data, from, colors, low, high } = picture;
  if (small.width !== width || small.height !== height) {
    small.width = width;
    small.height = height;
  }
  const context = small.getContext("2d");
  if (!context) return;
  const image = context.createImageData(width, height);
  paintPixels(image, data, from, colors, low, high, false);
  context.putImageData(image, 0, 0);
}

/** The canvas on which an image stands enlarged. */
export class Enlarged {
  private readonly context: CanvasRenderingContext2D | null;
  /** Of a number's square, in pixels of the canvas. */
  private readonly size: number;

  /** `pixel` is the size of a number's square in the page. */
  constructor(private readonly canvas: HTMLCanvasElement, private readonly picture: Picture, pixel: number) {
    const { width: w, height: h } = picture;
    this.size = pixel * RATIO;
    if (canvas.width !== w * this.size || canvas.height !== h * this.size) {
      canvas.width = w * this.size;
      canvas.height = h * this.size;
      Object.assign(canvas.style, { width: `${w * pixel}px`, aspectRatio: `${w} / ${h}` });
    }
    this.context = canvas.getContext("2d");
  }

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
    // as large as the box allows, and long numbers leave a gap to their neighbours
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
