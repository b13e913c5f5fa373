// Predictions and quizzes: readers commit to an answer before they see the right one.

import { fillTrack } from "./controls.js";
import { action, element, setText, uniqueId } from "./dom.js";
import { formatNumber } from "./format.js";
import type { PredictSpec, QuestionSpec, QuizSpec } from "./grammar.js";
import type { Scene } from "./scene.js";
import { type Builder, type Context, measureAll, type View } from "./view.js";
import { words } from "./words.js";

/** Radio buttons for choices; `value()` is the index of the chosen one, or −1. */
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

/** The way a reader answers: by a choice, by a number, or by setting an input of the figure. */
interface Answer {
  /** The controls for answering; none if the answer is an input of the figure. */
  readonly nodes: readonly Node[];
  /** The answer as numbers; null if nothing has been chosen or typed. */
  value(): ArrayLike<number> | null;
  lock(on: boolean): void;
  isRight(guess: ArrayLike<number>, truth: ArrayLike<number>): boolean;
}

const within = (tolerance: number) => (guess: ArrayLike<number>, truth: ArrayLike<number>): boolean =>
  guess.length === truth.length && Array.from(truth).every((v, i) => Math.abs(guess[i]! - v) <= tolerance);

function answerByChoice(choices: readonly string[]): Answer {
  const group = choiceGroup(choices, "Your answer");
  return {
    nodes: [group.root],
    value: () => (group.value() < 0 ? null : [group.value()]),
    lock: group.lock,
    isRight: (guess, truth) => truth.length === 1 && guess[0] === truth[0],
  };
}

/** A slider if both bounds are given, else a number box; `enter` is called when Enter is pressed. */
function answerByNumber({ min, max, tolerance }: PredictSpec, enter: (event: KeyboardEvent) => void): Answer {
  const id = uniqueId("guess");
  const isSlider = min !== undefined && max !== undefined;
  const field = element("input", isSlider
    ? { id, type: "range", step: (max - min) / 100, min, max, value: (min + max) / 2 }
    : { id, type: "number", step: "any", min, max });
  const shown = element("output", { class: "nn-value" });
  const show = (): void => {
    if (!isSlider) return;
    fillTrack(field, Number(field.value));
    setText(shown, formatNumber(Number(field.value), ".3~g"));
  };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") enter(event);
  });
  field.addEventListener("input", show);
  show();
  return {
    nodes: [element("label", { for: id }, "Your answer"), field, ...(isSlider ? [shown] : [])],
    value: () => (field.value === "" ? null : [Number(field.value)]),
    lock: (on) => (field.disabled = on),
    isRight: within(tolerance),
  };
}

const answerByInput = (scene: Scene, name: string, tolerance: number): Answer =>
  ({ nodes: [], value: () => scene.input(name).tensor, lock: () => undefined, isRight: within(tolerance) });

class Prediction implements View {
  readonly root: HTMLElement;
  private readonly question = element("p", { class: "nn-question" });
  private readonly commit = action("Commit", () => this.commitAnswer(), { class: "nn-button nn-primary" });
  private readonly again = action("Ask again", () => this.askAgain(), { class: "nn-button" });
  private readonly verdict = element("p", { class: "nn-verdict", role: "status" });
  private readonly why = element("p", { class: "nn-explain" });
  private readonly answer: Answer;
  private readonly reveal: readonly View[];
  private readonly revealed: HTMLElement;
  private committed = false;
  /** The reader's answer. */
  private guess: readonly number[] = [];

  constructor(private readonly spec: PredictSpec, private readonly context: Context) {
    this.answer = this.makeAnswer();
    this.reveal = spec.reveal.map((view) => context.build(view));
    this.revealed = element("div", { class: "nn-reveal" }, ...this.reveal.map((view) => view.root));
    const body = element("div", { class: "nn-ask" }, ...this.answer.nodes, this.commit, this.again);
    this.root = element("section", { class: "nn-predict", "aria-label": "prediction" },
      this.question, body, this.verdict, this.why, this.revealed);
    this.setCommitted(false);
  }

  update(): void {
    const { spec, context: { scene } } = this;
    setText(this.question, words(scene, spec.question));
    if (!this.committed) return;
    const truth = scene.get(spec.answer)?.data;
    const right = !truth || this.answer.isRight(this.guess, truth);
    this.root.dataset["verdict"] = spec.answer ? (right ? "right" : "wrong") : "open";
    setText(this.verdict, spec.answer ? this.judge(right, truth) : "Committed. Now compare.");
    setText(this.why, words(scene, spec.why ?? []));
    this.reveal.forEach((view) => view.update());
  }

  measure(): boolean {
    return measureAll(this.reveal);
  }

  private makeAnswer(): Answer {
    const { spec, context: { scene } } = this;
    if (spec.choices) return answerByChoice(spec.choices);
    if (spec.answer_with === "input" && spec.input) return answerByInput(scene, spec.input, spec.tolerance);
    return answerByNumber(spec, (event) => {
      if (this.committed) return;
      event.preventDefault(); // otherwise Enter would also press the button that is focused next
      this.commit.click();
    });
  }

  private judge(right: boolean, truth: ArrayLike<number> | undefined): string {
    const { spec, context: { scene }, guess } = this;
    const verdict = `${right ? "✓" : "✗"} ${words(scene, right ? spec.reply_right : spec.reply_wrong)}`;
    if (right || spec.answer_with !== "number" || !truth) return verdict;
    return `${verdict} The answer is ${formatNumber(truth[0]!, ".4~g")}; you answered ${formatNumber(guess[0]!, ".4~g")}.`;
  }

  /** Shows the explanation and the reveal if the answer is committed; otherwise hides them. */
  private setCommitted(committed: boolean): void {
    const { scene } = this.context;
    this.committed = committed;
    scene.extras.set(`${this.spec.name}_committed`, { data: [committed ? 1 : 0], shape: [] });
    this.answer.lock(committed);
    this.commit.hidden = committed;
    this.again.hidden = !committed;
    this.revealed.hidden = !committed;
    this.why.hidden = !committed;
    this.root.classList.toggle("nn-committed", committed);
    scene.refresh();
  }

  private commitAnswer(): void {
    const value = this.answer.value();
    if (!value) return setText(this.verdict, "Choose an answer first.");
    this.guess = Array.from(value);
    this.setCommitted(true);
    requestAnimationFrame(() => {
      measureAll(this.reveal);
      this.reveal.forEach((view) => view.update());
    });
    this.again.focus({ preventScroll: true });
  }

  private askAgain(): void {
    setText(this.verdict, "");
    this.setCommitted(false);
    this.commit.focus({ preventScroll: true });
  }
}

export const predict: Builder<PredictSpec> = (spec, context) => new Prediction(spec, context);

function questionView(spec: QuestionSpec, position: number): HTMLElement {
  const verdict = element("p", { class: "nn-verdict", role: "status" });
  const check = element("button", { type: "button", class: "nn-button nn-primary" }, "Check");
  const again = element("button", { type: "button", class: "nn-button", hidden: true }, "Try again");
  const group = spec.kind === "choice_question" ? choiceGroup(spec.choices, `${position}. ${spec.question}`) : undefined;
  const id = uniqueId("answer");
  const field = element("input", { id, type: "number", step: "any" });
  const root = element("section", { class: "nn-quiz-question" });
  root.append(group ? group.root : element("div", { class: "nn-ask" }, element("label", { for: id }, `${position}. ${spec.question}`), field));
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
      ? spec.answers.includes(chosen) : Math.abs(Number(field.value) - spec.answer) <= spec.tolerance;
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
