// Images of arrays, such as weights, feature maps, kernels: with numbers, names, a window, and clicks.

import { colorTable, scaleLimits } from "./color.js";
import { attributes, element } from "./dom.js";
import { Enlarged } from "./enlarged.js";
import { formatNumber } from "./format.js";
import type { ImagesSpec } from "./grammar.js";
import { buttons, chosen, click, type Clicks, markButton } from "./grip.js";
import { pickCells } from "./images/pick.js";
import { Tile } from "./images/tile.js";
import { type Picture, Pixels } from "./pixels.js";
import type { Scene, Value } from "./scene.js";
import type { Builder, View } from "./view.js";

const MAX_IMAGES = 256;

class Images implements View {
  readonly root: HTMLElement;
  private readonly list = element("div", { class: "nn-images" });
  private readonly tiles: Tile[] = [];
  private readonly small = new Pixels();
  private readonly clicks: Clicks;
  private shape: readonly [number, number] = [1, 1];
  /** The side of a number's square, in CSS pixels. */
  private pixel = 1;

  constructor(private readonly spec: ImagesSpec, private readonly scene: Scene) {
    const { list } = this;
    this.clicks = spec.select ? { select: spec.select } : {};
    if (spec.columns) list.style.setProperty("--nn-columns", String(spec.columns));
    list.classList.toggle("nn-in-columns", !!spec.columns);
    // columns wider than a phone scroll, and the keyboard must be able to scroll them too
    if (spec.columns && !spec.select) {
      attributes(list, { tabindex: 0, role: "group", "aria-label": `${spec.title ?? "images"}, scrolls sideways` });
    }
    this.root = element("div", { class: "nn-images-view", role: "group", "aria-label": spec.title ?? "images" });
    if (spec.title) this.root.append(element("div", { class: "nn-view-title" }, spec.title));
    this.root.append(list);
    if (spec.select) buttons(list, () => this.tiles.map((t) => t.item), (i) => click(scene, this.clicks, i));
  }

  update(): void {
    const values = this.scene.get(this.spec.values);
    if (!values || values.shape.length < 2) return;
    const [h, w] = values.shape.slice(-2) as [number, number];
    const n = Math.min(MAX_IMAGES, values.data.length / (h * w));
    this.shape = [h, w];
    this.pixel = this.spec.pixel ?? Math.max(1, Math.min(16, Math.floor((n === 1 ? 200 : 72) / Math.max(h, w))));
    while (this.tiles.length > n) this.tiles.pop()!.item.remove();
    while (this.tiles.length < n) this.addTile();
    this.drawTiles(values);
  }

  private addTile(): void {
    const { spec, scene } = this;
    const tile = new Tile();
    if (spec.pick) pickCells(tile.canvas, scene, spec.pick, () => this.shape);
    else if (!spec.select) attributes(tile.canvas, { role: "img" });
    this.tiles.push(tile);
    this.list.append(tile.item);
  }

  private drawTiles({ data }: Value): void {
    const { spec, tiles, pixel, shape: [height, width] } = this;
    const { colors: scale = "gray" } = spec;
    const colors = colorTable(this.root, scale);
    const rows = this.names(spec.row_labels, height);
    const columns = this.names(spec.column_labels, width);
    tiles.forEach((tile, k) => {
      const from = k * height * width;
      const scaled = spec.range ? data : Array.prototype.slice.call(data, from, from + height * width) as number[];
      const [low, high] = scaleLimits(scaled, scale, spec.range);
      this.drawImage(tile, { data, from, height, width, low, high, colors });
      tile.title(spec.labels?.[k] ?? "");
      tile.columns.show(columns, pixel);
      tile.rows.show(rows, pixel);
      const name = spec.labels?.[k] ?? (tiles.length > 1 ? `image ${k + 1}` : spec.title ?? "image");
      const description = `${name}, ${height} by ${width}, from ${formatNumber(low, ".2~f")} to ${formatNumber(high, ".2~f")}`;
      if (spec.select) markButton(tile.item, description, chosen(this.scene, this.clicks, k), k === 0);
      else tile.describe(description);
    });
  }

  private drawImage(tile: Tile, picture: Picture): void {
    const { spec, scene, small } = this;
    small.paint(picture);
    const enlarged = new Enlarged(tile.canvas, picture, this.pixel);
    enlarged.enlarge(small.canvas);
    if (spec.annotate !== undefined && picture.height * picture.width <= 1024) enlarged.write(spec.annotate);
    const window = scene.get(spec.window);
    if (window && window.data.length >= 4) {
      const [row, column, height, width] = Array.from(window.data) as [number, number, number, number];
      enlarged.frame(row, column, height, width, { color: "--nn-gradient", width: 4, inset: 1 });
    }
    const [row, column] = spec.pick ?? [];
    if (row && column) enlarged.frame(scene.number(row), scene.number(column), 1, 1, { color: "--nn-accent", width: 3, inset: 0 });
  }

  /** The names of rows or columns: a list, or the letters of the text input with this name. */
  private names(source: readonly string[] | string | undefined, count: number): readonly string[] {
    if (typeof source !== "string") return source ?? [];
    const word = this.scene.inputs.get(source)?.raw;
    return Array.from({ length: count }, (_, i) => (typeof word === "string" ? word[i] ?? "·" : ""));
  }
}

export const images: Builder<ImagesSpec> = (spec, { scene }) => new Images(spec, scene);
