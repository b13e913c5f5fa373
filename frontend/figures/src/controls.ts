// Controls: native inputs with their labels, and the paint pad.

import { paintPixels, span, table, themeColor } from "./color.js";
import { attributes, element, reducedMotion, setText, uniqueId, waited, watchSight } from "./dom.js";
import { formatNumber } from "./format.js";
import type {
  CheckboxSpec, DropdownSpec, InputSpec, NumberBoxSpec, PaintSpec, SliderSpec, StepperSpec, TextSpec,
} from "./grammar.js";
import type { Input, Scene } from "./scene.js";
import type { View } from "./view.js";

type Make<Spec extends InputSpec> = (spec: Spec, input: Input, scene: Scene) => View;

const nameOf = (input: Input): string => input.spec.label ?? input.name;

function labelled(input: Input, control: HTMLElement, ...after: Node[]): HTMLElement {
  const id = uniqueId("control");
  control.id = id;
  return element("div", { class: `nn-control nn-control-${input.spec.control}` },
    element("label", { for: id }, nameOf(input)), control, ...after);
}

const decimals = (step: number): string => `.${Math.min(6, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)))}f`;

const slider: Make<SliderSpec> = (spec, input, scene) => {
  const { min, max, step, log, format } = spec;
  const to = (v: number): number => (log ? Math.log(v) : v);
  const back = (v: number): number => (log ? +Math.exp(v).toPrecision(4) : v);
  const control = element("input", {
    type: "range", min: to(min), max: to(max), step: log ? (to(max) - to(min)) / 100 : step,
  });
  const output = element("output", { class: "nn-value" });
  const form = format ?? (log ? ".3~g" : decimals(step));
  const root = labelled(input, control, output);
  control.addEventListener("input", () => scene.set(input.name, Math.min(max, Math.max(min, back(Number(control.value))))));
  keepWhileScrolling(control, input, scene);
  control.addEventListener("keydown", (event) => {
    if (event.key !== "PageUp" && event.key !== "PageDown") return;
    event.preventDefault();
    const by = (event.key === "PageUp" ? 1 : -1) * (log ? (to(max) - to(min)) / 10 : Math.max(step, (max - min) / 10));
    scene.set(input.name, +back(to(Number(input.raw)) + by).toPrecision(12));
  });
  return {
    root,
    update() {
      const v = Number(input.raw);
      const words = formatNumber(v, form);
      if (Number(control.value) !== to(v)) control.value = String(to(v));
      control.style.setProperty("--nn-at", `${((to(v) - to(min)) / (to(max) - to(min))) * 100}%`);
      attributes(control, { "aria-valuetext": words });
      setText(output, words);
    },
  };
};

/** A finger that turns out to scroll the page leaves the value as it was. */
function keepWhileScrolling(control: HTMLInputElement, input: Input, scene: Scene): void {
  let before: number | null = null;
  control.addEventListener("pointerdown", (event) => {
    before = event.pointerType === "touch" ? Number(input.raw) : null;
  });
  control.addEventListener("pointercancel", () => {
    if (before !== null) scene.set(input.name, before);
    before = null;
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
      element("legend", {}, nameOf(input)), element("div", {}, ...radios.map((r) => r.item)));
    return { root, update: () => radios.forEach(({ radio }, i) => (radio.checked = i === input.raw)) };
  }
  const control = element("select", {}, ...labels.map((words, i) => element("option", { value: i }, words)));
  control.addEventListener("change", () => scene.set(input.name, Number(control.value)));
  return { root: labelled(input, control), update: () => void (control.value = String(input.raw)) };
};

const WITHOUT_ACCENT: Readonly<Record<string, string>> = { ł: "l", ø: "o", đ: "d", ß: "ss", æ: "ae", œ: "oe" };

/** A character that the alphabet has: where it lacks one, the same without its accent, ż as z. */
function plain(character: string, alphabet: string): string {
  if (alphabet.includes(character)) return character;
  const bare = WITHOUT_ACCENT[character] ?? character.normalize("NFD").replace(/\p{M}/gu, "");
  return [...bare].every((c) => alphabet.includes(c)) ? bare : character;
}

const A_TO_Z = "abcdefghijklmnopqrstuvwxyz";

function inWords(alphabet: string): string {
  if (alphabet === A_TO_Z) return "the letters a to z";
  if (alphabet === A_TO_Z + " ") return "the letters a to z and spaces";
  return alphabet.length > 30 ? "its letters" : alphabet;
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
    typed = [...typed].map((c) => plain(c, alphabet)).join("");
    const strange = [...typed].some((c) => !alphabet.includes(c));
    setText(note, strange ? `only ${inWords(alphabet)} can be read` : "");
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
  const root = element("div", { class: "nn-control nn-stepper", role: "group", "aria-label": nameOf(input) });
  const go = (v: number): void => void scene.set(input.name, v);
  const now = (): number => Number(input.raw);
  const press = (sign: string, words: string, act: () => void): HTMLButtonElement => {
    const made = element("button", { type: "button", "aria-label": words, title: words }, sign);
    made.addEventListener("click", act);
    return made;
  };
  let timer = 0;
  let seen = true;
  let unwatch = (): void => undefined;
  const stop = (): void => {
    unwatch();
    clearInterval(timer);
    timer = 0;
    setText(play, "▶");
    attributes(play, { "aria-label": "play" });
  };
  const start = (): void => {
    if (now() >= max) go(min);
    seen = true;
    unwatch = watchSight(scene.home ?? root, (visible) => {
      seen = visible;
      if (visible) waited(note);
    });
    setText(play, "❚❚");
    attributes(play, { "aria-label": "pause" });
    timer = window.setInterval(() => {
      if (now() >= max || !root.isConnected) stop();
      else if (seen) go(now() + 1);
    }, 1000 * interval * (reducedMotion() ? 2 : 1));
  };
  const first = press("⏮", "first", () => go(min));
  const back = press("◀", "back", () => go(now() - 1));
  const play = press("▶", "play", () => (timer ? stop() : start()));
  const next = press("▶|", "forward", () => go(now() + 1));
  const range = element("input", { type: "range", min, max, step: 1, "aria-label": nameOf(input) });
  range.addEventListener("input", () => go(Number(range.value)));
  keepWhileScrolling(range, input, scene);
  const output = element("output", { class: "nn-value", "aria-live": "polite" });
  const note = element("span", { class: "nn-note", role: "status" });
  root.append(element("span", { class: "nn-name" }, nameOf(input)), first, back, play, next, range, output, note);
  return {
    root,
    update() {
      const v = now();
      range.value = String(v);
      range.style.setProperty("--nn-at", `${((v - min) / (max - min || 1)) * 100}%`);
      const words = names?.[v] ?? `${v} of ${max}`;
      attributes(range, { "aria-valuetext": words });
      setText(output, words);
      back.disabled = v <= min;
      next.disabled = v >= max;
    },
  };
};

const paint: Make<PaintSpec> = (spec, input, scene) => {
  const [rows, columns] = [spec.shape[0]!, spec.shape[1]!];
  const { range, brush, colors, annotate } = spec;
  const signed = range[0] < 0;
  const pixel = Math.max(4, Math.min(34, Math.floor(224 / Math.max(rows, columns))));
  const pad = element("canvas", { class: "nn-pad", tabindex: 0, role: "application", "aria-roledescription": "paint pad" });
  const [w, h] = [columns * pixel, rows * pixel];
  pad.width = 2 * w;
  pad.height = 2 * h;
  Object.assign(pad.style, { width: `${w}px`, aspectRatio: `${columns} / ${rows}` });
  const small = element("canvas");
  small.width = columns;
  small.height = rows;
  const status = element("output", { class: "nn-value", "aria-live": "polite" });
  let ink = range[1];
  let cursor: [number, number] = [rows >> 1, columns >> 1];

  const cells = (): Float64Array => input.tensor;
  const dab = (r: number, c: number): void => {
    const copy = cells().slice();
    const reach = Math.ceil(brush);
    for (let i = Math.max(0, Math.floor(r) - reach); i <= Math.min(rows - 1, Math.floor(r) + reach); i++) {
      for (let j = Math.max(0, Math.floor(c) - reach); j <= Math.min(columns - 1, Math.floor(c) + reach); j++) {
        const hit = i === Math.floor(r) && j === Math.floor(c);
        const near = brush > 0 ? Math.max(0, Math.min(1, brush + 0.5 - Math.hypot(i + 0.5 - r, j + 0.5 - c))) : 0;
        const t = hit ? 1 : near;
        const k = i * columns + j;
        if (t > 0) copy[k] = ink > 0 ? Math.max(copy[k]!, ink * t) : copy[k]! + (ink - copy[k]!) * t;
      }
    }
    scene.set(input.name, copy);
  };
  const spot = (event: PointerEvent): [number, number] => {
    const box = pad.getBoundingClientRect();
    return [((event.clientY - box.top) / box.height) * rows, ((event.clientX - box.left) / box.width) * columns];
  };
  let last: [number, number] | null = null;
  const trail = (to: [number, number]): void => {
    const from = last ?? to;
    const n = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) * 2));
    for (let k = 1; k <= n; k++) dab(from[0] + ((to[0] - from[0]) * k) / n, from[1] + ((to[1] - from[1]) * k) / n);
    last = to;
    cursor = [Math.floor(to[0]), Math.floor(to[1])];
  };
  const fingers = new Set<number>();
  let untouched: Float64Array | null = null; // the cells before the first finger came
  pad.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    fingers.add(event.pointerId);
    if (fingers.size > 1) {
      // two fingers zoom or scroll the page: what the first one drew on its way is taken back
      if (untouched) scene.set(input.name, untouched);
      untouched = null;
      last = null;
      return;
    }
    untouched = event.pointerType === "touch" ? cells().slice() : null;
    pad.focus();
    pad.setPointerCapture(event.pointerId);
    trail(spot(event));
  });
  pad.addEventListener("pointermove", (event) => {
    if (last && fingers.size === 1) for (const one of event.getCoalescedEvents?.() ?? [event]) trail(spot(one));
  });
  const lift = (event: PointerEvent): void => {
    fingers.delete(event.pointerId);
    last = null;
  };
  pad.addEventListener("pointerup", lift);
  pad.addEventListener("pointercancel", lift);
  pad.addEventListener("keydown", (event) => {
    const steps: Record<string, [number, number]> = {
      ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
      PageUp: [-rows, 0], PageDown: [rows, 0], Home: [0, -columns], End: [0, columns],
    };
    const step = steps[event.key];
    if (step) {
      cursor = [Math.min(rows - 1, Math.max(0, cursor[0] + step[0])), Math.min(columns - 1, Math.max(0, cursor[1] + step[1]))];
    } else if (event.key === " " || event.key === "Enter") {
      dab(cursor[0] + 0.5, cursor[1] + 0.5);
    } else if (/^[+=-]$/.test(event.key)) {
      const copy = cells().slice();
      const k = cursor[0] * columns + cursor[1];
      copy[k] = Math.min(range[1], Math.max(range[0], copy[k]! + (event.key === "-" ? -1 : 1) * (range[1] - range[0]) * 0.1));
      scene.set(input.name, copy);
    } else return;
    event.preventDefault();
    update();
    setText(status, `row ${cursor[0] + 1}, column ${cursor[1] + 1}: ${formatNumber(cells()[cursor[0] * columns + cursor[1]]!, ".2~f")}`);
  });
  pad.addEventListener("focus", () => update());
  pad.addEventListener("blur", () => update());

  const inks: [string, number][] = signed ? [["+", range[1]], ["−", range[0]], ["0", 0]] : [["draw", range[1]], ["erase", range[0]]];
  const group = uniqueId("ink");
  const choices = inks.map(([words, value], i) => {
    const radio = element("input", { type: "radio", name: group });
    radio.checked = i === 0;
    radio.addEventListener("change", () => (ink = value));
    return element("label", { class: "nn-choice" }, radio, element("span", {}, words));
  });
  const clear = element("button", { type: "button" }, "clear");
  clear.addEventListener("click", () => scene.set(input.name, new Float64Array(rows * columns)));
  const tools = element("div", { class: "nn-tools" },
    element("div", { class: "nn-choices", role: "radiogroup", "aria-label": "brush" }, ...choices), clear);

  function update(): void {
    const context = pad.getContext("2d");
    const mini = small.getContext("2d");
    if (!context || !mini) return;
    const image = mini.createImageData(columns, rows);
    const [low, high] = span(cells(), colors, range);
    paintPixels(image, cells(), 0, table(pad, colors), low, high, false);
    mini.putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, pad.width, pad.height);
    if (pixel >= 12) {
      context.strokeStyle = "rgb(128 128 128 / .35)";
      context.beginPath();
      for (let c = 1; c < columns; c++) context.rect(c * 2 * pixel, 0, 0, pad.height);
      for (let r = 1; r < rows; r++) context.rect(0, r * 2 * pixel, pad.width, 0);
      context.stroke();
    }
    if (annotate !== undefined) {
      context.font = `${Math.round(pixel * 0.8)}px system-ui, sans-serif`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      cells().forEach((v, k) => {
        const at = Math.round(((v - low) / (high - low || 1)) * 255);
        const [red, green, blue] = table(pad, colors).subarray(Math.min(255, Math.max(0, at)) * 4);
        context.fillStyle = red! * 0.3 + green! * 0.6 + blue! * 0.1 > 140 ? "#111" : "#fff";
        context.fillText(formatNumber(v, annotate), ((k % columns) + 0.5) * 2 * pixel, (Math.floor(k / columns) + 0.5) * 2 * pixel);
      });
    }
    if (document.activeElement === pad) {
      context.strokeStyle = themeColor(pad, "--nn-focus");
      context.lineWidth = 3;
      context.strokeRect(cursor[1] * 2 * pixel, cursor[0] * 2 * pixel, 2 * pixel, 2 * pixel);
      context.lineWidth = 1;
    }
  }
  attributes(pad, { "aria-label": `${nameOf(input)}: arrows move, space paints, plus and minus change a cell` });
  const root = element("div", { class: "nn-control nn-paint", role: "group", "aria-label": nameOf(input) },
    element("span", { class: "nn-name" }, nameOf(input)), pad, tools, status);
  return { root, update };
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
    case "paint": return paint(spec, input, scene);
    case "array": return undefined;
  }
}
