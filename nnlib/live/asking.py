"""Questions that are answered before the answer is shown: predict and quiz."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnlib.live.marks import Ref
from nnlib.live.parts import Part, data, names, text
from nnlib.live.views import as_view

QUESTIONS = ("choice_question", "number_question")


def predict(
    question: str,
    *,
    name: str,
    answer: Ref = None,
    choices: Sequence[str] | None = None,
    input: str | None = None,
    tolerance: float = 0.05,
    min: float | None = None,
    max: float | None = None,
    reveal: Sequence[Any] = (),
    right: str = "Right.",
    wrong: str = "Not quite.",
    explain: str | None = None,
) -> Part:
    """A question; until it is answered, `reveal` and parts with `when="NAME_committed"` are hidden.

    The reader answers with a number, which is right within `tolerance` of `answer` (a number or a
    reference); with one of `choices`, where `answer` is the position of the right one; or by
    dragging, where `input` names the input that is compared with `answer`.  A committed answer
    cannot be changed until the reader clicks “Ask again”.  Without `answer`, no answer is judged
    right or wrong.  `reveal` is a list of views; `right`, `wrong` and `explain` may contain live
    numbers.  Raises ValueError for a name that is not an identifier.

    >>> from nnlib import live
    >>> ask = live.predict("How steep?", name="steep", answer="s", reveal=["It is {s:.2f}."])
    >>> live.figure(lambda w: {"s": w / 4}, w=live.values(2.0), view=[ask], title="Predict")
    Figure('Predict')
    """
    if not name.isidentifier():
        raise ValueError(f"predict's name must be an identifier, not {name!r}.")
    kind = "choice" if choices else "input" if input else "number"
    fields: dict[str, Any] = {"name": name, "question": text(question), "answer_with": kind}
    fields["choices"] = names(choices)
    judged: dict[str, Any] = {"answer": data(answer), "input": input, "tolerance": tolerance}
    judged |= {"min": min, "max": max}
    replies = {"reply_right": text(right), "reply_wrong": text(wrong), "why": text(explain)}
    return Part("predict", fields | judged | replies | {"reveal": [as_view(v) for v in reveal]})


def question(
    question: str,
    choices: Mapping[str, str] | Sequence[str] | None = None,
    *,
    answer: Any,
    tolerance: float = 1e-6,
    why: str = "",
) -> Part:
    """A question of `quiz`: `choices` is a list, or a dict from each choice to the reply to it.

    `answer` is the right choice (its text, or several texts), or a number.  Raises ValueError for
    an answer that is not one of the choices.

    >>> from nnlib import live
    >>> choices = {"½": "Yes: e⁰ = 1.", "0": "That is the limit for z → −∞."}
    >>> live.quiz(live.question("What is σ(0)?", choices, answer="½"), title="Check")
    Figure('Check')
    """
    if choices is None:
        number: dict[str, Any] = {"question": question, "answer": float(answer)}
        return Part("number_question", number | {"tolerance": tolerance, "why": why})
    labels = list(choices)
    right = [answer] if isinstance(answer, str) else list(answer)
    unknown = [r for r in right if r not in labels]
    if unknown:
        raise ValueError(f"the answer {unknown} is not one of the choices {labels}.")
    replies = list(choices.values()) if isinstance(choices, Mapping) else [""] * len(labels)
    answers = [labels.index(r) for r in right]
    fields: dict[str, Any] = {"question": question, "choices": names(labels), "answers": answers}
    return Part("choice_question", fields | {"replies": replies, "why": why})


def quiz_view(questions: Sequence[Part]) -> Part:
    """The questions of a quiz, one below the other."""
    if not questions:
        raise ValueError("a quiz needs at least one question.")
    for q in questions:
        if not (isinstance(q, Part) and q.kind in QUESTIONS):
            raise TypeError(f"a quiz takes live.question(…), not {q!r}.")
    return Part("quiz", {"questions": list(questions)})
