// Text with live numbers in it.

import { formatNumber } from "./format.js";
import type { Words } from "./grammar.js";
import type { Scene } from "./scene.js";

export function words(scene: Scene, pieces: Words): string {
  let made = "";
  for (const piece of pieces) {
    if (typeof piece === "string") {
      made += piece;
      continue;
    }
    const chosen = piece.at || piece.format !== "" ? undefined : scene.inputs.get(piece.ref)?.words();
    if (chosen !== undefined) {
      made += chosen;
      continue;
    }
    const value = scene.get(piece);
    if (!value || value.data.length === 0) made += "–";
    else if (value.data.length === 1) made += formatNumber(value.data[0]!, piece.format);
    else made += `(${Array.from(value.data, (v) => formatNumber(v, piece.format)).slice(0, 12).join(", ")})`;
  }
  return made;
}
