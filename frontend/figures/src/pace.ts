// Spreads training steps over the page's frames; if drawing is slow, steps and drawing get alternate frames.

const FRAME = 8; // milliseconds for steps in a frame that also draws
const ALONE = 12; // milliseconds for steps in a frame that draws nothing
const LONG = 22; // milliseconds; longer frames mean fewer than 50 a second
const ALTERNATING = 120; // frames for which steps and drawing alternate after long frames

/** The steps that a frame may take and the time for them; both are 0 in a frame that only draws. */
export interface Share {
  readonly steps: number;
  readonly milliseconds: number;
}

/**
 * A frame draws what the previous one has computed. If both together take too long, they alternate: the next frame
 * makes up for the steps that were left out, so there are as many steps a second and the page stays smooth.
 */
export class Pace {
  /** The time at which the previous frame began. */
  private previous = NaN;
  /** How many of the last frames were long, without a short one between them. */
  private longFrames = 0;
  /** For how many more frames steps and drawing alternate. */
  private alternating = 0;
  /** Whether the current frame takes no steps. */
  private drawsOnly = false;
  /** Steps that were left out and are due later. */
  private owed = 0;

  /** The share of the frame that begins at `now` and for which `due` steps are due. */
  share(now: number, due: number): Share {
    // a single long frame may have another cause, in the browser or in another page
    this.longFrames = now - this.previous > LONG ? this.longFrames + 1 : 0;
    this.previous = now;
    if (this.longFrames >= 2) this.alternating = ALTERNATING;
    else if (this.alternating > 0) this.alternating--;
    this.drawsOnly = this.alternating > 0 && !this.drawsOnly;
    if (!this.drawsOnly) return { steps: due + this.owed, milliseconds: this.alternating > 0 ? ALONE : FRAME };
    this.owed = Number.isFinite(due) ? due : 0; // at full speed a frame takes as many steps as fit
    return { steps: 0, milliseconds: 0 };
  }

  /** Takes note that `taken` steps of a share were taken; the rest is owed, but never more than one frame's steps. */
  stepsTaken(taken: number, share: Share, due: number): void {
    this.owed = Number.isFinite(due) ? Math.min(due, share.steps - taken) : 0;
  }
}
