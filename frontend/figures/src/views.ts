// The short views: readouts, meters, formulas, buttons, switches, controls, rows and columns.

import { cssColor } from "./color.js";
import { action, attributes, element, MATHML, setText } from "./dom.js";
import { formatNumber } from "./format.js";
import { chosen, click } from "./grip.js";
import type {
  ButtonSpec, ColumnSpec, ControlSpec, FormulaSpec, MeterSpec, ReadoutSpec, RowSpec, Slot, TogglesSpec, Tree,
} from "./grammar.js";
import { isLive } from "./spec.js";
import { type Builder, measureAll } from "./view.js";
import { words } from "./words.js";

const container = (className: string): Builder<RowSpec | ColumnSpec> => (spec, context) => {
  const items = spec.items.map((item) => context.build(item));
  return {
    root: element("div", { class: className }, ...items.map((item) => item.root)),
    update: () => items.forEach((item) => item.update()),
    measure: () => measureAll(items),
  };
};

export const row = container("nn-row");
export const column = container("nn-column");

/** Milliseconds without a change before screen readers announce a new text. */
const ANNOUNCE_AFTER = 700;

export const readout: Builder<ReadoutSpec> = (spec, { scene }) => {
  const announced = element("span", { class: "nn-visually-hidden", "aria-live": "polite" });
  const live = spec.text.some((piece) => typeof piece !== "string");
  // changes at once but is hidden from screen readers, which read `announced`
  const shown = element("span", live ? { "aria-hidden": "true" } : {});
  const root = element("p", { class: `nn-readout nn-readout-${spec.size}` }, shown, ...(live ? [announced] : []));
  const pieces = spec.text.map((piece) => (typeof piece === "string" ? piece : element("span", { class: "nn-live-number" })));
  shown.append(...pieces);
  let timer = 0;
  return {
    root,
    update() {
      let changed = false;
      spec.text.forEach((piece, i) => {
        const node = pieces[i]!;
        if (typeof piece === "string" || typeof node === "string") return;
        const text = words(scene, [piece]);
        if (node.textContent !== text) {
          node.textContent = text;
          changed = true;
        }
      });
      if (!changed || !live) return;
      clearTimeout(timer);
      timer = window.setTimeout(() => setText(announced, words(scene, spec.text)), announced.textContent ? ANNOUNCE_AFTER : 0);
    },
  };
};

export const meter: Builder<MeterSpec> = (spec, { scene }) => {
  const bar = element("span", { class: "nn-meter-bar" });
  const track = element("span", { class: "nn-meter-track", role: "meter", "aria-label": spec.label, "aria-valuemin": spec.min, "aria-valuemax": spec.max }, bar);
  const value = element("span", { class: "nn-value" });
  bar.style.background = cssColor(spec.color);
  return {
    root: element("div", { class: "nn-meter" }, element("span", { class: "nn-name" }, spec.label), track, value),
    update() {
      const v = scene.number(spec.value);
      const fraction = (v - spec.min) / (spec.max - spec.min || 1);
      bar.style.width = `${Number.isFinite(fraction) ? Math.min(1, Math.max(0, fraction)) * 100 : 0}%`;
      const shown = formatNumber(v, spec.format);
      attributes(track, { "aria-valuenow": Number.isFinite(v) ? v : 0, "aria-valuetext": shown });
      setText(value, shown);
    },
  };
};

const MATH_TAGS = new Set(
  ("math mrow mi mn mo mtext mfrac msqrt mroot msub msup msubsup munder mover munderover mspace mtable mtr mtd " +
    "mstyle mpadded mphantom menclose").split(" "),
);
const MATH_ATTRIBUTES = new Set(
  "display mathvariant stretchy fence form separator lspace rspace width linethickness columnalign accent".split(" "),
);

export const formula: Builder<FormulaSpec> = (spec, { scene }) => {
  const slots: { node: Element; slot: Slot }[] = [];
  const build = (tree: Tree): Node => {
    if (typeof tree === "string") return document.createTextNode(tree);
    if ("slot" in tree) {
      const node = document.createElementNS(MATHML, "mn");
      node.setAttribute("class", "nn-live-number");
      slots.push({ node, slot: { ...tree.slot, format: tree.format } });
      return node;
    }
    const [tag, values, ...children] = tree;
    if (!MATH_TAGS.has(tag)) throw new Error(`a formula contains <${tag}>, which this page does not support`);
    const node = document.createElementNS(MATHML, tag);
    for (const [name, value] of Object.entries(values)) if (MATH_ATTRIBUTES.has(name)) node.setAttribute(name, value);
    node.append(...children.map(build));
    return node;
  };
  const root = element("div", { class: "nn-formula" });
  root.append(build(spec.tree));
  return { root, update: () => slots.forEach(({ node, slot }) => setText(node, words(scene, [slot]))) };
};

export const button: Builder<ButtonSpec> = (spec, { scene }) => {
  const root = action(spec.label, () => {
    // read all values before setting any: {a: b, b: a} swaps
    const values = Object.entries(spec.set).map(([name, ref]) => {
      const value = scene.get(ref);
      const word = isLive(ref) ? scene.inputs.get(ref.ref)?.raw : undefined;
      return [name, typeof word === "string" ? word : value && Array.from(value.data)] as const;
    });
    for (const [name, value] of values) {
      if (value === undefined) continue;
      const converted = Array.isArray(value) && scene.input(name).spec.shape.length === 0 ? value[0]! : value;
      scene.set(name, converted);
    }
    scene.compute();
    scene.refresh();
  }, { class: "nn-button" });
  return { root, update: () => undefined };
};

export const toggles: Builder<TogglesSpec> = (spec, { scene }) => {
  const items = spec.labels.map((_, i) => action("", () => click(scene, { toggle: spec.toggle }, i), { class: "nn-button nn-toggle" }));
  return {
    root: element("div", { class: "nn-toggles", role: "group" }, ...items),
    update: () => items.forEach((item, i) => {
      setText(item, words(scene, spec.labels[i]!));
      attributes(item, { "aria-pressed": chosen(scene, { toggle: spec.toggle }, i) ? "true" : "false" });
    }),
  };
};

export const control: Builder<ControlSpec> = (spec, context) => {
  const views = spec.names.flatMap((name) => context.control(name) ?? []);
  return {
    root: element("div", { class: "nn-controls" }, ...views.map((view) => view.root)),
    update: () => views.forEach((view) => view.update()),
    measure: () => measureAll(views),
  };
};
