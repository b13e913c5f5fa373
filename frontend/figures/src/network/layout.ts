// The positions and sizes of a network's neurons, and the positions of the numbers on its edges.

import type { NetworkSpec, NeuronSpec } from "../grammar.js";

export interface Point { readonly x: number; readonly y: number }

/** The layers from left to right, each with its neurons. */
function layersOf(spec: NetworkSpec): (readonly NeuronSpec[])[] {
  const layers = new Map<number, NeuronSpec[]>();
  for (const n of spec.neurons) layers.set(n.layer, [...(layers.get(n.layer) ?? []), n]);
  return [...layers.keys()].sort((a, b) => a - b).map((number) => layers.get(number)!);
}

export class Layout {
  readonly height: number;
  /** A neuron's radius in pixels; a neuron that is an image is a square with sides of twice the radius. */
  readonly radius: number;
  /** Whether there is no room for numbers between the layers. */
  crowded = false;
  private readonly layers: (readonly NeuronSpec[])[];
  /** The number of neurons in the tallest layer. */
  private readonly tallest: number;
  /** Whether every neuron is an image, without numbers below it. */
  private readonly onlyImages: boolean;
  /** Width in pixels for the names of inputs. */
  private readonly margin: number;
  private readonly positions = new Map<string, Point>();

  constructor(private readonly spec: NetworkSpec) {
    this.layers = layersOf(spec);
    this.tallest = Math.max(...this.layers.map((layer) => layer.length));
    const hasNumbersBelow = spec.neurons.some((n) => n.delta || n.total);
    this.onlyImages = spec.neurons.every((n) => n.image) && !hasNumbersBelow;
    // neurons of a tall layer are closer together, unless there are numbers below them
    const isCompact = this.tallest > 8 && !hasNumbersBelow;
    this.height = Math.max(spec.height, this.tallest * (this.onlyImages ? 42 : isCompact ? 44 : 62));
    this.radius = this.onlyImages ? (this.layers.length > 5 ? 15 : 17) : this.tallest > 8 ? 12 : 21;
    this.margin = Math.max(0, ...spec.neurons.filter((n) => this.isNamedBeside(n)).map((n) => n.label.length * 7));
  }

  /** In a network of images, names of inputs are on the left; all other names are above their neurons. */
  isNamedBeside(n: NeuronSpec): boolean {
    return this.onlyImages && n.layer === this.layers[0]![0]!.layer;
  }

  /** Places all neurons in a picture of this width. */
  fit(width: number): void {
    const left = this.radius + 12 + this.margin;
    const right = width - this.radius - 46;
    const gaps = this.layers.length - 1;
    this.crowded = this.onlyImages && (right - left) / Math.max(1, gaps) < 2 * this.radius + 44;
    this.layers.forEach((layer, c) => {
      const x = gaps > 0 ? left + (c / gaps) * (right - left) : width / 2;
      layer.forEach((n, r) => {
        const row = (n.row ?? r) + 0.5 + (n.row === undefined ? (this.tallest - layer.length) / 2 : 0);
        this.positions.set(n.id, { x, y: row * (this.height / this.tallest) });
      });
    });
  }

  /** The centre of a neuron, as last placed by `fit`. */
  at(id: string): Point {
    return this.positions.get(id)!;
  }

  /** The positions that numbers must not cover: neurons and their biases. */
  occupied(): Point[] {
    return this.spec.neurons.flatMap((n) => {
      const { x, y } = this.at(n.id);
      const bias = n.bias ? [{ x: x + this.radius + 18, y: y - this.radius }] : [];
      return [{ x: x - 8, y }, { x: x + 8, y }, ...bias];
    });
  }
}

/** How far along its edge a number may be, the best position first: on a level edge, and on a sloping one. */
const LEVEL = [0.5, 0.4, 0.6];
const SLOPING = [0.34, 0.64, 0.26, 0.74, 0.43, 0.57, 0.18, 0.82];

/** Finds a position for an edge's number, the first with enough room or else that with most, and adds it to `occupied`. */
export function placeNumber(from: Point, to: Point, radius: number, occupied: Point[]): Point {
  const along = (t: number): Point => ({ x: from.x + radius + (to.x - from.x - 2 * radius) * t, y: from.y + (to.y - from.y) * t - 4 });
  // 1 or more if the number covers nothing
  const distance = (p: Point): number => Math.min(...occupied.map((q) => Math.max(Math.abs(p.x - q.x) / 36, Math.abs(p.y - q.y) / 13)));
  const candidates = (from.y === to.y ? LEVEL : SLOPING).map(along);
  const position = candidates.find((p) => distance(p) >= 1) ?? candidates.reduce((best, p) => (distance(p) > distance(best) ? p : best));
  occupied.push(position);
  return position;
}
