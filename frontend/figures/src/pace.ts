// How a training spreads over the page's frames: so many steps in each, and none while the last ones are drawn, if need be.

const FRAME = 8; // milliseconds of a frame that steps may take
const ALONE = 12; // the same, in a frame that draws nothing
const LONG = 22; // milliseconds: fewer than 50 frames a second leave the page at more than 20
const SPARING = 120; // frames after a long one in which steps and drawings take turns

/** What a frame may spend on steps; none at all in a frame that belongs to the drawing. */
export interface Share {
  readonly steps: number;
  readonly milliseconds: number;
}

/**
 * A frame draws what the frame before it has computed. Where both together take too long, they take turns: the steps
 * that a frame has left out, the next one makes up for, so that they are as many a second while the page stays smooth.
 */
export class Pace {
  private before = NaN;
  private late = 0;
  private sparing = 0;
  private rests = false;
  private owed = 0;

  /** What the frame that begins at `now` may do, if it is asked for so many steps. */
  share(now: number, asked: number): Share {
    // one long frame is an accident, of the browser's or of another page's
    this.late = now - this.before > LONG ? this.late + 1 : 0;
    this.before = now;
    if (this.late >= 2) this.sparing = SPARING;
    else if (this.sparing > 0) this.sparing--;
    this.rests = this.sparing > 0 && !this.rests;
    if (!this.rests) return { steps: asked + this.owed, milliseconds: this.sparing > 0 ? ALONE : FRAME };
    this.owed = asked;
    return { steps: 0, milliseconds: 0 };
  }

  /** How many steps of a frame's share have been taken; the others wait, but never more than one frame's. */
  took(ran: number, share: Share, asked: number): void {
    this.owed = Number.isFinite(asked) ? Math.min(asked, share.steps - ran) : 0;
  }
}
