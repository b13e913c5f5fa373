"""Exercises of the chapter on the sigmoid."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.kit.exercises import function, mistake, value


def number(rng: np.random.Generator, low: float = 0.3, high: float = 3.0) -> float:
    """A number of either sign, away from 0."""
    return float(rng.uniform(low, high) * rng.choice([-1, 1]))


def scores(rng: np.random.Generator) -> list[Any]:
    shift = rng.choice([0.0, 2000.0])
    return [rng.normal(0, 2, 3) + shift, rng.normal(0, 2, 3) + shift]


def logits(rng: np.random.Generator) -> list[Any]:
    return [np.append(rng.normal(0, 4, 3), [1000.0, -1000.0])]


def first_of_two(a: Any, b: Any) -> Any:
    return nnlib.sigmoid(a - b)


def combined(p: Any, q: Any) -> Any:
    """The probability whose odds are the product of the odds of p and q."""
    odds = p / (1 - p) * q / (1 - q)
    return odds / (1 + odds)


def bare_exponentials(a: Any, b: Any) -> Any:
    with np.errstate(all="ignore"):
        return a.exp() / (a.exp() + b.exp())


def log_of_sigmoid(z: Any) -> Any:
    with np.errstate(all="ignore"):
        return nnlib.sigmoid(z).log()


EXERCISES = [
    value(
        "readings",
        solution=(-4 * float(np.log(4)), float(np.log(4))),
        stars=1,
        tolerance=1e-3,
        mistakes=[
            mistake(
                "You drew the straight line through the probabilities 0.2 and 0.8. The line is "
                "straight in log-odds.",
                (-0.7, 0.3),
            ),
            mistake(
                "Halfway: w is right. The neuron crosses ½ in the middle, at x = 4, so w₀ = −4w.",
                (4 * float(np.log(4)), float(np.log(4))),
            ),
            mistake(
                "The log-odds rise by 2 log 4 over 2 units of x: divide by 2.",
                (-8 * float(np.log(4)), 2 * float(np.log(4))),
            ),
            mistake(
                "You took the odds 1/4 and 4; take their logarithms.",
                (-5.375, 1.875),
            ),
            mistake(
                "That is a logarithm to the base 10.",
                (-4 * float(np.log10(4)), float(np.log10(4))),
            ),
        ],
        learned="Two probabilities determine a neuron: in log-odds they are two points of a line.",
    ),
    function(
        "twice",
        lambda x, w0, w: nnlib.sigmoid(w0 + w * x),
        lambda rng: [rng.uniform(3, 6, 5), number(rng, 10, 30), number(rng)],
        stars=1,
        mistakes=[
            mistake(
                "The sigmoid is still applied twice, so nothing is below ½.",
                lambda x, w0, w: nnlib.sigmoid(nnlib.sigmoid(w0 + w * x)),
            ),
            mistake(
                "Halfway: nothing is applied twice, but now the result is not a probability. One "
                "sigmoid is needed.",
                lambda x, w0, w: w0 + w * x,
            ),
            mistake(
                "You stretch the range from ½ to 1 to the range from 0 to 1. The result is not the "
                "neuron's probability: remove the second sigmoid.",
                lambda x, w0, w: 2 * nnlib.sigmoid(nnlib.sigmoid(w0 + w * x)) - 1,
            ),
        ],
        learned="A probability goes through one sigmoid, not through two.",
    ),
    value(
        "rounds",
        solution=17,
        stars=2,
        mistakes=[
            mistake("That is the last z at which it is still below 1; give the next one.", 16),
            mistake(
                "You compute in 64 bits, which have twice as many digits: leave out .double().", 37
            ),
            mistake("At 89 the exponential overflows. σ(z) has been rounded to 1 long before.", 89),
        ],
        learned="With 32 bits, 1 − e⁻¹⁷ is rounded to 1, but e⁻¹⁷ is not rounded to 0.",
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
                "w₀ + w x must be 0 at the crossing: change the sign of w₀.",
                lambda c, s: (4 * s * c, 4 * s),
            ),
            mistake("w₀ is not a position: it is −w times the crossing.", lambda c, s: (-c, 4 * s)),
            mistake("The order is w₀, w.", lambda c, s: (4 * s, -4 * s * c)),
        ],
    ),
    function(
        "witnesses",
        combined,
        lambda rng: [rng.uniform(0.05, 0.95, 4), rng.uniform(0.05, 0.95, 4)],
        stars=2,
        derivative=True,
        mistakes=[
            mistake(
                "That is the mean. Two facts that both speak for a Gentoo make it more likely than "
                "either alone.",
                lambda p, q: (p + q) / 2,
            ),
            mistake(
                "That multiplies the probabilities, and two facts for a Gentoo would make it less "
                "likely. It is the odds that are multiplied.",
                lambda p, q: p * q,
            ),
            mistake(
                "Halfway: these are the odds. Turn them into a probability.",
                lambda p, q: p / (1 - p) * q / (1 - q),
            ),
            mistake(
                "You add the odds; their logarithms are added.",
                lambda p, q: (p / (1 - p) + q / (1 - q)) / (1 + p / (1 - p) + q / (1 - q)),
            ),
            mistake(
                "That is the probability that at least one of two things happens. Here both facts "
                "are about one bird.",
                lambda p, q: 1 - (1 - p) * (1 - q),
            ),
        ],
        learned="A neuron does this with all its inputs: it adds up log-odds.",
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
                "Right for small scores, but e²⁰⁰⁰ overflows. Divide numerator and denominator by "
                "e^a.",
                bare_exponentials,
            ),
            mistake("Scores may be negative: take exponentials first.", lambda a, b: a / (a + b)),
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
                "On the way σ(−1000) is rounded to 0, or e¹⁰⁰⁰ overflows to ∞. Simplify the "
                "logarithm on paper first, and take z out of it where z < 0.",
                log_of_sigmoid,
            ),
            mistake(
                "log σ(z) is at most 0: check the sign of log1p.",
                lambda z: nnlib.minimum(z, nnlib.zeros_like(z)) + nnlib.log1p((-z.abs()).exp()),
            ),
        ],
        learned="Losses are computed in this form.",
    ),
]
