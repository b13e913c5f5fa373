// Saves a figure's picture: copies its drawings with their styles, and its canvases as images.

import { SVG } from "./dom.js";

const STYLES = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
  "font-size", "font-family", "font-weight", "font-style", "opacity", "text-anchor", "paint-order", "display", "visibility",
];

function styled(source: SVGElement): SVGElement {
  const copy = source.cloneNode(true) as SVGElement;
  const [from, to] = [[source, ...source.querySelectorAll("*")], [copy, ...copy.querySelectorAll("*")]];
  from.forEach((node, i) => {
    const style = getComputedStyle(node);
    for (const name of STYLES) (to[i] as SVGElement).style.setProperty(name, style.getPropertyValue(name));
  });
  return copy;
}

/** All drawings of a figure in one SVG, placed as on the page. */
export function figureSvg(root: HTMLElement): { svg: SVGSVGElement; width: number; height: number } {
  const edge = root.getBoundingClientRect();
  const drawing = document.createElementNS(SVG, "svg");
  const background = document.createElementNS(SVG, "rect");
  const [width, height] = [Math.ceil(edge.width), Math.ceil(edge.height)];
  for (const [name, value] of Object.entries({ xmlns: SVG, width, height, viewBox: `0 0 ${width} ${height}` })) drawing.setAttribute(name, String(value));
  background.setAttribute("width", "100%");
  background.setAttribute("height", "100%");
  background.setAttribute("fill", getComputedStyle(root).getPropertyValue("--nn-paper").trim() || "#fff");
  drawing.append(background);
  for (const node of root.querySelectorAll<HTMLElement | SVGSVGElement>("canvas, svg.nn-svg, .nn-readout, .nn-title")) {
    const at = node.getBoundingClientRect();
    if (at.width === 0 || at.height === 0) continue;
    const [x, y] = [at.left - edge.left, at.top - edge.top];
    if (node instanceof HTMLCanvasElement) {
      const image = document.createElementNS(SVG, "image");
      for (const [name, value] of Object.entries({ x, y, width: at.width, height: at.height, href: node.toDataURL() })) image.setAttribute(name, String(value));
      drawing.append(image);
    } else if (node instanceof SVGSVGElement) {
      const copy = styled(node);
      copy.querySelectorAll("foreignObject").forEach((inner) => inner.remove());
      for (const [name, value] of Object.entries({ x, y, width: at.width, height: at.height })) copy.setAttribute(name, String(value));
      drawing.append(copy);
    } else {
      const text = document.createElementNS(SVG, "text");
      const style = getComputedStyle(node);
      for (const [name, value] of Object.entries({ x, y: y + at.height * 0.7, fill: style.color, "font-size": style.fontSize, "font-family": style.fontFamily })) text.setAttribute(name, value + "");
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
  await new Promise<void>((done, fail) => {
    image.onload = () => done();
    image.onerror = () => fail(new Error("the picture could not be drawn"));
    image.src = url;
  });
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [2 * width, 2 * height];
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (blob) download(blob, `${name}.png`);
}
