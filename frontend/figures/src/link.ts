// A figure's state in a link: #live=<name>.<base64url of JSON with the inputs that were changed>.

import { element, setText } from "./dom.js";
import type { Scene } from "./scene.js";
import type { InputValue } from "./spec.js";

const KEY = "live=";
const SEED = "@seed"; // no input can have this name
const STEP = "@step";
const MAX_LENGTH = 200_000;

const toBase64 = (bytes: Uint8Array): string => {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
};
const fromBase64 = (text: string): Uint8Array =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));

/** The bytes of float32 numbers in base64, if that loses nothing and is shorter than digits; else the value itself. */
function pack(value: InputValue): unknown {
  if (!Array.isArray(value) || value.length < 8) return value;
  const numbers = value as readonly number[];
  if (!numbers.every((v) => Math.fround(v) === v)) return value;
  const text = JSON.stringify(numbers);
  const packed = toBase64(new Uint8Array(Float32Array.from(numbers).buffer));
  return packed.length < text.length ? { f32: packed } : value;
}

function unpack(value: unknown): InputValue | undefined {
  if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.every((v) => typeof v === "number") ? (value as number[]) : undefined;
  if (typeof value === "object" && value !== null && "f32" in value && typeof value.f32 === "string") {
    const bytes = fromBase64(value.f32);
    return Array.from(new Float32Array(bytes.buffer, 0, bytes.length >> 2));
  }
  return undefined;
}

export function makeLink(scene: Scene): string {
  const state: Record<string, unknown> = {};
  for (const [name, input] of scene.inputs) {
    const value = input.jsonValue();
    const initial = input.initial instanceof Float64Array ? Array.from(input.initial) : input.initial;
    if (JSON.stringify(value) !== JSON.stringify(initial)) state[name] = pack(value);
  }
  const seed = scene.named("seed")?.data[0];
  if (seed !== undefined && scene.chooseSeed && seed !== scene.spec.training?.seed) state[SEED] = seed;
  const step = scene.named("step")?.data[0];
  if (step && scene.chooseStep) state[STEP] = step;
  const url = new URL(location.href);
  url.hash = `${KEY}${encodeURIComponent(scene.spec.name)}.${toBase64(new TextEncoder().encode(JSON.stringify(state)))}`;
  return url.href;
}

/** What a link has restored: "other" if it does not belong to this figure, "partly" if some of its values could not be set. */
export type Restored = "other" | "restored" | "partly" | "damaged";

/** The name of the figure in the fragment of the page's address; "" if it cannot be decoded. */
function figureNamedIn(hash: string): string {
  try {
    return decodeURIComponent(hash.slice(KEY.length, Math.max(0, hash.lastIndexOf("."))));
  } catch {
    return "";
  }
}

/** Shows a message if the page's address names a figure that is not in the page: the link is damaged, or the figure was removed. */
export function watchUnknownLinks(root: ParentNode): void {
  const message = element("p", { class: "nn-link-message", role: "status" });
  const check = (): void => {
    message.remove();
    const figures = [...root.querySelectorAll<HTMLElement>(".nn-figure[data-name]")];
    const hash = location.hash.slice(1);
    if (!hash.startsWith(KEY) || figures.some((figure) => figure.dataset["name"] === figureNamedIn(hash))) return;
    figures[0]?.append(message);
    setText(message, "The link names a figure that is not on this page: it is damaged, or the page has changed.");
    setTimeout(() => message.remove(), 20_000);
  };
  check();
  window.addEventListener("hashchange", check);
}

/** Sets the inputs to the values in the page's address, if it names this figure. */
export function restoreFromLink(scene: Scene): Restored {
  const hash = location.hash.slice(1);
  if (!hash.startsWith(KEY) || figureNamedIn(hash) !== scene.spec.name) return "other";
  if (hash.length > MAX_LENGTH) return "damaged";
  const encoded = hash.slice(hash.lastIndexOf(".") + 1);
  try {
    const state: unknown = JSON.parse(new TextDecoder().decode(fromBase64(encoded)));
    if (typeof state !== "object" || state === null) return "damaged";
    // the seed first: it sets the weights, and the link may then set some of them to other values
    const seed = (state as Record<string, unknown>)[SEED];
    if (typeof seed === "number") scene.chooseSeed?.(seed);
    let fits = true;
    for (const [name, packed] of Object.entries(state)) {
      if (name === SEED || name === STEP) continue;
      const value = unpack(packed);
      if (value === undefined || !scene.set(name, value)) fits = false;
    }
    const step = (state as Record<string, unknown>)[STEP];
    if (typeof step === "number" && Number.isFinite(step)) scene.chooseStep?.(step);
    return fits ? "restored" : "partly";
  } catch {
    return "damaged";
  }
}
