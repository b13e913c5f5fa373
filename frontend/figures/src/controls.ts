// Controls: native inputs with their labels; the paint pad is in paint.ts.

import { action, attributes, element, reducedMotion, setText, uniqueId, showResumed, watchVisibility } from "./dom.js";
import { formatNumber } from "./format.js";
import type {
  CheckboxSpec, DropdownSpec, InputSpec, NumberBoxSpec, SliderSpec, StepperSpec, TextSpec,
} from "./grammar.js";
import { PaintPad } from "./paint.js";
import type { Input, Scene } from "./scene.js";
import type { View } from "./view.js";

type Make<Spec extends InputSpec> = (spec: Spec, input: Input, scene: Scene) => View;

function labelled(input: Input, control: HTMLElement, ...rest: Node[]): HTMLElement {
  const id = uniqueId("control");
  control.id = id;
  return element("div", { class: `nn-control nn-control-${input.spec.control}` },
    element("label", { for: id }, input.label), control, ...rest);
}

/** Fills a slider's track up to a position between its ends; live.css draws it from `--nn-at`. */
export function fillTrack(range: HTMLInputElement, position: number): void {
  const [min, max] = [Number(range.min), Number(range.max)];
  range.style.setProperty("--nn-at", `${((position - min) / (max - min || 1)) * 100}%`);
}

const decimals = (step: number): string => `.${Math.min(6, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)))}f`;

const slider: Make<SliderSpec> = (spec, input, scene) => {
  const { min, max, step, log, format } = spec;
  const toPosition = (v: number): number => (log ? Math.log(v) : v);
  const fromPosition = (v: number): number => (log ? +Math.exp(v).toPrecision(4) : v);
  const control = element("input", {
    type: "range", min: toPosition(min), max: toPosition(max), step: log ? (toPosition(max) - toPosition(min)) / 100 : step,
  });
  const output = element("output", { class: "nn-value" });
  const numberFormat = format ?? (log ? ".3~g" : decimals(step));
  const root = labelled(input, control, output);
  control.addEventListener("input", () => scene.set(input.name, Math.min(max, Math.max(min, fromPosition(Number(control.value))))));
  restoreAfterScrolling(control, input, scene);
  control.addEventListener("keydown", (event) => {
    if (event.key !== "PageUp" && event.key !== "PageDown") return;
    event.preventDefault();
    const change = (event.key === "PageUp" ? 1 : -1) * (log ? (toPosition(max) - toPosition(min)) / 10 : Math.max(step, (max - min) / 10));
    scene.set(input.name, +fromPosition(toPosition(Number(input.raw)) + change).toPrecision(12));
  });
  return {
    root,
    update() {
      const v = Number(input.raw);
      const words = formatNumber(v, numberFormat);
      if (Number(control.value) !== toPosition(v)) control.value = String(toPosition(v));
      fillTrack(control, toPosition(v));
      attributes(control, { "aria-valuetext": words });
      setText(output, words);
    },
  };
};

/** Restores the value if a touch turns out to scroll the page. */
function restoreAfterScrolling(control: HTMLInputElement, input: Input, scene: Scene): void {
  let initial: number | null = null;
  control.addEventListener("pointerdown", (event) => {
    initial = event.pointerType === "touch" ? Number(input.raw) : null;
  });
  control.addEventListener("pointercancel", () => {
    if (initial !== null) scene.set(input.name, initial);
    initial = null;
    scene.refresh();
  });
}

const number: Make<NumberBoxSpec> = (spec, input, scene) => {
  const { min, max, step } = spec;
  const control = element("input", { type: "number", min, max, step, inputmode: "decimal" });
  control.addEventListener("change", () => {
    if (control.value !== "") scene.set(input.name, Number(control.value));
    control.value = String(input.raw);
  });
  return {
    root: labelled(input, control),
    update() {
      if (document.activeElement !== control || Number(control.value) !== input.raw) control.value = String(input.raw);
    },
  };
};

const checkbox: Make<CheckboxSpec> = (_, input, scene) => {
  const control = element("input", { type: "checkbox" });
  control.addEventListener("change", () => scene.set(input.name, control.checked));
  return { root: labelled(input, control), update: () => void (control.checked = input.raw === true) };
};

const dropdown: Make<DropdownSpec> = (spec, input, scene) => {
  const { labels, buttons } = spec;
  if (buttons) {
    const group = uniqueId("choice");
    const radios = labels.map((words, i) => {
      const radio = element("input", { type: "radio", name: group, value: i });
      radio.addEventListener("change", () => scene.set(input.name, i));
      return { radio, item: element("label", { class: "nn-choice" }, radio, element("span", {}, words)) };
    });
    const root = element("fieldset", { class: "nn-control nn-choices" },
      element("legend", {}, input.label), element("div", {}, ...radios.map((r) => r.item)));
    return { root, update: () => radios.forEach(({ radio }, i) => (radio.checked = i === input.raw)) };
  }
  const control = element("select", {}, ...labels.map((words, i) => element("option", { value: i }, words)));
  control.addEventListener("change", () => scene.set(input.name, Number(control.value)));
  return { root: labelled(input, control), update: () => void (control.value = String(input.raw)) };
};

const WITHOUT_ACCENT: Readonly<Record<string, string>> = { ł: "l", ø: "o", đ: "d", ß: "ss", æ: "ae", œ: "oe" };

/** The character without its accent (ż as z) if the alphabet contains only that form; else the character itself. */
function withoutAccent(character: string, alphabet: string): string {
  if (alphabet.includes(character)) return character;
  const bare = WITHOUT_ACCENT[character] ?? character.normalize("NFD").replace(/\p{M}/gu, "");
  return [...bare].every((c) => alphabet.includes(c)) ? bare : character;
}

const A_TO_Z = "abcdefghijklmnopqrstuvwxyz";

/** An alphabet as a phrase, for the message about characters that it does not contain. */
function inWords(alphabet: string): string {
  if (alphabet === A_TO_Z) return "the letters a to z";
  if (alphabet === A_TO_Z + " ") return "the letters a to z and spaces";
  return alphabet.length > 30 ? "the letters that this figure supports" : alphabet;
}

const text: Make<TextSpec> = (spec, input, scene) => {
  const { length, alphabet } = spec;
  const control = element("input", {
    type: "text", maxlength: length, autocomplete: "off", autocapitalize: "off", spellcheck: "false", size: Math.min(24, length + 2),
  });
  const note = element("span", { class: "nn-note", role: "status" });
  control.addEventListener("input", () => {
    let typed = control.value;
    if (!/[A-Z]/.test(alphabet)) typed = typed.toLowerCase();
    typed = [...typed].map((c) => withoutAccent(c, alphabet)).join("");
    const rejected = [...typed].some((c) => !alphabet.includes(c));
    setText(note, rejected ? `use only ${inWords(alphabet)}` : "");
    scene.set(input.name, typed);
    if (control.value !== input.raw) control.value = String(input.raw);
  });
  return {
    root: labelled(input, control, note),
    update() {
      if (control.value !== input.raw) control.value = String(input.raw);
    },
  };
};

const stepper: Make<StepperSpec> = (spec, input, scene) => {
  const { min, max, names, interval } = spec;
  const root = element("div", { class: "nn-control nn-stepper", role: "group", "aria-label": input.label });
  const go = (v: number): void => void scene.set(input.name, v);
  const current = (): number => Number(input.raw);
  const stepButton = (symbol: string, words: string, act: () => void): HTMLButtonElement => action(symbol, act, { "aria-label": words, title: words });
  let timer = 0;
  let inView = true;
  let stopWatching = (): void => undefined;
  const stop = (): void => {
    stopWatching();
    clearInterval(timer);
    timer = 0;
    setText(play, "▶");
    attributes(play, { "aria-label": "play" });
  };
  const start = (): void => {
    if (current() >= max) go(min);
    inView = true;
    stopWatching = watchVisibility(scene.figure ?? root, (visible) => {
      inView = visible;
      if (visible) showResumed(note);
    });
    setText(play, "❚❚");
    attributes(play, { "aria-label": "pause" });
    timer = window.setInterval(() => {
      if (current() >= max || !root.isConnected) stop();
      else if (inView) go(current() + 1);
    }, 1000 * interval * (reducedMotion() ? 2 : 1));
  };
  const first = stepButton("⏮", "first", () => go(min));
  const back = stepButton("◀", "back", () => go(current() - 1));
  const play = stepButton("▶", "play", () => (timer ? stop() : start()));
  const next = stepButton("▶|", "forward", () => go(current() + 1));
  const range = element("input", { type: "range", min, max, step: 1, "aria-label": input.label });
  range.addEventListener("input", () => go(Number(range.value)));
  restoreAfterScrolling(range, input, scene);
  const output = element("output", { class: "nn-value", "aria-live": "polite" });
  const note = element("span", { class: "nn-note", role: "status" });
  root.append(element("span", { class: "nn-name" }, input.label), first, back, play, next, range, output, note);
  return {
    root,
    update() {
      const v = current();
      range.value = String(v);
      fillTrack(range, v);
      const words = names?.[v] ?? `${v} of ${max}`;
      attributes(range, { "aria-valuetext": words });
      setText(output, words);
      back.disabled = v <= min;
      next.disabled = v >= max;
    },
  };
};

/** The control of an input; undefined for inputs that are set by other means. */
export function makeControl(input: Input, scene: Scene): View | undefined {
  const { spec } = input;
  switch (spec.control) {
    case "slider": return slider(spec, input, scene);
    case "number": return number(spec, input, scene);
    case "checkbox": return checkbox(spec, input, scene);
    case "dropdown": return dropdown(spec, input, scene);
    case "text": return text(spec, input, scene);
    case "stepper": return stepper(spec, input, scene);
    case "paint": return new PaintPad(spec, input, scene);
    case "array": return undefined;
  }
}
