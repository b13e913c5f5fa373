// What the browser stores for a page: edits to cells, and which exercises are solved. Nothing is sent.
// These are all the keys that the book writes. Answers to predictions and quizzes are not stored
// (figures/src/ask.ts): a page asks its questions again when it is reopened. sw.ts and image.ts store whole files.

const EDITS = "nnlib-run:";
const SOLVED = "nnlib-progress"; // _ext/site.js and _ext/progress.js read this key and the next one
const WHEN = "nnlib-progress-when"; // a key of its own, because older pages expect names alone under the other

function read(key: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null; // storage is off, or damaged
  }
}
function write(key: string, value: unknown): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // storage is off or full: edits last as long as the page
  }
}

export class Edits {
  private readonly sources: Map<string, string>;

  constructor(private readonly page: string) {
    const stored = read(EDITS + page);
    const entries = typeof stored === "object" && stored !== null ? Object.entries(stored) : [];
    this.sources = new Map(entries.filter((e): e is [string, string] => typeof e[1] === "string"));
  }
  get(cell: string): string | undefined {
    return this.sources.get(cell);
  }
  set(cell: string, source: string | undefined): void {
    if (source === undefined) this.sources.delete(cell);
    else this.sources.set(cell, source);
    write(EDITS + this.page, this.sources.size ? Object.fromEntries(this.sources) : null);
  }
  get size(): number {
    return this.sources.size;
  }
}

export function solvedExercises(): string[] {
  const stored = read(SOLVED);
  return Array.isArray(stored) ? stored.filter((name): name is string => typeof name === "string") : [];
}

export function rememberSolved(names: readonly string[]): void {
  const all = [...new Set([...solvedExercises(), ...names])].sort();
  const stored = read(WHEN);
  const when: Record<string, unknown> = typeof stored === "object" && stored !== null ? { ...stored } : {};
  for (const name of names) when[name] ??= new Date().toISOString().replace(/\.\d+Z$/, "+00:00");
  write(SOLVED, all.length ? all : null);
  write(WHEN, all.length ? when : null);
}
