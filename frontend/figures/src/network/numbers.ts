// Numbers in the network's picture: as text, and as parameters that can be dragged.

import { formatNumber } from "../format.js";
import type { NetworkSpec, Ref } from "../grammar.js";
import { verticalSlider } from "../grip.js";
import type { Scene } from "../scene.js";

/** A number with two decimals, or three significant digits if it is large. */
export const shortNumber = (v: number): string => formatNumber(v, Math.abs(v) >= 100 ? ".3~g" : ".2f");

/** Lets a weight or a bias be dragged if it is an input; returns a function that updates its accessible value. */
export function parameterSlider(scene: Scene, spec: NetworkSpec, item: SVGElement, target: Ref | undefined, label: string): (() => void) | undefined {
  if (!scene.canSet(target)) return undefined;
  const { min = -spec.limit, max = spec.limit, step = spec.step } = scene.bounds(target.ref);
  return verticalSlider(item, label, { get: () => scene.number(target), set: (v) => scene.setAt(target, v), min, max, step });
}

/** A neuron's name for screen readers: its label, or its position and layer. */
export function neuronName(spec: NetworkSpec, id: string): string {
  const position = /^(\d+)\.(\d+)$/.exec(id);
  return spec.neurons.find((n) => n.id === id)?.label || `neuron ${position ? `${+position[2]! + 1} of layer ${+position[1]! + 1}` : id}`;
}
