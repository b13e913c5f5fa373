"""The kinds of exercises, and the list of each chapter's exercises.

`course/<chapter>/checks.py` lists a chapter's exercises; `course.check` reads them.

An exercise has a right answer to compare with, and *wrong answers*, each of which a reader with one
particular misconception would give. An answer that behaves like one of these gets its explanation.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import nnlib

Sampler = Callable[[np.random.Generator], Sequence[Any]]


@dataclass(frozen=True)
class Mistake:
    """A misconception: an answer that makes the mistake, and its explanation (`words`)."""

    words: str
    wrong_answer: Any


def mistake(words: str, wrong_answer: Any) -> Mistake:
    """A Mistake; `wrong_answer` is an answer of the kind that the exercise asks for."""
    return Mistake(words, wrong_answer)


@dataclass(frozen=True)
class Exercise:
    """One exercise; `kind` decides how answers are judged: see value, function, puzzle."""

    short: str
    kind: str
    solution: Any
    stars: int = 1
    given: Sampler | None = None
    observe: Callable[..., Any] | None = None
    problem: Callable[[Any], str | None] | None = None
    mistakes: Sequence[Mistake] = ()
    tolerance: float = 1e-6
    derivative: bool = False
    stepwise: bool = False  # a puzzle that judges an answer whose later lines are still dots
    dtype: str | None = None
    terms: Sequence[Callable] = ()
    learned: str = ""
    chapter: str = field(default="", compare=False)

    @property
    def name(self) -> str:
        return f"{self.chapter}/{self.short}"

    @property
    def points(self) -> float:
        """What a right answer counts in a graded assignment: each star is a point."""
        return float(self.stars)

    def random_arguments(self, times: int = 5) -> list[list[Any]]:
        """Random arguments to call answers with, the same in each run; float arrays as tensors."""
        rng = np.random.default_rng(zlib.crc32(self.short.encode()))
        assert self.given is not None
        return [[as_argument(a) for a in self.given(rng)] for _ in range(times)]


def as_argument(value: Any) -> Any:
    """A float array as a tensor; anything else as it is."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return nnlib.tensor(value)
    return value


def value(short: str, solution: Any, **more: Any) -> Exercise:
    """An exercise that asks for a number, tensor, array, string, or a tuple, list or dict of these.

    `solution` is the value, or a function without arguments that computes it (so importing a
    chapter's checks stays quick); so may wrong answers. `dtype="float32"` also asks for that dtype.
    """
    return Exercise(short, "value", solution, **more)


def function(short: str, solution: Callable, given: Sampler, **more: Any) -> Exercise:
    """An exercise that asks for a function that does what `solution` does.

    They are compared on arguments `given(rng)`.
    `derivative=True` also compares the gradients with respect to every tensor argument, and
    requires that they agree with finite differences. If `observe` is given, its result
    `observe(function, *arguments)` is compared instead of `function(*arguments)`: the weights after
    ten steps, for example, or a module's output.
    """
    return Exercise(short, "function", solution, given=given, **more)


def gradient(
    short: str, of: Callable | Sequence[Callable], given: Sampler, **more: Any
) -> Exercise:
    """An exercise that asks for the gradient of `of` with respect to its first argument.

    The right answer is nnlib's gradient. If `of` is a list of functions, their sum is meant; for an
    answer with the gradient of only one of them, the check explains that terms must be added.
    """
    terms = list(of) if isinstance(of, Sequence) else [of]

    def solution(w: Any, *rest: Any) -> Any:
        w = nnlib.tensor(w).detach().requires_grad_() if not hasattr(w, "detach") else w
        leaf = w.detach().requires_grad_()
        total = terms[0](leaf, *rest)
        for term in terms[1:]:
            total = total + term(leaf, *rest)
        return nnlib.autograd.grad(total, [leaf])[0]

    return Exercise(short, "function", solution, given=given, terms=terms, **more)


def puzzle(
    short: str, solution: Any, problem: Callable[[Any], str | None], **more: Any
) -> Exercise:
    """An exercise that accepts any solution; `problem(answer)` returns what is wrong, or None.

    `solution` is one of them; a wrong answer is one for which `problem` returns its explanation.
    """
    return Exercise(short, "puzzle", solution, problem=problem, **more)


def module_of(chapter: str) -> str:
    return f"course.{chapter.replace('-', '_')}.checks"


def exercises_of(chapter: str) -> list[Exercise]:
    """The chapter's exercises, in the order in which its checks list them."""
    try:
        module = importlib.import_module(module_of(chapter))
    except ModuleNotFoundError as error:
        if error.name not in (module_of(chapter), module_of(chapter).removesuffix(".checks")):
            raise
        raise ValueError(f"there is no chapter {chapter!r} with exercises") from None
    listed: list[Exercise] = module.EXERCISES
    for e in listed:
        object.__setattr__(e, "chapter", chapter)
    return listed


def find(name: str) -> Exercise:
    """The exercise called `chapter/short`.

    Raises:
        ValueError: no such chapter or exercise; the message lists the chapter's exercises.
    """
    chapter, slash, short = name.partition("/")
    if not slash:
        raise ValueError(f"check: {name!r} needs the form 'chapter/exercise'")
    by_name = {e.short: e for e in exercises_of(chapter)}
    if short not in by_name:
        raise ValueError(f"check: {chapter} has no exercise {short!r}; it has {', '.join(by_name)}")
    return by_name[short]
