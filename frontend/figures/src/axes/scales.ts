// The scales of a plane's axes; limits that the author left open grow with what is drawn.

import { type ScaleContinuousNumeric, scaleLinear, scaleLog } from "d3-scale";
import type { AxesSpec } from "../grammar.js";

export type Scale = ScaleContinuousNumeric<number, number>;
export type AxisName = "x" | "y";
type Limits = readonly [number, number];

const AXES: readonly AxisName[] = ["x", "y"];

const makeScale = (kind: string, limits: Limits): Scale => (kind === "log" ? scaleLog() : scaleLinear()).domain([...limits]);

export class Scales {
  readonly x: Scale;
  readonly y: Scale;

  constructor(private readonly spec: AxesSpec) {
    this.x = makeScale(spec.xscale, spec.xlim);
    this.y = makeScale(spec.yscale, spec.ylim);
  }

  /** Fits open limits to the numbers drawn along their axis; returns whether any limit has changed. */
  grow(drawn: (axis: AxisName) => Iterable<ArrayLike<number>>): boolean {
    let changed = false;
    for (const axis of AXES) {
      if (!this.spec.fit?.includes(`${axis}lim`)) continue;
      const [low, high] = this.limitsFor(axis, drawn(axis));
      const [a, b] = this[axis].domain();
      if (a === low && b === high) continue;
      this[axis].domain([low, high]);
      changed = true;
    }
    return changed;
  }

  /** The limits of an axis that include all numbers drawn along it. */
  private limitsFor(axis: AxisName, drawn: Iterable<ArrayLike<number>>): Limits {
    const { spec } = this;
    const specified = spec[`${axis}lim`];
    let [low, high] = spec.limits_from_marks ? [Infinity, -Infinity] : specified;
    for (const values of drawn) {
      for (let i = 0; i < values.length; i++) {
        const v = values[i]!;
        if (v < low) low = v;
        if (v > high && Number.isFinite(v)) high = v;
      }
    }
    if (!(low <= high) || !Number.isFinite(low + high)) [low, high] = specified;
    if (!spec.limits_from_marks || spec[`${axis}scale`] === "log") return [low, high];
    return axis === "x" ? distinct(low, high) : padded(low, high);
  }
}

/** The limits or, if they are equal, an interval of length 1. */
const distinct = (low: number, high: number): Limits => [low, low === high ? high + 1 : high];

/** Limits with a margin; the lower one is 0 if the values are positive and begin near 0. */
function padded(low: number, high: number): Limits {
  const pad = (high - low) * 0.06 || 0.5;
  const nearZero = low >= 0 && low < (high - low) * 0.5;
  return [nearZero ? 0 : low - pad, high + pad];
}
