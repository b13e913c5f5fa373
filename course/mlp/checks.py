"""Exercises of the chapter on perceptrons: softmax, its loss, dropout, mixed pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.kit.exercises import function, gradient, mistake


def classes(rng: np.random.Generator, n: int, k: int) -> np.ndarray:
    """n class numbers below k, at least two of them different."""
    return rng.permutation(np.arange(n) % k)


def scores(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(7, 4)) * 2, classes(rng, 7, 4)


# --- how many are right ---------------------------------------------------------------------------

right = function(
    "accuracy",
    like=lambda z, y: (z.argmax(1) == nnlib.tensor(y)).double().mean(),
    given=scores,
    stars=1,
    mistakes=[
        mistake(
            "You count the right ones; a share is between 0 and 1.",
            lambda z, y: (z.argmax(1) == nnlib.tensor(y)).sum(),
        ),
        mistake(
            "This is the share of mistakes.",
            lambda z, y: (z.argmax(1) != nnlib.tensor(y)).double().mean(),
        ),
        mistake(
            "argmax(0) asks for each class which image has the largest logit; "
            "an image's logits are a row.",
            lambda z, y: (z.argmax(0) == nnlib.tensor(y[: z.shape[1]])).double().mean(),
        ),
        mistake(
            "That is how probable the right classes were on the average. Count decisions.",
            lambda z, y: z.softmax(1)[nnlib.arange(len(y)), nnlib.tensor(y)].mean(),
        ),
    ],
    learned="No softmax is needed to decide: it keeps the order of the logits.",
)

# --- softmax, for any logits ----------------------------------------------------------------------


def large(rng: np.random.Generator) -> tuple[np.ndarray]:
    z = rng.normal(size=(3, 5)) * 3
    z[1] += 2000
    return (z,)


def naive(z: Any) -> Any:
    return z.exp() / z.exp().sum(1, keepdim=True)


softmax = function(
    "softmax",
    like=lambda z: nnlib.softmax(z, 1),
    given=large,
    stars=1,
    mistakes=[
        mistake(
            "One of the rows has logits near 2,000, and exp(2000) is no number that fits. "
            "What may you subtract without changing the result?",
            lambda z: naive(z),
        ),
        mistake(
            "The columns add up to 1 here; the rows should: sum over dim 1, with keepdim.",
            lambda z: nnlib.softmax(z, 0),
        ),
        mistake(
            "The maximum of the whole table is subtracted: rows far below it become 0 / 0. "
            "Each row needs its own.",
            lambda z: naive(z - z.max()),
        ),
        mistake(
            "These are the logarithms of the probabilities.",
            lambda z: nnlib.log_softmax(z, 1),
        ),
    ],
    learned="Only differences of logits matter, so the largest may always be 0.",
)

# --- the loss from logits -------------------------------------------------------------------------


def far_apart(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    z = rng.normal(size=(6, 4)) * 2
    z[2, 1] += 1500
    return z, classes(rng, 6, 4)


def pick(z: Any, y: Any) -> Any:
    return z[nnlib.arange(len(y)), nnlib.tensor(y)]


loss = function(
    "cross-entropy",
    like=lambda z, y: F.cross_entropy(z, nnlib.tensor(y)),
    given=far_apart,
    stars=2,
    derivative=True,
    mistakes=[
        mistake(
            "A logit of 1,500 breaks it: the softmax rounds to 0 and its logarithm is −∞. "
            "Take the logarithm by hand first: log Σ exp z − z of the class.",
            lambda z, y: -pick(nnlib.softmax(z, 1), y).log().mean(),
        ),
        mistake(
            "exp(1500) overflows: subtract each row's maximum before, add it again after.",
            lambda z, y: (z.exp().sum(1).log() - pick(z, y)).mean(),
        ),
        mistake(
            "After the logarithm the maximum has to be added again.",
            lambda z, y: ((z - z.amax(1, keepdim=True)).exp().sum(1).log() - pick(z, y)).mean(),
        ),
        mistake(
            "This is the sum over the images; the loss is their mean.",
            lambda z, y: F.cross_entropy(z, nnlib.tensor(y), reduction="sum"),
        ),
    ],
    learned="Every library's cross_entropy takes logits, for this reason.",
)

# --- its gradient ---------------------------------------------------------------------------------

slope = gradient(
    "gradient",
    of=lambda z, y: F.cross_entropy(z, nnlib.tensor(y)),
    given=scores,
    stars=2,
    mistakes=[
        mistake(
            "The loss is a mean over the images, so its gradient has a 1/n.",
            lambda z, y: z.softmax(1) - F.one_hot(nnlib.tensor(y), z.shape[1]).double(),
        ),
        mistake(
            "These are the probabilities alone: subtract 1 at each image's class.",
            lambda z, y: z.softmax(1) / len(y),
        ),
        mistake(
            "The logits stand where their probabilities belong.",
            lambda z, y: (z - F.one_hot(nnlib.tensor(y), z.shape[1]).double()) / len(y),
        ),
    ],
    learned="Prediction minus target, as for one sigmoid: for each class on its own.",
)

# --- dropout --------------------------------------------------------------------------------------


def mask(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    return rng.normal(size=(4, 6)), rng.random((4, 6)), float(rng.choice([0.2, 0.4, 0.7]))


dropout = function(
    "dropout",
    like=lambda a, u, p: a * (u >= p).double() / (1 - p),
    given=mask,
    stars=2,
    mistakes=[
        mistake(
            "Fewer neurons speak now, and the next layer hears a smaller sum than it will later: "
            "scale what is kept by 1/(1 − p).",
            lambda a, u, p: a * (u >= p).double(),
        ),
        mistake(
            "p is the share that is dropped; you keep that share.",
            lambda a, u, p: a * (u < p).double() / p,
        ),
        mistake(
            "The factor is turned over: what is kept has to grow.",
            lambda a, u, p: a * (u >= p).double() * (1 - p),
        ),
        mistake(
            "You divide by p, the share that went; what remains is 1 − p.",
            lambda a, u, p: a * (u >= p).double() / p,
        ),
    ],
    learned="The mean of what the next layer hears stays the same, so nothing changes at the exam.",
)

# --- the same network for mixed pixels ------------------------------------------------------------


def layer(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    order = rng.permutation(6)
    while (order == np.argsort(order)).all():  # its own inverse would hide a mistake
        order = rng.permutation(6)
    return rng.normal(size=(6, 6)), order


mixed = function(
    "mixed",
    like=lambda W, order: W[:, order],
    given=layer,
    stars=3,
    mistakes=[
        mistake(
            "This mixes the neurons, not their inputs: pixels are the columns of W.",
            lambda W, order: W[order],
        ),
        mistake(
            "This is the inverse order. New pixel k is old pixel order[k], and so is its weight.",
            lambda W, order: W[:, np.argsort(order)],
        ),
        mistake(
            "Unchanged weights meet other pixels now.",
            lambda W, order: W,
        ),
    ],
    learned="Any order of the pixels has its own weights with the same answers: the network is "
    "oblivious.",
)

EXERCISES = [right, softmax, loss, slope, dropout, mixed]
