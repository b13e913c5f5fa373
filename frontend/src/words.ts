// Text with live numbers in it.

import { formatNumber } from "./format.js";
import type { Scene } from "./scene.js";
import type { Words } from "./spec.js";

export function words(scene: Scene, pieces: Words): string {
  let made = "";
  for (const piece of pieces) {
    if (typeof piece === "string") {
      made += piece;
      continue;
    }
    const input = "ref" in piece && !piece.at ? scene.inputs.get(piece.ref) : undefined;
    if (input && piece.format === "" && (typeof input.raw === "string" || input.spec.labels)) {
      made += typeof input.raw === "string" ? input.raw : input.spec.labels![input.raw as number];
      continue;
    }
    const value = scene.get(piece);
    if (!value || value.data.length === 0) made += "–";
    else if (value.data.length === 1) made += formatNumber(value.data[0]!, piece.format);
    else made += `(${Array.from(value.data, (v) => formatNumber(v, piece.format)).slice(0, 12).join(", ")})`;
  }
  return made;
}
