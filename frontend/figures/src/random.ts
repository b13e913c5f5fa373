// Random numbers that are identical in Python and the page, to the last bit: the counterpart of nnlib/live/random.py.

const BATCH_STREAM = 1000;

/** A function that returns the next uniform number in [0, 1) of a seed's stream: mulberry32 (Tommy Ettinger, public domain). */
export function uniformStream(seed: number, stream: number): () => number {
  let state = (Math.imul(seed, 0x9e3779b1) + Math.imul(stream + 1, 0x85ebca77)) | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A nearly normal number: the sum of twelve uniform numbers minus 6, because every machine rounds additions in the same way. */
export function normalFrom(uniform: () => number): number {
  let total = 0;
  for (let i = 0; i < 12; i++) total += uniform();
  return total - 6;
}

/** The numbers 0 … count - 1, shuffled by a stream of a seed (Fisher–Yates). */
export function permutation(seed: number, stream: number, count: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  const uniform = uniformStream(seed, stream);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1));
    const last = order[i]!;
    order[i] = order[j]!;
    order[j] = last;
  }
  return order;
}

/** The indices of each training step's examples: each epoch is shuffled, and a last batch that is too short is left out. */
export class Batches {
  private epoch = -1;
  private order: Int32Array = new Int32Array(0);
  private readonly indices: Int32Array;

  constructor(private readonly seed: number, private readonly count: number, private readonly size: number) {
    this.indices = new Int32Array(size);
  }

  at(step: number): Int32Array {
    const perEpoch = Math.floor(this.count / this.size);
    const epoch = Math.floor(step / perEpoch);
    if (epoch !== this.epoch) {
      this.epoch = epoch;
      this.order = permutation(this.seed, BATCH_STREAM + epoch, this.count);
    }
    const start = (step - epoch * perEpoch) * this.size;
    for (let i = 0; i < this.size; i++) this.indices[i] = this.order[start + i]!;
    return this.indices;
  }
}
