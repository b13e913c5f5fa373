// Images: weights, feature maps, kernels, one-hot columns; with numbers, names, a window, and clicks.

import { paintPixels, span, table, themeColor } from "./color.js";
import { attributes, element, resize, setText } from "./dom.js";
import { formatNumber } from "./format.js";
import type { ImagesSpec } from "./grammar.js";
import { buttons, byFinger, chosen, click, type Clicks, markButton } from "./grip.js";
import type { Builder } from "./view.js";

interface Tile { readonly item: HTMLElement; readonly canvas: HTMLCanvasElement; readonly name: HTMLElement; readonly across: HTMLElement; readonly down: HTMLElement }

export const images: Builder<ImagesSpec> = (spec, { scene }) => {
  const { colors = "gray" } = spec;
  const list = element("div", { class: "nn-images" });
  if (spec.columns) list.style.setProperty("--nn-columns", String(spec.columns));
  list.classList.toggle("nn-in-columns", !!spec.columns);
  // columns that are wider than a phone scroll, which the keyboard must be able to do as well
  if (spec.columns && !spec.select) {
    attributes(list, { tabindex: 0, role: "group", "aria-label": `${spec.title ?? "images"}, scrolls sideways` });
  }
  const root = element("div", { class: "nn-images-view", role: "group", "aria-label": spec.title ?? "images" });
  if (spec.title) root.append(element("div", { class: "nn-view-title" }, spec.title));
  root.append(list);
  const tiles: Tile[] = [];
  const small = element("canvas");
  const clicks: Clicks = spec.select ? { select: spec.select } : {};
  let shape: [number, number] = [1, 1];
  let pixel = 1;
  if (spec.select) buttons(list, () => tiles.map((t) => t.item), (i) => click(scene, clicks, i));

  const names = (given: readonly string[] | string | undefined, count: number): readonly string[] => {
    if (typeof given !== "string") return given ?? [];
    const word = scene.inputs.get(given)?.raw;
    return Array.from({ length: count }, (_, i) => (typeof word === "string" ? word[i] ?? "·" : ""));
  };
  const pick = (tile: Tile, event: MouseEvent): void => {
    const edge = tile.canvas.getBoundingClientRect();
    const at = [((event.clientY - edge.top) / edge.height) * shape[0], ((event.clientX - edge.left) / edge.width) * shape[1]];
    spec.pick?.forEach((target, k) => target && scene.setAt(target, Math.min(shape[k]! - 1, Math.max(0, Math.floor(at[k]!)))));
  };
  const make = (): Tile => {
    const canvas = element("canvas", { class: "nn-image" });
    const [name, across, down] = [element("div", { class: "nn-image-name" }), element("div", { class: "nn-across", "aria-hidden": "true" }), element("div", { class: "nn-down", "aria-hidden": "true" })];
    const item = element("div", { class: "nn-tile" }, across, element("div", { class: "nn-tile-row" }, down, canvas), name);
    const tile = { item, canvas, name, across, down };
    if (spec.pick) {
      attributes(canvas, { tabindex: 0, role: "application", "aria-roledescription": "grid, arrows choose a cell" });
      canvas.addEventListener("pointerdown", (event) => {
        if (event.pointerType === "touch") return;
        canvas.setPointerCapture(event.pointerId);
        canvas.focus();
        pick(tile, event);
      });
      canvas.addEventListener("pointermove", (event) => { if (event.buttons && event.pointerType !== "touch") pick(tile, event); });
      canvas.addEventListener("click", (event) => pick(tile, event));
      byFinger(canvas, { move: (event) => pick(tile, event) });
      canvas.addEventListener("keydown", (event) => {
        const steps: Record<string, [number, number]> = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [1, -1], ArrowRight: [1, 1], PageUp: [0, -5], PageDown: [0, 5], Home: [1, -1e6], End: [1, 1e6] };
        const step = steps[event.key];
        const target = step && spec.pick?.[step[0]];
        if (!step || !target) return;
        event.preventDefault();
        scene.setAt(target, Math.min(shape[step[0]]! - 1, Math.max(0, scene.number(target, 0) + step[1])));
      });
    } else if (!spec.select) attributes(canvas, { role: "img" });
    return tile;
  };

  const update = (): void => {
    const values = scene.get(spec.values);
    if (!values || values.shape.length < 2) return;
    const [h, w] = values.shape.slice(-2) as [number, number];
    const n = Math.min(256, values.data.length / (h * w));
    shape = [h, w];
    pixel = spec.pixel ?? Math.max(1, Math.min(16, Math.floor((n === 1 ? 200 : 72) / Math.max(h, w))));
    while (tiles.length > n) tiles.pop()!.item.remove();
    while (tiles.length < n) { const tile = make(); tiles.push(tile); list.append(tile.item); }
    if (small.width !== w || small.height !== h) { small.width = w; small.height = h; }
    const context = small.getContext("2d");
    if (!context) return;
    const image = context.createImageData(w, h);
    const colorTable = table(root, colors);
    const [rowNames, columnNames] = [names(spec.row_labels, h), names(spec.column_labels, w)];
    tiles.forEach((tile, k) => {
      const slice = { length: h * w, at: k * h * w };
      const own = spec.range ? values.data : Array.prototype.slice.call(values.data, slice.at, slice.at + slice.length) as number[];
      const [low, high] = span(own, colors, spec.range);
      paintPixels(image, values.data, slice.at, colorTable, low, high, false);
      context.putImageData(image, 0, 0);
      draw(tile.canvas, values.data, slice.at, h, w, low, high, colorTable);
      setText(tile.name, spec.labels?.[k] ?? "");
      labelRow(tile.across, columnNames, true);
      labelRow(tile.down, rowNames, false);
      const said = `${spec.labels?.[k] ?? (n > 1 ? `image ${k + 1}` : spec.title ?? "image")}, ${h} by ${w}, from ${formatNumber(low, ".2~f")} to ${formatNumber(high, ".2~f")}`;
      if (spec.select) markButton(tile.item, said, chosen(scene, clicks, k), k === 0);
      else attributes(tile.canvas, { "aria-label": said });
    });
  };

  const labelRow = (node: HTMLElement, list: readonly string[], across: boolean): void => {
    if (!list.length) return;
    const spans = [...node.children];
    resize(spans, list.length, node, () => element("span"));
    list.forEach((words, i) => {
      const one = spans[i] as HTMLElement;
      setText(one, words);
      one.style[across ? "width" : "height"] = `${pixel}px`;
    });
  };

  const draw = (
    canvas: HTMLCanvasElement, data: ArrayLike<number>, from: number, h: number, w: number, low: number, high: number, colorTable: Uint8ClampedArray,
  ): void => {
    const ratio = 2;
    if (canvas.width !== w * pixel * ratio || canvas.height !== h * pixel * ratio) {
      canvas.width = w * pixel * ratio;
      canvas.height = h * pixel * ratio;
      Object.assign(canvas.style, { width: `${w * pixel}px`, aspectRatio: `${w} / ${h}` });
    }
    const context = canvas.getContext("2d");
    if (!context) return;
    const size = pixel * ratio;
    context.imageSmoothingEnabled = false;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
    if (spec.annotate !== undefined && h * w <= 1024) {
      const written = Array.from({ length: h * w }, (_, i) => {
        const v = data[from + i]!;
        return Number.isNaN(v) ? "nan" : formatNumber(v, spec.annotate!);
      });
      // as large as the box allows, and long numbers leave a gap to their neighbours
      const longest = Math.max(...written.map((words) => words.length));
      context.font = `${Math.round(size * Math.min(size > 50 ? 0.34 : 0.4, 1.45 / longest))}px system-ui, sans-serif`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      const inkColor = themeColor(root, "--nn-ink");
      for (let i = 0; i < h * w; i++) {
        const v = data[from + i]!;
        const k = Math.round(Math.min(1, Math.max(0, (v - low) / (high - low || 1))) * 255) * 4;
        const bright = colorTable[k]! * 0.3 + colorTable[k + 1]! * 0.59 + colorTable[k + 2]! * 0.11;
        context.fillStyle = Number.isNaN(v) ? inkColor : bright > 130 ? "#111" : "#fff";
        context.fillText(written[i]!, ((i % w) + 0.5) * size, (Math.floor(i / w) + 0.5) * size, size * 0.96);
      }
    }
    const frame = scene.get(spec.window);
    if (frame && frame.data.length >= 4) {
      const [r, c, hh, ww] = Array.from(frame.data) as [number, number, number, number];
      context.lineWidth = 4;
      context.strokeStyle = themeColor(root, "--nn-gradient");
      context.strokeRect(c * size + 1, r * size + 1, ww * size - 2, hh * size - 2);
    }
    const [row, column] = spec.pick ?? [];
    if (row && column) {
      context.lineWidth = 3;
      context.strokeStyle = themeColor(root, "--nn-accent");
      context.strokeRect(scene.number(column) * size, scene.number(row) * size, size, size);
    }
  };
  return { root, update };
};
