// Numbers as pixels: one pixel for each number, on a small canvas that is then drawn enlarged.

import { element } from "./dom.js";

/** An image within an array of numbers, and its colour scale. */
export interface Picture {
  readonly data: ArrayLike<number>;
  /** The index at which the image begins in the data. */
  readonly from: number;
  readonly height: number;
  readonly width: number;
  readonly low: number;
  readonly high: number;
  /** 256 colours (RGBA), from low to high. */
  readonly colors: Uint8ClampedArray;
}

/** Writes values as pixels; `flip` puts the first row at the bottom; nan is transparent. */
function write({ data: pixels, width, height }: ImageData, picture: Picture, flip: boolean): void {
  const { data, from, low, high, colors } = picture;
  const scale = 255 / (high - low || 1);
  for (let r = 0; r < height; r++) {
    const rowStart = from + (flip ? height - 1 - r : r) * width;
    for (let c = 0; c < width; c++) {
      const v = data[rowStart + c]!;
      const k = v >= high ? 255 : v > low ? ((v - low) * scale) | 0 : 0;
      const pixel = (r * width + c) * 4;
      if (Number.isNaN(v)) {
        pixels[pixel + 3] = 0;
        continue;
      }
      pixels[pixel] = colors[k * 4]!;
      pixels[pixel + 1] = colors[k * 4 + 1]!;
      pixels[pixel + 2] = colors[k * 4 + 2]!;
      pixels[pixel + 3] = 255;
    }
  }
}

export class Pixels {
  private image: ImageData | undefined;

  constructor(readonly canvas = element("canvas")) {}

  paint(picture: Picture, flip = false): void {
    const { canvas } = this;
    const context = canvas.getContext("2d");
    if (!context) return;
    const { width, height } = picture;
    if (this.image?.width !== width || this.image.height !== height) {
      [canvas.width, canvas.height] = [width, height];
      this.image = context.createImageData(width, height);
    }
    write(this.image, picture, flip);
    context.putImageData(this.image, 0, 0);
  }
}
