// Checks what Python sends before anything is drawn; the types are in grammar.ts.

import { type FigureSpec, type InputSpec, type Live, MAX_INPUTS, MAX_VALUES, type Ref, type Scalar } from "./grammar.js";

export type InputValue = InputSpec["value"];

export class SpecError extends Error {}

const isRecord = (x: unknown): x is Record<string, unknown> => typeof x === "object" && x !== null && !Array.isArray(x);

export const isLive = (ref: Ref): ref is Live => "ref" in ref;

/** Whether a field refers to numbers that may change. */
export const isReference = (field: unknown): field is Live => isRecord(field) && typeof field["ref"] === "string";

/** Throws a SpecError, with a message for readers, if `raw` is not a figure that this page can show. */
export function checkSpec(raw: unknown): asserts raw is FigureSpec {
  if (!isRecord(raw) || raw["format"] !== "nnlib.live") {
    throw new SpecError("This is not a figure of nnlib.live: its description is missing or damaged.");
  }
  if (raw["version"] !== 1) {
    throw new SpecError(
      `This figure was made by a newer nnlib (figure format ${String(raw["version"])}; this page reads 1). ` +
        "Rebuild the page with one version of nnlib.",
    );
  }
  const { inputs } = raw;
  if (!isRecord(inputs)) throw new SpecError("The figure's description is damaged: it has no inputs.");
  for (const key of ["programs", "view"]) {
    if (!isRecord(raw[key])) throw new SpecError(`The figure's description is damaged: it has no ${key}.`);
  }
  checkInputs(inputs);
  if (!Array.isArray(raw["static_inputs"])) throw new SpecError("The figure's description is damaged: it has no static_inputs.");
}

function checkInputs(inputs: Record<string, unknown>): void {
  const listed = Object.entries(inputs);
  if (listed.length > MAX_INPUTS) throw new SpecError(`The figure has ${listed.length} inputs; at most ${MAX_INPUTS} are allowed.`);
  for (const [name, input] of listed) {
    if (!isRecord(input) || !Array.isArray(input["shape"]) || !("value" in input)) {
      throw new SpecError(`The figure's input ${name} is damaged: it has no shape or no value.`);
    }
    const size = input["shape"].reduce((a: number, b: unknown) => a * Number(b), 1);
    if (!(size <= MAX_VALUES)) throw new SpecError(`The figure's input ${name} has ${size} numbers; at most ${MAX_VALUES} are allowed.`);
  }
}

/** A number from its JSON form, in which NaN and infinities are strings. */
export const toNumber = (value: Scalar | boolean): number => (typeof value === "number" ? value : Number(value));
