// One image of a view: its canvas, its name, and the names of its rows and columns.

import { attributes, element, resize, setText } from "../dom.js";

/** Names beside the rows or above the columns, each as high or as wide as a number's square. */
class Names {
  readonly root: HTMLElement;

  constructor(className: "nn-across" | "nn-down", private readonly side: "width" | "height") {
    this.root = element("div", { class: className, "aria-hidden": "true" });
  }

  show(names: readonly string[], pixel: number): void {
    if (!names.length) return;
    const spans = [...this.root.children] as HTMLElement[];
    resize(spans, names.length, this.root, () => element("span"));
    spans.forEach((span, i) => {
      setText(span, names[i]!);
      span.style[this.side] = `${pixel}px`;
    });
  }
}

export class Tile {
  readonly canvas = element("canvas", { class: "nn-image" });
  readonly columns = new Names("nn-across", "width");
  readonly rows = new Names("nn-down", "height");
  readonly item: HTMLElement;
  private readonly name = element("div", { class: "nn-image-name" });

  constructor() {
    const row = element("div", { class: "nn-tile-row" }, this.rows.root, this.canvas);
    this.item = element("div", { class: "nn-tile" }, this.columns.root, row, this.name);
  }

  title(words: string): void {
    setText(this.name, words);
  }

  /** Sets the text for screen readers, if the tile itself is not a button. */
  describe(words: string): void {
    attributes(this.canvas, { "aria-label": words });
  }
}
