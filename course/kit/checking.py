"""Judges answers: whether they are right, what differs, and which common mistake explains it."""

from __future__ import annotations

import os
import socket
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import nnlib
from course.kit.comparing import (
    agrees,
    array_of,
    brief,
    difference,
    has_dots,
    is_blank,
    suspicion,
)
from course.kit.exercises import Exercise, find
from course.kit.mode import mode
from course.kit.progress import remember
from course.kit.wire import Peer

WIDTH = 72  # the longest line, in characters, that a page shows without scrolling
STEP = 1e-6  # the h of finite differences, in float64

JUDGE = "NNLIB_JUDGE"

BLANK = "still blank. Fill in the dots, then run both cells."
RAISED = "it raised {kind}: {error}"
NO_GRADIENT = (
    "the numbers are right, but no gradient flows through them: something left the graph "
    "(float(), .item(), .numpy(), .detach() or a NumPy function)."
)
OVERWRITTEN = (
    "This is the gradient of one of the terms alone: what a weight gets from several terms adds "
    "up, and here one overwrites the other (= where += is needed)."
)


class NotSolved(AssertionError):
    """An exercise that should be solved is not (in tests of solved chapters, or in grading)."""


@dataclass(frozen=True)
class Verdict:
    """The result of a check: `state` is right, wrong or blank, and `words` explain it."""

    state: str
    words: str

    @property
    def sign(self) -> str:
        return {"right": "✓", "wrong": "✗", "blank": "☐"}[self.state]


def check(name: str, answer: Any) -> float | None:
    """Judges whether `answer` solves the exercise `name` ("chapter/exercise"); records it if so.

    It prints one verdict and never raises because of a reader's answer, so the notebook runs on.
    When a submitted notebook is graded (NNLIB_COURSE is `graded`), it returns the exercise's
    points; if NNLIB_JUDGE names a judge's socket, the answer is sent there.

    Raises:
        ValueError: there is no such exercise.
        NotSolved: the answer is not right, and NNLIB_COURSE is `solved` or `graded`.
    """
    if mode() == "graded" and os.environ.get(JUDGE):
        hand_in(name, answer)
        return None
    exercise = find(name)
    verdict = judge(exercise, answer)
    if verdict.state == "right":
        remember(exercise.name)
    print(printed(exercise, verdict))
    if mode() in ("solved", "graded") and verdict.state != "right":
        raise NotSolved(f"{name}: {verdict.words}")
    return exercise.points if mode() == "graded" else None


def hand_in(name: str, answer: Any) -> None:
    """Sends an answer to the judge's process, and serves its calls until the judge has finished.

    The judge returns nothing: the grader's own process writes verdict and points into the notebook.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ[JUDGE])
        peer = Peer(connection)
        peer.ask({"do": "judge", "name": name, "answer": peer.encode(answer, [])})


def printed(exercise: Exercise, verdict: Verdict) -> str:
    """The verdict as lines that fit into a page's column."""
    first, *more = f"{verdict.sign} {exercise.short}: {verdict.words}".split("\n")
    wrapper = textwrap.TextWrapper(
        WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    lines = wrapper.wrap(first)
    wrapper.initial_indent = "  "
    for line in more:
        lines += wrapper.wrap(line.strip())
    return "\n".join(lines)


def judge(exercise: Exercise, answer: Any) -> Verdict:
    """The verdict on one answer."""
    if is_blank(answer):
        return Verdict("blank", BLANK)
    judges: dict[str, Callable[[Exercise, Any], Verdict]] = {
        "value": judge_value, "function": judge_function, "puzzle": judge_puzzle,
    }  # fmt: skip
    return judges[exercise.kind](exercise, answer)


def right(exercise: Exercise) -> Verdict:
    return Verdict("right", " ".join(["right.", exercise.learned]).strip())


def wrong(problem: str, reason: str | None = None) -> Verdict:
    return Verdict("wrong", problem if reason is None else f"{problem}\n  {reason}")


# --- values ------------------------------------------------------------------------------------


def computed(value: Any) -> Any:
    return value() if callable(value) else value


def judge_value(exercise: Exercise, answer: Any) -> Verdict:
    needed = computed(exercise.solution)
    problem = difference(answer, needed, exercise.tolerance)
    if problem is None:
        return dtype_verdict(exercise, answer) or right(exercise)
    for mistake in exercise.mistakes:
        if agrees(answer, computed(mistake.wrong_answer), exercise.tolerance):
            return wrong(problem, mistake.words)
    return wrong(problem, suspicion(answer, needed))


def dtype_verdict(exercise: Exercise, answer: Any) -> Verdict | None:
    """A verdict if the answer does not have the dtype that the exercise asks for, else None."""
    array = array_of(answer)
    if exercise.dtype is None or array is None or array.dtype.name == exercise.dtype:
        return None
    return wrong(f"the dtype {exercise.dtype} is needed; yours is {array.dtype.name}.")


# --- functions, on random arguments ------------------------------------------------------------


def judge_function(exercise: Exercise, answer: Any) -> Verdict:
    if not callable(answer):
        return wrong(
            f"a function is needed, not {brief(answer)}: leave the call's parentheses out?"
        )
    if has_dots(answer):
        return Verdict("blank", BLANK)
    argument_sets = exercise.random_arguments()
    needed = [outcome(exercise, exercise.solution, arguments) for arguments in argument_sets]
    results = []
    for arguments in argument_sets:
        try:
            results.append(outcome(exercise, answer, arguments))
        except Exception as error:
            return judge_error(exercise, argument_sets, error)
    for result, right_result in zip(results, needed):
        if is_blank(result) or (result is None and right_result is not None):
            return Verdict("blank", BLANK)
    for arguments, result, right_result in zip(argument_sets, results, needed):
        problem = difference(result, right_result, exercise.tolerance)
        if problem is not None:
            reason = reason_for(exercise, argument_sets, results, needed)
            return wrong(f"called with {brief_arguments(arguments)}: {problem}", reason)
    if (verdict := dtype_verdict(exercise, results[0])) is not None:
        return verdict
    if exercise.derivative:
        return judge_gradients(exercise, answer, argument_sets)
    return right(exercise)


def outcome(exercise: Exercise, function: Callable, arguments: Sequence[Any]) -> Any:
    """What the exercise compares: the function's result, or what `observe` returns for it."""
    copies = [a.detach().clone() if hasattr(a, "detach") else a for a in arguments]
    if exercise.observe is not None:
        return exercise.observe(function, *copies)
    return function(*copies)


def judge_error(exercise: Exercise, argument_sets: list, error: Exception) -> Verdict:
    """The verdict on an answer that raised an error; some mistakes raise one of their own."""
    text = " ".join(str(error).split())
    if "ellipsis" in text.lower():
        return Verdict("blank", BLANK)
    problem = RAISED.format(kind=type(error).__name__, error=text)
    for mistake in exercise.mistakes:
        try:
            for arguments in argument_sets:
                outcome(exercise, mistake.wrong_answer, arguments)
        except Exception as wrong_error:
            if type(wrong_error) is type(error) and " ".join(str(wrong_error).split()) == text:
                return wrong(problem, mistake.words)
    return wrong(problem)


def reason_for(exercise: Exercise, argument_sets: list, results: list, needed: list) -> str | None:
    """The explanation of the mistake that gives the same results for all arguments, or None."""
    for mistake in exercise.mistakes:
        if explains(exercise, mistake.wrong_answer, argument_sets, results):
            return mistake.words
    if len(exercise.terms) > 1 and any(
        explains(exercise, gradient_of(term), argument_sets, results) for term in exercise.terms
    ):
        return OVERWRITTEN
    guesses = [suspicion(g, n, lengths(a)) for a, g, n in zip(argument_sets, results, needed)]
    return guesses[0] if len(set(guesses)) == 1 else None


def explains(
    exercise: Exercise, wrong_answer: Callable, argument_sets: list, results: list
) -> bool:
    """Whether a wrong answer gives these results for these arguments."""
    try:
        wrong_results = [outcome(exercise, wrong_answer, arguments) for arguments in argument_sets]
    except Exception:
        return False
    pairs = zip(results, wrong_results)
    return all(agrees(result, expected, exercise.tolerance) for result, expected in pairs)


def gradient_of(term: Callable) -> Callable:
    def gradient(w: Any, *rest: Any) -> Any:
        leaf = w.detach().requires_grad_()
        return nnlib.autograd.grad(term(leaf, *rest), [leaf])[0]

    return gradient


def lengths(arguments: Sequence[Any]) -> set[int]:
    """The lengths of all dimensions of the arguments, and the numbers of their entries."""
    sizes: set[int] = set()
    for argument in arguments:
        array = array_of(argument)
        sizes |= {*array.shape, array.size} if array is not None else set()
    return sizes


def brief_arguments(arguments: Sequence[Any]) -> str:
    """The arguments, short enough for a message."""
    return ", ".join(map(brief_argument, arguments))


def brief_argument(argument: Any) -> str:
    if callable(argument):
        return "a function"
    array = None if isinstance(argument, tuple) else array_of(argument)
    if array is None:
        return brief(argument)
    return f"{float(array):.3g}" if array.ndim == 0 else f"an array of shape {array.shape}"


# --- gradients of the answer, against nnlib's and against finite differences --------------------


def judge_gradients(exercise: Exercise, answer: Callable, argument_sets: list) -> Verdict:
    for arguments in argument_sets:
        leaves = [i for i, a in enumerate(arguments) if hasattr(a, "detach")]
        needed = gradients_of(exercise.solution, arguments, leaves)
        try:
            gradients = gradients_of(answer, arguments, leaves)
        except Exception as error:  # such as .numpy() of a tensor that requires grad
            return wrong(NO_GRADIENT, " ".join(str(error).split()))
        if gradients is None:
            return wrong(NO_GRADIENT)
        assert needed is not None
        for position, i in enumerate(leaves):
            problem = difference(gradients[position], needed[position], 1e-5)
            if problem is not None:
                reason = suspicion(gradients[position], needed[position], lengths(arguments))
                return wrong(
                    f"the values are right, the gradient for argument {i + 1} is not: {problem}",
                    reason,
                )
            differences = finite_differences(answer, arguments, i)
            problem = difference(gradients[position], differences, 1e-4)
            if problem is not None:
                return wrong(f"the gradient disagrees with finite differences: {problem}")
    return right(exercise)


def gradients_of(function: Callable, arguments: Sequence[Any], leaves: list[int]) -> list | None:
    """The gradients of the result's sum with respect to the arguments number `leaves`.

    None if the result is not connected to them, so that no gradient flows.
    """
    copies = list(arguments)
    for i in leaves:
        copies[i] = arguments[i].detach().clone().requires_grad_()
    result = function(*copies)
    if not getattr(result, "requires_grad", False):
        return None
    inputs = [copies[i] for i in leaves]
    grads = nnlib.autograd.grad(result.sum(), inputs, allow_unused=True)
    return [nnlib.zeros_like(a) if g is None else g for a, g in zip(inputs, grads)]


def finite_differences(function: Callable, arguments: Sequence[Any], position: int) -> np.ndarray:
    """Central differences of the result's sum with respect to the argument at a position."""
    base = np.array(array_of(arguments[position]), float)
    gradient = np.zeros_like(base)

    def total(point: np.ndarray) -> float:
        copies = list(arguments)
        copies[position] = nnlib.tensor(point)
        result = array_of(function(*copies))
        return float("nan") if result is None else float(result.sum())

    for index in np.ndindex(base.shape):
        above, below = base.copy(), base.copy()
        above[index] += STEP
        below[index] -= STEP
        gradient[index] = (total(above) - total(below)) / (2 * STEP)
    return gradient


# --- puzzles -----------------------------------------------------------------------------------


def judge_puzzle(exercise: Exercise, answer: Any) -> Verdict:
    assert exercise.problem is not None
    if callable(answer) and has_dots(answer) and not exercise.stepwise:
        return Verdict("blank", BLANK)
    try:
        problem = exercise.problem(answer)
    except Exception as error:
        text = " ".join(str(error).split())
        if "ellipsis" in text.lower():
            return Verdict("blank", BLANK)
        return wrong(RAISED.format(kind=type(error).__name__, error=text))
    if problem == BLANK:
        return Verdict("blank", BLANK)
    return right(exercise) if problem is None else wrong(problem)
