// Lines between the boxes of a drawing end in a small arrow head.

import { svg } from "./dom.js";

/** The arrow head that lines use as their marker by this id. */
export const arrowTip = (id: string): SVGMarkerElement =>
  svg("marker", { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto", markerUnits: "userSpaceOnUse" },
    svg("path", { d: "M0,0L8,4L0,8Z", class: "nn-dag-tip" }));
