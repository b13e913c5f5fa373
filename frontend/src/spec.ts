// What Python sends: the figure's spec, its types and the checks before anything is drawn.

export interface Live { readonly ref: string; readonly at?: readonly (number | null)[] }
export interface Fixed { readonly shape: readonly number[]; readonly data: readonly (number | string)[] }
export type Ref = Live | Fixed;
export type Slot = Ref & { readonly format: string };
export type Words = readonly (string | Slot)[];
export type DragRule = { readonly program: number } | { readonly x?: Live; readonly y?: Live };
export type InputValue = number | boolean | string | readonly number[];

export interface InputSpec {
  readonly control: "slider" | "number" | "checkbox" | "dropdown" | "text" | "paint" | "array" | "stepper";
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly value: InputValue;
  readonly static?: boolean;
  readonly share?: string;
  readonly label?: string;
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  readonly format?: string;
  readonly log?: boolean;
  readonly labels?: readonly string[];
  readonly values?: readonly (readonly (number | string)[])[];
  readonly buttons?: boolean;
  readonly alphabet?: string;
  readonly length?: number;
  readonly range?: readonly [number, number];
  readonly brush?: number;
  readonly colors?: string;
  readonly annotate?: string;
  readonly names?: readonly string[];
  readonly interval?: number;
}

export type StateSpec =
  | { readonly data: readonly (number | string)[] }
  | { readonly seeds: readonly (readonly (number | string)[])[] }
  | { readonly draw: "normal" | "uniform"; readonly a: number; readonly b: number | readonly number[]; readonly stream: number };

export interface TrainingSpec {
  readonly choices: readonly string[];
  readonly programs: Readonly<Record<string, unknown>>;
  readonly pool?: readonly string[];
  readonly state: Readonly<Record<string, StateSpec>>;
  readonly batch: { readonly count: number; readonly size: number } | null;
  readonly loss: string;
  readonly seed: number;
  readonly seeds: number;
  readonly track: readonly string[];
  readonly speed: string;
  readonly max_steps: number;
}

/** A part of the view: its kind, and fields that its own module reads. */
export interface PartSpec { readonly kind: string; readonly when?: Ref }

export interface Spec {
  readonly format: string;
  readonly version: number;
  readonly name: string;
  readonly title?: string;
  readonly caption?: string;
  readonly alt?: string;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  /** The inputs' names as the author listed them: what carries a figure may sort an object's keys. */
  readonly order?: readonly string[];
  readonly choices: readonly string[];
  readonly programs: Readonly<Record<string, unknown>>;
  readonly drags?: readonly unknown[];
  readonly pool?: readonly string[];
  readonly view: PartSpec;
  readonly training?: TrainingSpec;
}

export class SpecError extends Error {}

const MAX_INPUTS = 200;
const MAX_VALUES = 2_000_000;

const isRecord = (x: unknown): x is Record<string, unknown> => typeof x === "object" && x !== null && !Array.isArray(x);

export function isLive(ref: Ref): ref is Live {
  return "ref" in ref;
}

/** The spec, or a SpecError that a reader understands. */
export function checkSpec(raw: unknown): Spec {
  if (!isRecord(raw) || raw["format"] !== "nnlib.live") {
    throw new SpecError("This is not a figure of nnlib.live: its description is missing or damaged.");
  }
  if (raw["version"] !== 1) {
    throw new SpecError(
      `This figure was made by a newer nnlib (figure format ${String(raw["version"])}; this page reads 1). ` +
        "Rebuild the page with one version of nnlib.",
    );
  }
  for (const key of ["inputs", "programs", "view"]) {
    if (!isRecord(raw[key])) throw new SpecError(`The figure's description is damaged: it has no ${key}.`);
  }
  const inputs = Object.entries(raw["inputs"] as Record<string, unknown>);
  if (inputs.length > MAX_INPUTS) throw new SpecError(`The figure has ${inputs.length} inputs; at most ${MAX_INPUTS} are read.`);
  for (const [name, input] of inputs) {
    if (!isRecord(input) || !Array.isArray(input["shape"]) || !("value" in input)) {
      throw new SpecError(`The figure's input ${name} is damaged: it has no shape or no value.`);
    }
    const size = (input["shape"] as number[]).reduce((a, b) => a * b, 1);
    if (!(size <= MAX_VALUES)) throw new SpecError(`The figure's input ${name} holds ${size} numbers; at most ${MAX_VALUES} are read.`);
  }
  if (!Array.isArray(raw["choices"])) throw new SpecError("The figure's description is damaged: it has no choices.");
  return raw as unknown as Spec;
}

/** Numbers as JSON has them: NaN and infinities are strings. */
export const toNumber = (value: number | string | boolean): number => (typeof value === "number" ? value : Number(value));
