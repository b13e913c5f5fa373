// The room on the page that a view has for its picture, as it was measured last. (A chapter's room, a folder of course/, is another thing.)

import { letterScale } from "./dom.js";

export class Room {
  /** How much larger than usual the reader's letters are. */
  scale = 1;
  /** Pixels for the picture; 0 where nothing is laid out yet. */
  width = 0;
  /** The picture is laid out for other room than there is. */
  stale = true;

  constructor(private readonly root: HTMLElement, private readonly widthNow: () => number = () => root.clientWidth) {}

  /** Reads what room there is and writes nothing; says whether it is other than before. */
  readonly measure = (): boolean => {
    const before = [this.scale, this.width];
    this.scale = letterScale(this.root);
    this.width = this.widthNow();
    const changed = this.scale !== before[0] || this.width !== before[1];
    this.stale ||= changed;
    return changed;
  };
}
