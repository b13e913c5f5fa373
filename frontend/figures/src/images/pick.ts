// Choosing a cell of an image by mouse, touch or arrow keys.

import { attributes } from "../dom.js";
import type { Live } from "../grammar.js";
import { onSwipe } from "../grip.js";
import type { Scene } from "../scene.js";

/** For each key the axis along which it moves, 0 for rows and 1 for columns, and by how many cells. */
const STEPS: Readonly<Record<string, readonly [0 | 1, number]>> = {
  ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [1, -1], ArrowRight: [1, 1],
  PageUp: [0, -5], PageDown: [0, 5], Home: [1, -1e6], End: [1, 1e6],
};

/** Sets inputs to the row and the column of the cell that the reader chooses; `shape` is (rows, columns). */
export function pickCells(canvas: HTMLCanvasElement, scene: Scene, targets: readonly (Live | null)[], shape: () => readonly [number, number]): void {
  attributes(canvas, { tabindex: 0, role: "application", "aria-roledescription": "grid, arrows choose a cell" });
  const set = (axis: number, cell: number): void => {
    const target = targets[axis];
    if (target) scene.setAt(target, Math.min(shape()[axis]! - 1, Math.max(0, cell)));
  };
  const pick = (event: MouseEvent): void => {
    const box = canvas.getBoundingClientRect();
    const [rows, columns] = shape();
    set(0, Math.floor(((event.clientY - box.top) / box.height) * rows));
    set(1, Math.floor(((event.clientX - box.left) / box.width) * columns));
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") return;
    canvas.setPointerCapture(event.pointerId);
    canvas.focus();
    pick(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons && event.pointerType !== "touch") pick(event);
  });
  canvas.addEventListener("click", pick);
  onSwipe(canvas, { move: pick });
  canvas.addEventListener("keydown", (event) => {
    const [axis, cells] = STEPS[event.key] ?? [0, 0];
    const target = targets[axis];
    if (!cells || !target) return;
    event.preventDefault();
    set(axis, scene.number(target, 0) + cells);
  });
}
