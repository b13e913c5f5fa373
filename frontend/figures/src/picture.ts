// Saves a figure's picture: copies its drawings with their styles, and its canvases as images.

import { SVG } from "./dom.js";

const STYLES = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
  "font-size", "font-family", "font-weight", "font-style", "opacity", "text-anchor", "paint-order", "display", "visibility",
];

/** A copy of a drawing with its computed styles written into its elements, so that it needs no style sheet. */
function styled(source: SVGElement): SVGElement {
  const copy = source.cloneNode(true) as SVGElement;
  const originals = [source, ...source.querySelectorAll("*")];
  const copies = [copy, ...copy.querySelectorAll<SVGElement>("*")];
  originals.forEach((node, i) => {
    const style = getComputedStyle(node);
    for (const name of STYLES) copies[i]!.style.setProperty(name, style.getPropertyValue(name));
  });
  return copy;
}

/** All drawings of a figure in one SVG, placed as on the page. */
export function figureSvg(root: HTMLElement): { svg: SVGSVGElement; width: number; height: number } {
  const frame = root.getBoundingClientRect();
  const drawing = document.createElementNS(SVG, "svg");
  const background = document.createElementNS(SVG, "rect");
  const [width, height] = [Math.ceil(frame.width), Math.ceil(frame.height)];
  for (const [name, value] of Object.entries({ xmlns: SVG, width, height, viewBox: `0 0 ${width} ${height}` })) drawing.setAttribute(name, String(value));
  background.setAttribute("width", "100%");
  background.setAttribute("height", "100%");
  background.setAttribute("fill", getComputedStyle(root).getPropertyValue("--nn-paper").trim() || "#fff");
  drawing.append(background);
  for (const node of root.querySelectorAll<HTMLElement | SVGSVGElement>("canvas, svg.nn-svg, .nn-readout, .nn-title")) {
    const box = node.getBoundingClientRect();
    if (box.width === 0 || box.height === 0) continue;
    const [x, y] = [box.left - frame.left, box.top - frame.top];
    if (node instanceof HTMLCanvasElement) {
      const image = document.createElementNS(SVG, "image");
      for (const [name, value] of Object.entries({ x, y, width: box.width, height: box.height, href: node.toDataURL() })) image.setAttribute(name, String(value));
      drawing.append(image);
    } else if (node instanceof SVGSVGElement) {
      const copy = styled(node);
      copy.querySelectorAll("foreignObject").forEach((inner) => inner.remove());
      for (const [name, value] of Object.entries({ x, y, width: box.width, height: box.height })) copy.setAttribute(name, String(value));
      drawing.append(copy);
    } else {
      const text = document.createElementNS(SVG, "text");
      const style = getComputedStyle(node);
      for (const [name, value] of Object.entries({ x, y: y + box.height * 0.7, fill: style.color, "font-size": style.fontSize, "font-family": style.fontFamily })) text.setAttribute(name, value + "");
      text.textContent = (node.querySelector("[aria-hidden]") ?? node).textContent;
      drawing.append(text);
    }
  }
  return { svg: drawing, width, height };
}

export function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

export async function savePicture(root: HTMLElement, name: string, kind: "svg" | "png"): Promise<void> {
  const { svg, width, height } = figureSvg(root);
  const source = new Blob([new XMLSerializer().serializeToString(svg)], { type: "image/svg+xml" });
  if (kind === "svg") return download(source, `${name}.svg`);
  const image = new Image();
  const url = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(await source.text())}`;
  await new Promise<void>((resolve, reject) => {
    image.onload = () => resolve();
    image.onerror = () => reject(new Error("the picture could not be drawn"));
    image.src = url;
  });
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [2 * width, 2 * height];
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (blob) download(blob, `${name}.png`);
}
