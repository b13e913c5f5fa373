"""Exercises of the chapter on the sigmoid."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.kit.exercises import function, mistake


def number(rng: np.random.Generator, low: float = 0.3, high: float = 3.0) -> float:
    """A number of either sign, away from 0."""
    return float(rng.uniform(low, high) * rng.choice([-1, 1]))


def chances(rng: np.random.Generator) -> list[Any]:
    return [rng.uniform(0.05, 0.95, 4)]


def scores(rng: np.random.Generator) -> list[Any]:
    shift = rng.choice([0.0, 2000.0])
    return [rng.normal(0, 2, 3) + shift, rng.normal(0, 2, 3) + shift]


def logits(rng: np.random.Generator) -> list[Any]:
    return [np.append(rng.normal(0, 4, 3), [1000.0, -1000.0])]


def first_of_two(a: Any, b: Any) -> Any:
    return nnlib.sigmoid(a - b)


def bare_exponentials(a: Any, b: Any) -> Any:
    with np.errstate(all="ignore"):
        return a.exp() / (a.exp() + b.exp())


def log_of_sigmoid(z: Any) -> Any:
    with np.errstate(all="ignore"):
        return nnlib.sigmoid(z).log()


EXERCISES = [
    function(
        "crossing",
        lambda w0, w: -w0 / w,
        lambda rng: [number(rng), number(rng)],
        stars=1,
        mistakes=[
            mistake("Solve w₀ + w x = 0 for x: w₀ changes its sign.", lambda w0, w: w0 / w),
            mistake("You divide by w₀; it is w that multiplies x.", lambda w0, w: -w / w0),
            mistake("w₀ alone is no place on the x axis: divide by w.", lambda w0, w: -w0),
        ],
        learned="σ(z) is ½ where z is 0.",
    ),
    function(
        "slope",
        lambda p: p * (1 - p),
        chances,
        stars=1,
        mistakes=[
            mistake(
                "p is σ(z) already; you take its sigmoid once more.",
                lambda p: nnlib.sigmoid(p) * (1 - nnlib.sigmoid(p)),
            ),
            mistake(
                "That is σ(1 + σ): the tails must be flat, so it is 1 − p.", lambda p: p * (1 + p)
            ),
            mistake("That is p(1 − p) at p = ½ alone.", lambda p: 0 * p + 0.25),
        ],
        learned="The slope needs p alone: that makes the derivative cheap.",
    ),
    function(
        "weights",
        lambda crossing, slope: (-4 * slope * crossing, 4 * slope),
        lambda rng: [number(rng), number(rng)],
        stars=2,
        mistakes=[
            mistake("The slope at ½ is w/4, not w.", lambda c, s: (-s * c, s)),
            mistake(
                "The slope is w/4, so w is 4 times the slope.", lambda c, s: (-s / 4 * c, s / 4)
            ),
            mistake(
                "w₀ + w x must be 0 at the crossing: turn w₀'s sign.",
                lambda c, s: (4 * s * c, 4 * s),
            ),
            mistake("w₀ is no place: it is −w times the crossing.", lambda c, s: (-c, 4 * s)),
            mistake("The order is w₀, w.", lambda c, s: (4 * s, -4 * s * c)),
        ],
    ),
    function(
        "logit",
        lambda p: nnlib.log(p / (1 - p)),
        chances,
        stars=2,
        derivative=True,
        mistakes=[
            mistake(
                "log p compares p with 1; the odds compare it with 1 − p.", lambda p: nnlib.log(p)
            ),
            mistake("These are the odds; their logarithm is asked for.", lambda p: p / (1 - p)),
            mistake(
                "The odds are upside down: p belongs on top.", lambda p: nnlib.log((1 - p) / p)
            ),
            mistake("That is a logarithm to the base 10.", lambda p: nnlib.log10(p / (1 - p))),
        ],
        learned="Sigmoid and logit undo each other.",
    ),
    function(
        "two-scores",
        first_of_two,
        scores,
        stars=2,
        mistakes=[
            mistake("The second score counts as well.", lambda a, b: nnlib.sigmoid(a)),
            mistake("That is the second one's probability.", lambda a, b: nnlib.sigmoid(b - a)),
            mistake(
                "Right for small scores, but e²⁰⁰⁰ overflows. Divide above and below by e^a.",
                bare_exponentials,
            ),
            mistake("Scores may be negative: exponentials first.", lambda a, b: a / (a + b)),
        ],
        learned="Only the difference of the scores matters. With more than two it is the softmax.",
    ),
    function(
        "log-sigmoid",
        lambda z: F.logsigmoid(z),
        logits,
        stars=3,
        derivative=True,
        mistakes=[
            mistake(
                "On the way σ(−1000) is rounded to 0, or e¹⁰⁰⁰ grows to ∞. Take the logarithm on "
                "paper first, and z out of it where z < 0.",
                log_of_sigmoid,
            ),
            mistake(
                "log σ(z) is at most 0: check the sign of log1p.",
                lambda z: nnlib.minimum(z, nnlib.zeros_like(z)) + nnlib.log1p((-z.abs()).exp()),
            ),
        ],
        learned="This is the form that losses are computed in.",
    ),
]
