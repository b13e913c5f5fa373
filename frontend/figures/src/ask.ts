// Predict and quiz: an answer can be committed only before it is shown.

import { element, setText, uniqueId } from "./dom.js";
import { formatNumber } from "./format.js";
import type { PredictSpec, QuestionSpec, QuizSpec } from "./grammar.js";
import { type Builder, measureAll, type View } from "./view.js";
import { words } from "./words.js";

/** Radio buttons for choices; `value()` is the chosen position or −1. */
function choiceGroup(choices: readonly string[], label: string): { root: HTMLElement; value(): number; lock(on: boolean): void; radios: HTMLInputElement[]; items: HTMLElement[] } {
  const group = uniqueId("answer");
  const radios = choices.map((_, i) => element("input", { type: "radio", name: group, value: i }));
  const items = choices.map((choice, i) => element("label", { class: "nn-answer" }, radios[i]!, element("span", {}, choice)));
  const root = element("fieldset", { class: "nn-answers" }, element("legend", {}, label), ...items);
  return {
    root, radios, items,
    value: () => radios.findIndex((r) => r.checked),
    lock: (on) => radios.forEach((r) => (r.disabled = on)),
  };
}

export const predict: Builder<PredictSpec> = (spec, context) => {
  const { scene } = context;
  const flag = `${spec.name}_committed`;
  scene.extras.set(flag, { data: [0], shape: [] });
  const question = element("p", { class: "nn-question" });
  const commit = element("button", { type: "button", class: "nn-button nn-primary" }, "Commit");
  const again = element("button", { type: "button", class: "nn-button" }, "Ask again");
  const verdict = element("p", { class: "nn-verdict", role: "status" });
  const explain = element("p", { class: "nn-explain" });
  const choices = spec.choices ? choiceGroup(spec.choices, "Your answer") : undefined;
  const id = uniqueId("guess");
  const sliding = spec.ask === "number" && spec.min !== undefined && spec.max !== undefined;
  const field = element("input", {
    id, type: sliding ? "range" : "number", step: sliding ? (spec.max! - spec.min!) / 100 : "any", min: spec.min, max: spec.max,
    ...(sliding && { value: (spec.min! + spec.max!) / 2 }),
  });
  const shown = element("output", { class: "nn-value" });
  const body = element("div", { class: "nn-ask" });
  if (choices) body.append(choices.root);
  else if (spec.ask === "number") body.append(element("label", { for: id }, "Your answer"), field, ...(sliding ? [shown] : []));
  body.append(commit, again);
  const reveal: View[] = spec.reveal.map((view) => context.build(view));
  const hidden = element("div", { class: "nn-reveal" }, ...reveal.map((view) => view.root));
  const root = element("section", { class: "nn-predict", "aria-label": "prediction" }, question, body, verdict, explain, hidden);
  let committed = false;
  let kept: Float64Array | number[] = [];

  const guess = (): ArrayLike<number> | null => {
    if (choices) return choices.value() < 0 ? null : [choices.value()];
    if (spec.ask === "input" && spec.input) return scene.input(spec.input).tensor;
    return field.value === "" ? null : [Number(field.value)];
  };
  const isRight = (): boolean => {
    const truth = scene.get(spec.answer);
    if (!truth) return true;
    return kept.length === truth.data.length &&
      Array.from(truth.data).every((v, i) => (choices ? kept[i] === v : Math.abs(kept[i]! - v) <= spec.tolerance));
  };
  const settle = (on: boolean): void => {
    committed = on;
    scene.extras.set(flag, { data: [on ? 1 : 0], shape: [] });
    choices?.lock(on);
    field.disabled = on;
    commit.hidden = on;
    again.hidden = !on;
    hidden.hidden = !on;
    explain.hidden = !on;
    root.classList.toggle("nn-committed", on);
    scene.refresh();
  };
  commit.addEventListener("click", () => {
    const value = guess();
    if (!value) {
      setText(verdict, "Choose an answer first.");
      return;
    }
    kept = Array.from(value);
    settle(true);
    requestAnimationFrame(() => {
      measureAll(reveal);
      reveal.forEach((view) => view.update());
    });
    again.focus({ preventScroll: true });
  });
  again.addEventListener("click", () => {
    setText(verdict, "");
    settle(false);
    commit.focus({ preventScroll: true });
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || committed) return;
    event.preventDefault(); // or the key would press the button that gets the focus
    commit.click();
  });
  field.addEventListener("input", () => setText(shown, formatNumber(Number(field.value), ".3~g")));
  if (sliding) setText(shown, formatNumber(Number(field.value), ".3~g"));
  settle(false);
  return {
    root,
    update() {
      setText(question, words(scene, spec.question));
      if (!committed) return;
      const right = isRight();
      root.dataset["verdict"] = spec.answer ? (right ? "right" : "wrong") : "open";
      const truth = scene.get(spec.answer);
      const told = spec.answer && !right && spec.ask === "number" && truth
        ? ` It is ${formatNumber(truth.data[0]!, ".4~g")}, you said ${formatNumber(kept[0]!, ".4~g")}.` : "";
      setText(verdict, spec.answer ? `${right ? "✓" : "✗"} ${words(scene, right ? spec.right : spec.wrong)}${told}` : "Committed. Now compare.");
      setText(explain, words(scene, spec.explain ?? []));
      reveal.forEach((view) => view.update());
    },
    measure: () => measureAll(reveal),
  };
};

function questionView(spec: QuestionSpec, position: number): HTMLElement {
  const verdict = element("p", { class: "nn-verdict", role: "status" });
  const check = element("button", { type: "button", class: "nn-button nn-primary" }, "Check");
  const again = element("button", { type: "button", class: "nn-button", hidden: true }, "Try again");
  const group = spec.kind === "choice_question" ? choiceGroup(spec.choices, `${position}. ${spec.ask}`) : undefined;
  const id = uniqueId("answer");
  const field = element("input", { id, type: "number", step: "any" });
  const root = element("section", { class: "nn-quiz-question" });
  root.append(group ? group.root : element("div", { class: "nn-ask" }, element("label", { for: id }, `${position}. ${spec.ask}`), field));
  root.append(element("div", { class: "nn-ask" }, check, again), verdict);
  const lock = (on: boolean): void => {
    group?.lock(on);
    field.disabled = on;
    check.hidden = on;
    again.hidden = !on;
    if (!on) {
      setText(verdict, "");
      delete root.dataset["verdict"];
      group?.items.forEach((item) => item.classList.remove("nn-right", "nn-wrong"));
    }
  };
  check.addEventListener("click", () => {
    const chosen = group ? group.value() : field.value === "" ? -1 : 0;
    if (chosen < 0) return setText(verdict, "Choose an answer first.");
    const right = spec.kind === "choice_question"
      ? spec.right.includes(chosen) : Math.abs(Number(field.value) - spec.number) <= spec.tolerance;
    root.dataset["verdict"] = right ? "right" : "wrong";
    group?.items[chosen]?.classList.add(right ? "nn-right" : "nn-wrong");
    const reply = spec.kind === "choice_question" ? spec.replies[chosen] ?? "" : "";
    const why = right || !reply ? spec.why : "";
    lock(true);
    setText(verdict, [right ? "✓ Right." : "✗ Not quite.", reply, why].filter(Boolean).join(" "));
    again.focus({ preventScroll: true });
    return undefined;
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || check.hidden) return;
    event.preventDefault();
    check.click();
  });
  again.addEventListener("click", () => {
    lock(false);
    check.focus({ preventScroll: true });
  });
  return root;
}

export const quiz: Builder<QuizSpec> = ({ questions }) => {
  return { root: element("div", { class: "nn-quiz" }, ...questions.map((q, i) => questionView(q, i + 1))), update: () => undefined };
};
