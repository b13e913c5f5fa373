// The space that a view has for its picture on the page, as last measured.

import { fontScale } from "./dom.js";

export class AvailableSpace {
  /** The factor by which the reader's font is larger than usual. */
  scale = 1;
  /** The width for the picture in pixels; 0 if nothing is laid out yet. */
  width = 0;
  /** Whether the picture is still laid out for an older measurement. */
  stale = true;

  constructor(private readonly root: HTMLElement, private readonly widthNow: () => number = () => root.clientWidth) {}

  /** Reads the available width and the font scale, and changes nothing in the page; returns whether either has changed. */
  readonly measure = (): boolean => {
    const before = [this.scale, this.width];
    this.scale = fontScale(this.root);
    this.width = this.widthNow();
    const changed = this.scale !== before[0] || this.width !== before[1];
    this.stale ||= changed;
    return changed;
  };
}
