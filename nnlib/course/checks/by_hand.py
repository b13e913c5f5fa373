"""Exercises of the appendix by hand: one line, another activation or loss, a shortcut, a layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlib.course.exercises import function, mistake


def slope(a: Any) -> Any:
    """The logistic's slope where it gives out a."""
    return a * (1 - a)


def scalars(rng: np.random.Generator, count: int) -> list[np.ndarray]:
    return [np.array(v) for v in rng.uniform(0.1, 0.9, size=count)]


# --- one line ------------------------------------------------------------------------------------

line = function(
    "line",
    like=lambda d5, w45, a4, x2: d5 * w45 * slope(a4) * x2,
    given=lambda rng: tuple(scalars(rng, 4)),
    mistakes=[
        mistake(
            "Neuron 4's own slope a₄(1 − a₄) is missing.",
            lambda d5, w45, a4, x2: d5 * w45 * x2,
        ),
        mistake(
            "This is dLoss/din₄. The weight multiplies x₂, so x₂ is a factor.",
            lambda d5, w45, a4, x2: d5 * w45 * slope(a4),
        ),
        mistake(
            "The error comes from neuron 5 through w₄₅: that factor is missing.",
            lambda d5, w45, a4, x2: d5 * slope(a4) * x2,
        ),
        mistake(
            "This is dLoss/dw₄₅: what came in at that edge is a₄. Here it is x₂.",
            lambda d5, w45, a4, x2: d5 * a4,
        ),
    ],
    learned="Four factors: error, weight, slope, input.",
)

# --- tanh in the hidden layer --------------------------------------------------------------------

bend = function(
    "bend",
    like=lambda d5, w35, a3: d5 * w35 * (1 - a3**2),
    given=lambda rng: tuple(scalars(rng, 3)),
    stars=2,
    mistakes=[
        mistake(
            "a(1 − a) is the logistic's slope. The slope of tanh is another one.",
            lambda d5, w35, a3: d5 * w35 * slope(a3),
        ),
        mistake(
            "a₃ is already tanh(in₃): no second tanh is needed, only its square.",
            lambda d5, w35, a3: d5 * w35 * (1 - a3.tanh() ** 2),
        ),
        mistake(
            "1 − a₃ is not the slope yet: tanh′ = 1 − tanh².",
            lambda d5, w35, a3: d5 * w35 * (1 - a3),
        ),
        mistake("The slope of tanh is missing.", lambda d5, w35, a3: d5 * w35),
    ],
    learned="Another g changes one factor and nothing else.",
)

# --- another loss --------------------------------------------------------------------------------

other_loss = function(
    "loss",
    like=lambda y, a5: a5 - y,
    given=lambda rng: tuple(scalars(rng, 2)),
    stars=2,
    mistakes=[
        mistake("The sign is turned: where a₅ is too large, raising in₅ raises the loss.",
                lambda y, a5: y - a5),
        mistake("This is dLoss/da₅. Neuron 5's slope a₅(1 − a₅) comes after it.",
                lambda y, a5: (a5 - y) / slope(a5)),
        mistake("The slope counts twice: dLoss/da₅ has it in its denominator.",
                lambda y, a5: (a5 - y) * slope(a5)),
        mistake("This is δ₅ of the squared loss. Take the derivative of the logarithms.",
                lambda y, a5: 2 * (a5 - y) * slope(a5)),
    ],
    learned="The logarithm undoes the slope: an error that does not fade where the neuron is sure.",
)  # fmt: skip

# --- a shortcut ----------------------------------------------------------------------------------


def with_shortcut(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights with w₁₅, activations, errors of neurons 3 to 5 (those of others are 0)."""
    w = np.triu(rng.normal(size=(6, 6)), 1)
    w[:, 1:3] = 0
    w[2, 5] = w[3, 4] = 0
    return w, rng.uniform(0.1, 0.9, size=6), np.concatenate([np.zeros(3), rng.normal(size=3)])


shortcut = function(
    "shortcut",
    like=lambda w, a, delta: (a[1] * delta[5], w[1] @ delta),
    given=with_shortcut,
    stars=2,
    mistakes=[
        mistake(
            "The first is right. In the second the new path from 1 to 5 is missing.",
            lambda w, a, delta: (a[1] * delta[5], w[1, 3:5] @ delta[3:5]),
        ),
        mistake(
            "The first is right. The second has the shortcut alone: the two old paths count too.",
            lambda w, a, delta: (a[1] * delta[5], w[1, 5] * delta[5]),
        ),
        mistake(
            "In the first, the weight itself is no factor: a nudge of w₁₅ is multiplied by a₁.",
            lambda w, a, delta: (w[1, 5] * delta[5], w[1] @ delta),
        ),
        mistake(
            "The first is right. In the second, an input has no g and so no slope.",
            lambda w, a, delta: (a[1] * delta[5], slope(a[1]) * (w[1] @ delta)),
        ),
    ],
    learned="A third path is a third term.",
)

# --- a whole layer -------------------------------------------------------------------------------


def a_layer(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    return (
        rng.normal(size=(3, 3)),
        rng.normal(size=3),
        rng.uniform(0.1, 0.9, size=3),
        rng.normal(size=3),
    )


def back(W: Any, before: Any, after: Any, blame: Any) -> tuple[Any, Any, Any]:
    delta = slope(after) * blame
    return delta[:, None] * before, delta, W.T @ delta


def without_slope(W: Any, before: Any, after: Any, blame: Any) -> tuple[Any, Any, Any]:
    return blame[:, None] * before, blame, W.T @ blame


def wrong_way(W: Any, before: Any, after: Any, blame: Any) -> tuple[Any, Any, Any]:
    delta = slope(after) * blame
    return delta[:, None] * before, delta, W @ delta


def turned(W: Any, before: Any, after: Any, blame: Any) -> tuple[Any, Any, Any]:
    delta = slope(after) * blame
    return before[:, None] * delta, delta, W.T @ delta


def wrong_slope(W: Any, before: Any, after: Any, blame: Any) -> tuple[Any, Any, Any]:
    delta = slope(before) * blame
    return delta[:, None] * before, delta, W.T @ delta


layer = function(
    "layer",
    like=back,
    given=a_layer,
    stars=3,
    mistakes=[
        mistake("The neurons' own slopes a(1 − a) are missing in δ.", without_slope),
        mistake(
            "The third goes the wrong way: W carried the signal forward, its transpose carries "
            "blame back.",
            wrong_way,
        ),
        mistake(
            "The first is transposed: row j belongs to neuron j of this layer, as in W.",
            turned,
        ),
        mistake("The slopes are those of this layer's answers, not of what came in.", wrong_slope),
    ],
    learned="Forward W, backward Wᵀ: a layer's whole backward pass.",
)

EXERCISES = [line, bend, other_loss, shortcut, layer]
