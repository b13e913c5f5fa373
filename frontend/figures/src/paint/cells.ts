// The cells of a paint pad: an input of shape (rows, columns) that dabs of the brush and keys change.

import type { PaintSpec } from "../grammar.js";
import type { Input, Scene } from "../scene.js";

/** A row and a column; the fractions are the position within the cell. */
export type Position = readonly [number, number];

const clamp = (v: number, low: number, high: number): number => Math.min(high, Math.max(low, v));

export class Cells {
  readonly rows: number;
  readonly columns: number;
  /** The value that a dab gives the cell in its middle. */
  ink: number;

  constructor(private readonly spec: PaintSpec, private readonly input: Input, private readonly scene: Scene) {
    [this.rows, this.columns] = [spec.shape[0]!, spec.shape[1]!];
    this.ink = spec.range[1];
  }

  get values(): Float64Array {
    return this.input.tensor;
  }

  at([row, column]: Position): number {
    return this.values[row * this.columns + column]!;
  }

  /** The cell nearest to a position. */
  nearest([row, column]: Position): Position {
    return [clamp(row, 0, this.rows - 1), clamp(column, 0, this.columns - 1)];
  }

  replace(values: Float64Array): void {
    this.scene.set(this.input.name, values);
  }

  clear(): void {
    this.replace(new Float64Array(this.rows * this.columns));
  }

  /** Puts the brush down at one position: full ink in its cell, less towards the brush's edge. */
  dab([r, c]: Position): void {
    const { rows, columns, ink, spec: { brush } } = this;
    const copy = this.values.slice();
    const reach = Math.ceil(brush);
    const [row, column] = [Math.floor(r), Math.floor(c)];
    for (let i = Math.max(0, row - reach); i <= Math.min(rows - 1, row + reach); i++) {
      for (let j = Math.max(0, column - reach); j <= Math.min(columns - 1, column + reach); j++) {
        const coverage = brush > 0 ? clamp(brush + 0.5 - Math.hypot(i + 0.5 - r, j + 0.5 - c), 0, 1) : 0;
        const t = i === row && j === column ? 1 : coverage;
        const k = i * columns + j;
        if (t > 0) copy[k] = ink > 0 ? Math.max(copy[k]!, ink * t) : copy[k]! + (ink - copy[k]!) * t;
      }
    }
    this.replace(copy);
  }

  /** Moves the brush along a straight line in steps of at most half a cell; `from` gets a dab only if it is also `to`. */
  line(from: Position, to: Position): void {
    const n = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) * 2));
    for (let k = 1; k <= n; k++) this.dab([from[0] + ((to[0] - from[0]) * k) / n, from[1] + ((to[1] - from[1]) * k) / n]);
  }

  /** Adds a tenth of the range to a cell, or subtracts it. */
  change([row, column]: Position, sign: 1 | -1): void {
    const [low, high] = this.spec.range;
    const copy = this.values.slice();
    const k = row * this.columns + column;
    copy[k] = clamp(copy[k]! + sign * (high - low) * 0.1, low, high);
    this.replace(copy);
  }
}
