"""Exercises of the chapter on language models: perplexity, top-k, pairs, counting, a leak."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
from course.kit.exercises import function, mistake, puzzle, value

# --- perplexity by hand -------------------------------------------------------------------------

perplexity = value(
    "perplexity",
    like=8.0,
    stars=1,
    mistakes=[
        mistake("This is the mean surprise in units of ln 2: perplexity is 2 to that power.", 3.0),
        mistake("This is the mean surprise in nats; perplexity is its exponential.", 3 * np.log(2)),
        mistake(
            "This is one over the mean probability. Take the mean of the surprises, not of the "
            "probabilities.",
            1 / np.mean([1 / 16, 1 / 8, 1 / 32, 1 / 2, 1 / 4]),
        ),
        mistake("This belongs to the sum of the surprises: divide it by their number.", 2.0**15),
        mistake(
            "This is the mean of 1/p. Perplexity is their geometric mean: take logarithms first.",
            float(np.mean([16, 8, 32, 2, 4])),
        ),
    ],
    learned="Mean of the exponents, then back: a geometric mean of 1/p.",
)

# --- top-k ----------------------------------------------------------------------------------------


def top_k(logits: Any, k: int) -> Any:
    least = logits.topk(k).values[-1]
    return nnlib.where(logits >= least, logits, -1e9).softmax(-1)


top = function(
    "top-k",
    like=top_k,
    given=lambda rng: (rng.normal(size=8), int(rng.integers(2, 6))),
    stars=2,
    mistakes=[
        mistake(
            "The others are zero, but those that are left do not add up to 1 yet.",
            lambda logits, k: nnlib.where(
                logits >= logits.topk(k).values[-1], logits.softmax(-1), 0.0
            ),
        ),
        mistake(
            "Here one word too few is left: the k-th itself is allowed.",
            lambda logits, k: nnlib.where(logits > logits.topk(k).values[-1], logits, -1e9).softmax(
                -1
            ),
        ),
        mistake(
            "A logit of 0 does not forbid a word: its exponential is 1. Use −1e9.",
            lambda logits, k: nnlib.where(logits >= logits.topk(k).values[-1], logits, 0.0).softmax(
                -1
            ),
        ),
        mistake("This leaves all words in the game.", lambda logits, k: logits.softmax(-1)),
        mistake(
            "This is greedy: only the best word is left, whatever k is.",
            lambda logits, k: nnlib.where(logits >= logits.max(), logits, -1e9).softmax(-1),
        ),
    ],
    learned="A mask once more: forbid by −∞ before the softmax, and it divides by the right sum.",
)

# --- a bigram model -------------------------------------------------------------------------------


def given_counts(rng: np.random.Generator) -> tuple[Any, ...]:
    single = rng.dirichlet(np.ones(5))
    return rng.integers(0, 9, size=(5, 5)).astype(float), single, float(rng.integers(5, 60))


def smoothed(pair: Any, single: Any, extra: Any) -> Any:
    return (pair + extra * single) / (pair.sum(1, keepdim=True) + extra)


bigram = function(
    "bigram",
    like=smoothed,
    given=given_counts,
    stars=2,
    mistakes=[
        mistake(
            "The rows do not add up to 1: the extra words count in the denominator, too.",
            lambda pair, single, extra: (pair + extra * single) / pair.sum(1, keepdim=True),
        ),
        mistake(
            "Divide by the sum of each row, not of each column: the row is the word before.",
            lambda pair, single, extra: (
                (pair + extra * single) / (pair.sum(0, keepdim=True) + extra)
            ),
        ),
        mistake(
            "Without keepdim the sums lie along the wrong dimension.",
            lambda pair, single, extra: (pair + extra * single) / (pair.sum(1) + extra),
        ),
        mistake(
            "The extra words follow the single probabilities; here each word gets the same share.",
            lambda pair, single, extra: (
                (pair + extra / len(single)) / (pair.sum(1, keepdim=True) + extra)
            ),
        ),
        mistake(
            "These are the plain counts: what was never seen still has probability 0.",
            lambda pair, single, extra: pair / pair.sum(1, keepdim=True),
        ),
    ],
    learned="A rare word leans on the single counts, a frequent one on its own pairs.",
)  # fmt: skip

# --- how many parameters? -------------------------------------------------------------------------


def block(size: int, wide: int) -> int:
    return 4 * size * size + 2 * size * wide + wide + size + 4 * size


count = function(
    "count",
    like=block,
    given=lambda rng: tuple(int(n) for n in rng.integers(5, 60, 2)),
    stars=1,
    mistakes=[
        mistake("`out` is missing: four matrices, not three.",
                lambda size, wide: block(size, wide) - size * size),
        mistake("The two linear layers have biases: wide numbers and size numbers.",
                lambda size, wide: block(size, wide) - wide - size),
        mistake("There are two normalisations, with two vectors each.",
                lambda size, wide: block(size, wide) - 2 * size),
        mistake("The normalisations have parameters, too.",
                lambda size, wide: block(size, wide) - 4 * size),
        mistake("The heads' matrices have no biases here.",
                lambda size, wide: block(size, wide) + 4 * size),
    ],
    learned="The heads share out the same matrices: their number costs nothing.",
)  # fmt: skip

# --- too good to be true --------------------------------------------------------------------------

LINES = {1, 2, 4}


def problem(answer: Any) -> str | None:
    """What is wrong with a set of line numbers; None if it is the right one."""
    if not isinstance(answer, (set, frozenset, list, tuple)):
        return "Give a set of line numbers, such as {1, 4}."
    chosen = set(answer)
    if 3 in chosen:
        return "Line 3 only scales the logits: a model that does not know the answer still errs."
    if 5 in chosen:
        return "With a step size of 0 nothing is learned; the perplexity stays near 1,002."
    if 1 not in chosen:
        return "Look at line 1 again: which word does each position have to predict?"
    if 2 not in chosen:
        return "Look at line 2 again: triu(2) leaves a diagonal above the main one open."
    if 4 not in chosen:
        return "Look at line 4 again: which side of the diagonal is the future?"
    return None if chosen == LINES else "The lines are numbered 1 to 5."


bug = puzzle(
    "bug",
    right=LINES,
    problem=problem,
    stars=2,
    mistakes=[
        mistake("Look at line 2 again: triu(2) leaves a diagonal above the main one open.", {1, 4}),
        mistake("Look at line 4 again: which side of the diagonal is the future?", {1, 2}),
        mistake("Look at line 1 again: which word does each position have to predict?", {2, 4}),
        mistake(
            "Line 3 only scales the logits: a model that does not know the answer still errs.",
            {1, 2, 3, 4},
        ),
        mistake("With a step size of 0 nothing is learned; the perplexity stays near 1,002.",
                {1, 2, 4, 5}),
    ],
    learned="A loss that is too good is a bug until shown otherwise: look for the leak.",
)  # fmt: skip

EXERCISES = [perplexity, top, bigram, count, bug]
