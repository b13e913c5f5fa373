// Colours by name as CSS variables, and lookup tables of 256 colours for maps.

import { svg } from "./dom.js";
import type { Colors } from "./grammar.js";
import { COLOR_NAMES } from "./palette.js";

/** A colour as CSS: the palette's names become variables, other text is kept if it is a CSS colour. */
export function cssColor(name: string | undefined, otherwise = "ink"): string {
  const color = name ?? otherwise;
  if (COLOR_NAMES.has(color)) return `var(--nn-${color})`;
  return CSS.supports("color", color) ? color : `var(--nn-${otherwise})`;
}

/**
 * The colour of a class, in static pictures too (`class_color` in nnlib/live/svg.py). Classes 0 and 1 have the book's
 * two colours; the others take series2 to series5 in turn, from series4 on, so that series3, which is the gradient's
 * colour, comes last.
 */
export const classColor = (k: number): string =>
  k <= 0 ? "var(--nn-class0)" : k === 1 ? "var(--nn-class1)" : `var(--nn-series${(k % 4) + 2})`;

const STOPS: Readonly<Record<Colors, readonly string[]>> = {
  classes: ["--nn-map-class0", "--nn-map-middle", "--nn-map-class1"],
  diverging: ["--nn-map-neg", "--nn-map-middle", "--nn-map-pos"],
  magnitude: ["--nn-map-middle", "--nn-map-high"],
  gray: ["--nn-map-empty", "--nn-map-full"],
};

/** A map's colours side by side, for a legend. */
export function scaleSwatch(scale: Colors): Node {
  const stops = STOPS[scale];
  const swatches = stops.map((name, k) =>
    svg("rect", { x: 1 + (20 * k) / stops.length, y: 3, width: 20 / stops.length, height: 10, fill: `var(${name})` }));
  return svg("svg", { width: 22, height: 16, "aria-hidden": "true" }, ...swatches);
}

type Rgb = readonly [number, number, number];

function rgbOf(root: Element, variable: string): Rgb {
  const text = themeColor(root, variable);
  const hex = /^#([0-9a-f]{6})$/i.exec(text)?.[1] ?? /^#([0-9a-f]{3})$/i.exec(text)?.[1]?.replace(/./g, "$&$&");
  if (!hex) return [128, 128, 128];
  const bits = parseInt(hex, 16);
  return [bits >> 16, (bits >> 8) & 255, bits & 255];
}

const mix = (a: Rgb, b: Rgb, t: number): Rgb =>
  [0, 1, 2].map((c) => Math.round(a[c]! + (b[c]! - a[c]!) * t)) as unknown as Rgb;

const colorValues = new Map<string, string>();
const colorTables = new Map<string, Uint8ClampedArray>();
const themes = new Map<Element, string>();

/**
 * A figure's theme. It is read from the browser once a frame, before anything changes: reading it later would
 * make the browser recompute the styles of whatever has changed.
 */
export function readTheme(figure: Element): string {
  let theme = themes.get(figure);
  if (theme === undefined) {
    const style = getComputedStyle(figure);
    theme = ["--nn-theme", "--nn-map-middle"].map((name) => style.getPropertyValue(name).trim()).join(" ");
    if (themes.size === 0) requestAnimationFrame(() => themes.clear());
    themes.set(figure, theme);
  }
  return theme;
}

const themeOf = (node: Element): string => readTheme(node.closest(".nn-figure") ?? node);

/** The value of a colour's CSS variable in the theme of an element. */
export function themeColor(node: Element, variable: string): string {
  const key = `${variable} ${themeOf(node)}`;
  let value = colorValues.get(key);
  if (value === undefined) colorValues.set(key, (value = getComputedStyle(node).getPropertyValue(variable).trim()));
  return value;
}

/** The 256 colours (RGBA) of a scale in the theme of `root`. */
export function colorTable(root: Element, scale: Colors): Uint8ClampedArray {
  const key = `${scale} ${themeOf(root)}`;
  let table = colorTables.get(key);
  if (table) return table;
  const stops = STOPS[scale].map((name) => rgbOf(root, name));
  table = new Uint8ClampedArray(256 * 4);
  for (let i = 0; i < 256; i++) {
    const position = (i / 255) * (stops.length - 1);
    const low = Math.min(stops.length - 2, Math.floor(position));
    table.set([...mix(stops[low]!, stops[low + 1]!, position - low), 255], i * 4);
  }
  colorTables.set(key, table);
  return table;
}

/** The numbers at the ends of a colour scale: `fixed`, or the values' extremes (diverging: symmetric about 0). */
export function scaleLimits(values: ArrayLike<number>, scale: Colors | "", fixed: readonly number[] | undefined): [number, number] {
  if (fixed) return [fixed[0]!, fixed[1]!];
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    if (v < low) low = v;
    if (v > high) high = v;
  }
  if (!(low <= high)) return [0, 1];
  if (scale === "diverging") {
    const largest = Math.max(Math.abs(low), Math.abs(high)) || 1;
    return [-largest, largest];
  }
  return low === high ? [low, low + 1] : [low, high];
}
