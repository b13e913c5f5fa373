// Spreads training steps over the page's frames; if drawing is slow, steps and drawing get alternate frames.

const FRAME = 8; // milliseconds of a frame for steps
const ALONE = 12; // the same in a frame that draws nothing
const LONG = 22; // milliseconds; frames this long mean fewer than 50 a second
const SPARING = 120; // frames for which steps and drawing alternate after long frames

/** What a frame may spend on steps: nothing if it is left to the drawing. */
export interface Share {
  readonly steps: number;
  readonly milliseconds: number;
}

/**
 * A frame draws what the previous one has computed. If both together take too long, they alternate: the next frame
 * makes up for the steps that were left out, so there are as many steps a second and the page stays smooth.
 */
export class Pace {
  private before = NaN;
  private late = 0;
  private sparing = 0;
  private rests = false;
  private owed = 0;

  /** The share of the frame that begins at `now` and for which `asked` steps are due. */
  share(now: number, asked: number): Share {
    // a single long frame may have another cause, in the browser or in another page
    this.late = now - this.before > LONG ? this.late + 1 : 0;
    this.before = now;
    if (this.late >= 2) this.sparing = SPARING;
    else if (this.sparing > 0) this.sparing--;
    this.rests = this.sparing > 0 && !this.rests;
    if (!this.rests) return { steps: asked + this.owed, milliseconds: this.sparing > 0 ? ALONE : FRAME };
    this.owed = asked;
    return { steps: 0, milliseconds: 0 };
  }

  /** Notes that `ran` steps of a share were taken; the rest is owed, but never more than one frame's steps. */
  took(ran: number, share: Share, asked: number): void {
    this.owed = Number.isFinite(asked) ? Math.min(asked, share.steps - ran) : 0;
  }
}
