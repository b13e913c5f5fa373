"""Exercises of the last chapter: attention from its parts, its mask, its count, its blindness."""

from __future__ import annotations

import numpy as np

import nnlib
from course.kit.exercises import function, mistake

COLD = -1e9  # a score that the softmax turns into 0


def qk(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(5, 4)), rng.normal(size=(5, 4))


# --- how many numbers has a head? ---------------------------------------------------------------

count = function(
    "count",
    like=lambda size, key, value: size * (2 * key + value),
    given=lambda rng: tuple(int(n) for n in rng.integers(3, 40, 3)),
    stars=1,
    mistakes=[
        mistake(
            "Queries and keys have a table each.",
            lambda size, key, value: size * (key + value),
        ),
        mistake(
            "These tables have no biases: each product alone.",
            lambda size, key, value: (size + 1) * (2 * key + value),
        ),
        mistake(
            "Scores are computed, not learned: only the three tables count.",
            lambda size, key, value: size * (2 * key + value) + key * key,
        ),
    ],
    learned="The word's length does not enter: these weights are shared over all places too.",
)

# --- where does each letter look? ---------------------------------------------------------------

weights = function(
    "weights",
    like=lambda q, k: (q @ k.T / q.shape[-1] ** 0.5).softmax(-1),
    given=qk,
    stars=2,
    mistakes=[
        mistake(
            "Columns add up to 1 here; each row, a letter that looks, should: softmax(-1).",
            lambda q, k: (q @ k.T / q.shape[-1] ** 0.5).softmax(0),
        ),
        mistake(
            "The scores are not divided by the root of the vectors' length.",
            lambda q, k: (q @ k.T).softmax(-1),
        ),
        mistake(
            "Divide by the root of the length, not by the length.",
            lambda q, k: (q @ k.T / q.shape[-1]).softmax(-1),
        ),
        mistake(
            "Queries and keys are swapped: rows are the ones that look.",
            lambda q, k: (k @ q.T / q.shape[-1] ** 0.5).softmax(-1),
        ),
        mistake(
            "These are scores; the softmax turns them into weights.",
            lambda q, k: q @ k.T / q.shape[-1] ** 0.5,
        ),
    ],
    learned="A soft choice: every letter is looked at, a few in earnest.",
)

# --- what comes of it ---------------------------------------------------------------------------

mix = function(
    "mix",
    like=lambda A, v: A @ v,
    given=lambda rng: (rng.dirichlet(np.ones(4), size=4), rng.normal(size=(4, 4))),
    stars=1,
    mistakes=[
        mistake(
            "A is turned: row t holds the weights with which letter t looks.",
            lambda A, v: A.T @ v,
        ),
        mistake("This multiplies entry by entry; a weighted mean adds up too.", lambda A, v: A * v),
        mistake("The values stand on the right: their rows are mixed.", lambda A, v: v @ A),
    ],
    learned="Each letter's new vector is a mean of all values, weighted by where it looks.",
)

# --- not into the future ------------------------------------------------------------------------


def masked(scores: nnlib.Tensor, keep: np.ndarray) -> nnlib.Tensor:
    return nnlib.where(nnlib.tensor(keep), scores, COLD).softmax(-1)


LOWER = np.tril(np.ones((5, 5), bool))

causal = function(
    "causal",
    like=lambda scores: masked(scores, LOWER),
    given=lambda rng: (rng.normal(size=(5, 5)),),
    stars=2,
    mistakes=[
        mistake(
            "This looks into the future only; keep the columns up to the row's own.",
            lambda scores: masked(scores, LOWER.T),
        ),
        mistake(
            "A letter may look at itself: keep the diagonal.",
            lambda scores: masked(scores, np.tril(np.ones((5, 5), bool), -1)),
        ),
        mistake(
            "Cut after the softmax, the rows no longer add up to 1. Mask the scores.",
            lambda scores: scores.softmax(-1).tril(),
        ),
        mistake(
            "A score of 0 still gets a weight, e⁰ = 1 before dividing. It takes −∞ (or −10⁹).",
            lambda scores: scores.tril().softmax(-1),
        ),
        mistake("Nothing is masked.", lambda scores: scores.softmax(-1)),
    ],
    learned="With this mask a network can learn to write: no letter sees what it has to guess.",
)

# --- blind to order -----------------------------------------------------------------------------

shuffle = function(
    "shuffle",
    like=lambda A, order: A[order][:, order],
    given=lambda rng: (rng.dirichlet(np.ones(5), size=5), rng.permutation(5)),
    stars=3,
    mistakes=[
        mistake(
            "Those who look have moved; those who are looked at have moved too: columns.",
            lambda A, order: A[order],
        ),
        mistake(
            "Those who are looked at have moved; those who look have moved too: rows.",
            lambda A, order: A[:, order],
        ),
        mistake("The letters have moved, and their weights with them.", lambda A, order: A),
    ],
    learned="The weights move along with the letters, so a mean over the word stays what it was.",
)

EXERCISES = [count, mix, weights, causal, shuffle]
