"""Exercises of the appendix by hand: a line, a bend, a shared weight, a shortcut, a layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from course.kit.exercises import function, mistake


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

# --- one number on two edges ---------------------------------------------------------------------

shared = function(
    "shared",
    like=lambda d3, d4, x1, x2: x1 * d3 + x2 * d4,
    given=lambda rng: tuple(scalars(rng, 4)),
    stars=2,
    mistakes=[
        mistake(
            "This is what v does on w₁₃. It stands on w₂₄, too.",
            lambda d3, d4, x1, x2: x1 * d3,
        ),
        mistake(
            "This is what v does on w₂₄. It stands on w₁₃, too.",
            lambda d3, d4, x1, x2: x2 * d4,
        ),
        mistake(
            "Each error goes with what came in at its own edge: w₁₃ carries x₁, w₂₄ carries x₂.",
            lambda d3, d4, x1, x2: x2 * d3 + x1 * d4,
        ),
        mistake(
            "Slopes multiply along one path. These are two paths, and their effects add.",
            lambda d3, d4, x1, x2: x1 * d3 * x2 * d4,
        ),
        mistake(
            "The errors alone are the biases' gradients. An edge's has what came in as a factor.",
            lambda d3, d4, x1, x2: d3 + d4,
        ),
    ],
    learned="A shared weight gets the sum of what it would get in each place.",
)

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

EXERCISES = [line, bend, shared, shortcut, layer]
