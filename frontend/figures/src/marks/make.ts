// Makes a mark from its description: one case for each kind of the grammar.

import type { MarkSpec } from "../grammar.js";
import { isReference } from "../spec.js";
import { area } from "./area.js";
import { arrows } from "./arrows.js";
import { bars } from "./bars.js";
import { contour } from "./contour.js";
import { curve } from "./curve.js";
import { handle } from "./handle.js";
import { heat } from "./heat.js";
import { label } from "./label.js";
import { line } from "./line.js";
import type { Mark, Plot } from "./mark.js";
import { points } from "./points.js";
import { segments } from "./segments.js";

export function makeMark(spec: MarkSpec, plot: Plot, layer: SVGGElement): Mark {
  const { kind } = spec;
  switch (spec.kind) {
    case "curve": return curve(spec, plot, layer);
    case "points": return points(spec, plot, layer);
    case "handle": return handle(spec, plot, layer);
    case "line": return line(spec, plot, layer);
    case "segments": return segments(spec, plot, layer);
    case "arrows": return arrows(spec, plot, layer);
    case "bars": return bars(spec, plot, layer);
    case "area": return area(spec, plot, layer);
    case "contour": return contour(spec, plot, layer);
    case "heat": return heat(spec, plot, layer);
    case "label": return label(spec, plot, layer);
    default:
      spec satisfies never;
      throw new Error(`this page cannot draw the mark "${kind}": it may come from a newer nnlib`);
  }
}

/** Whether a mark changes only when the axes do. */
export const isFixed = (spec: MarkSpec): boolean =>
  spec.kind !== "heat" && spec.kind !== "label" && !("drag" in spec || "select" in spec || "toggle" in spec) &&
  !Object.values(spec).some(isReference);
