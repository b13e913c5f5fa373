// Text with live numbers in it.

import { formatNumber } from "./format.js";
import type { Words } from "./grammar.js";
import type { Scene } from "./scene.js";

export function words(scene: Scene, pieces: Words): string {
  let text = "";
  for (const piece of pieces) {
    if (typeof piece === "string") {
      text += piece;
      continue;
    }
    const chosen = piece.at || piece.format !== "" ? undefined : scene.inputs.get(piece.ref)?.words();
    if (chosen !== undefined) {
      text += chosen;
      continue;
    }
    const value = scene.get(piece);
    if (!value || value.data.length === 0) text += "–";
    else if (value.data.length === 1) text += formatNumber(value.data[0]!, piece.format);
    else text += `(${Array.from(value.data, (v) => formatNumber(v, piece.format)).slice(0, 12).join(", ")})`;
  }
  return text;
}
