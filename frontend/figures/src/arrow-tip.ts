// The small arrowhead at the end of lines between boxes.

import { svg } from "./dom.js";

/** The arrowhead; lines refer to it by this id as their end marker. */
export const arrowTip = (id: string): SVGMarkerElement =>
  svg("marker", { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto", markerUnits: "userSpaceOnUse" },
    svg("path", { d: "M0,0L8,4L0,8Z", class: "nn-dag-tip" }));
