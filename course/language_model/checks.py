"""Exercises of the chapter on language models: perplexity, top-k, triples, a head, a leak."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
from course.kit.exercises import function, mistake, puzzle, value
from course.networks import clauses

# --- perplexity by hand -------------------------------------------------------------------------

perplexity = value(
    "perplexity",
    solution=8.0,
    stars=1,
    mistakes=[
        mistake("This is the mean surprise in units of log 2: perplexity is 2 to that power.", 3.0),
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
    solution=top_k,
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
        mistake("This forbids no word at all.", lambda logits, k: logits.softmax(-1)),
        mistake(
            "This is greedy: only the best word is left, whatever k is.",
            lambda logits, k: nnlib.where(logits >= logits.max(), logits, -1e9).softmax(-1),
        ),
    ],
    learned="A mask once more: forbid by −∞ before the softmax, and it divides by the right sum.",
)

# --- three words --------------------------------------------------------------------------------


def given_counts(rng: np.random.Generator) -> tuple[Any, ...]:
    pairs = rng.dirichlet(np.ones(5), size=5)
    return rng.integers(0, 9, size=(5, 5, 5)).astype(float), pairs, float(rng.integers(5, 60))


def smoothed(triple: Any, pairs: Any, extra: Any) -> Any:
    return (triple + extra * pairs) / (triple.sum(2, keepdim=True) + extra)


trigram = function(
    "trigram",
    solution=smoothed,
    given=given_counts,
    stars=2,
    mistakes=[
        mistake(
            "The rows do not add up to 1: the extra words count in the denominator, too.",
            lambda triple, pairs, extra: (triple + extra * pairs) / triple.sum(2, keepdim=True),
        ),
        mistake(
            "The total of a beginning runs over the third word, the last dimension.",
            lambda triple, pairs, extra: (
                (triple + extra * pairs) / (triple.sum(1, keepdim=True) + extra)
            ),
        ),
        mistake(
            "Without keepdim the totals are along the wrong dimensions.",
            lambda triple, pairs, extra: (triple + extra * pairs) / (triple.sum(2) + extra),
        ),
        mistake(
            "The extra words should be distributed as after b; here they are as after a.",
            lambda triple, pairs, extra: (
                (triple + extra * pairs.unsqueeze(1)) / (triple.sum(2, keepdim=True) + extra)
            ),
        ),
        mistake(
            "These are the plain counts: a beginning that was not seen has no probabilities.",
            lambda triple, pairs, extra: triple / triple.sum(2, keepdim=True),
        ),
    ],
    learned="Each model falls back on the shorter one where it has seen too little.",
)  # fmt: skip

# --- intervene ----------------------------------------------------------------------------------


def without(block: int, head: int) -> Any:
    """The switches (blocks, heads) with one head off."""
    head_mask = nnlib.ones(2, 4)
    head_mask[block, head] = 0.0
    return head_mask


def surprise(model: Any, x: Any, word: int, head_mask: Any = None, position: int = -1) -> Any:
    return -model(x, head_mask)[0, position].log_softmax(-1)[word]


def effect(model: Any, x: Any, word: int, block: int, head: int) -> Any:
    return surprise(model, x, word, without(block, head)) - surprise(model, x, word)


def given_head(rng: np.random.Generator) -> tuple[Any, ...]:
    """The stored model, a clause's beginning, a word and a head."""
    x = nnlib.tensor([[clauses.END, *rng.integers(0, 200, size=4).tolist()]])
    return clauses.trained(), x, int(rng.integers(200)), int(rng.integers(2)), int(rng.integers(4))


def only(block: int, head: int) -> Any:
    return 1.0 - without(block, head)


intervene = function(
    "intervene",
    solution=effect,
    given=given_head,
    stars=2,
    tolerance=1e-3,
    mistakes=[
        mistake(
            "The sign is flipped: a rise is after minus before.",
            lambda model, x, word, block, head: -effect(model, x, word, block, head),
        ),
        mistake(
            "This is the change of the probability. Surprise is minus its logarithm.",
            lambda model, x, word, block, head: (
                (-surprise(model, x, word, without(block, head))).exp()
                - (-surprise(model, x, word)).exp()
            ),
        ),
        mistake(
            "Here only this head is left on. It should be the only one that is off.",
            lambda model, x, word, block, head: (
                surprise(model, x, word, only(block, head)) - surprise(model, x, word)
            ),
        ),
        mistake(
            "This is the word after the first position. The next word is predicted at the last.",
            lambda model, x, word, block, head: (
                surprise(model, x, word, without(block, head), position=0)
                - surprise(model, x, word, position=0)
            ),
        ),
        mistake(
            "This is the surprise without the head. Subtract what it was with all heads.",
            lambda model, x, word, block, head: surprise(model, x, word, without(block, head)),
        ),
        mistake(
            "These are logits. Only after a softmax is a number a probability.",
            lambda model, x, word, block, head: (
                model(x)[0, -1][word] - model(x, without(block, head))[0, -1][word]
            ),
        ),
    ],
    learned="One change, one measurement: that is how a map becomes an explanation.",
)

# --- how many parameters? -------------------------------------------------------------------------


def block(size: int, wide: int) -> int:
    return 4 * size * size + 2 * size * wide + wide + size + 4 * size


count = function(
    "count",
    solution=block,
    given=lambda rng: tuple(int(n) for n in rng.integers(5, 60, 2)),
    stars=1,
    mistakes=[
        mistake("`out` is missing: four matrices, not three.",
                lambda size, wide: block(size, wide) - size * size),
        mistake("The two linear layers have biases: `wide` and `size` parameters.",
                lambda size, wide: block(size, wide) - wide - size),
        mistake("There are two normalisations, with two vectors each.",
                lambda size, wide: block(size, wide) - 2 * size),
        mistake("The normalisations have parameters, too.",
                lambda size, wide: block(size, wide) - 4 * size),
        mistake("The heads' matrices have no biases here.",
                lambda size, wide: block(size, wide) + 4 * size),
    ],
    learned="The heads divide the same matrices among them: more heads cost nothing.",
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
    solution=LINES,
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

EXERCISES = [perplexity, top, trigram, count, intervene, bug]
