"""Exercises of the chapter on recurrent networks: a step, unrolling, counting, clipping, time."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
from course.kit.exercises import function, gradient, mistake

# --- one step -----------------------------------------------------------------------------------


def cell(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    return (rng.normal(size=(3, 4)), rng.normal(size=(3, 3)), rng.normal(size=3))


step = function(
    "step",
    like=lambda x, h, w_xh, w_hh, b: (w_xh @ x + w_hh @ h + b).tanh(),
    given=lambda rng: (rng.normal(size=4), rng.normal(size=3), *cell(rng)),
    stars=1,
    mistakes=[
        mistake(
            "The old state is not used: this network forgets at every letter.",
            lambda x, h, w_xh, w_hh, b: (w_xh @ x + b).tanh(),
        ),
        mistake(
            "The old state is added as it is; it has weights of its own, w_hh.",
            lambda x, h, w_xh, w_hh, b: (w_xh @ x + h + b).tanh(),
        ),
        mistake(
            "The sum is right, but it is not bent: NN2 ends in tanh.",
            lambda x, h, w_xh, w_hh, b: w_xh @ x + w_hh @ h + b,
        ),
        mistake(
            "w_hh is turned: row i holds the weights into neuron i.",
            lambda x, h, w_xh, w_hh, b: (w_xh @ x + w_hh.T @ h + b).tanh(),
        ),
        mistake(
            "This bends with the sigmoid; here g is tanh, from −1 to 1.",
            lambda x, h, w_xh, w_hh, b: (w_xh @ x + w_hh @ h + b).sigmoid(),
        ),
    ],
    learned="A neuron layer whose inputs are the letter and the layer itself, a moment ago.",
)

# --- unroll -------------------------------------------------------------------------------------


def read(letters: Any, w_xh: Any, w_hh: Any, b: Any) -> list[Any]:
    found = [nnlib.zeros(3, dtype=nnlib.float64)]
    for x in letters:
        found.append((w_xh @ x + w_hh @ found[-1] + b).tanh())
    return found[1:]


unroll = function(
    "unroll",
    like=lambda x, w_xh, w_hh, b: read(x, w_xh, w_hh, b)[-1],
    given=lambda rng: (rng.normal(size=(5, 4)), *cell(rng)),
    stars=2,
    mistakes=[
        mistake(
            "This knows the last letter only: hand each step the state that the step before left.",
            lambda x, w_xh, w_hh, b: read(x[-1:], w_xh, w_hh, b)[-1],
        ),
        mistake(
            "This is the state after the first letter: return after the loop, not inside it.",
            lambda x, w_xh, w_hh, b: read(x, w_xh, w_hh, b)[0],
        ),
        mistake(
            "The first letter is read twice: start the loop behind it, or from a state of zeros.",
            lambda x, w_xh, w_hh, b: read([x[0], *x], w_xh, w_hh, b)[-1],
        ),
        mistake(
            "The word is read from its end.",
            lambda x, w_xh, w_hh, b: read(list(x)[::-1], w_xh, w_hh, b)[-1],
        ),
        mistake(
            "These are all states; the last one is asked for.",
            lambda x, w_xh, w_hh, b: nnlib.stack(read(x, w_xh, w_hh, b)),
        ),
    ],
    learned="One function, called once a letter: that is all of unrolling.",
)

# --- how many numbers? --------------------------------------------------------------------------


count = function(
    "count",
    like=lambda letters, hidden, classes: hidden * (letters + hidden + 1) + classes * (hidden + 1),
    given=lambda rng: tuple(int(n) for n in rng.integers(3, 30, 3)),
    stars=1,
    mistakes=[
        mistake(
            "The hidden neurons also see each other: w_hh is missing.",
            lambda letters, hidden, classes: hidden * (letters + 1) + classes * (hidden + 1),
        ),
        mistake(
            "These are the weights alone: each neuron has a bias besides.",
            lambda letters, hidden, classes: hidden * (letters + hidden) + classes * hidden,
        ),
        mistake(
            "NN3 has numbers too.",
            lambda letters, hidden, classes: hidden * (letters + hidden + 1),
        ),
        mistake(
            "The copies share their weights: the word's length does not enter.",
            lambda letters, hidden, classes: (
                12 * hidden * (letters + hidden + 1) + classes * (hidden + 1)
            ),
        ),
    ],
    learned="Twelve letters or twelve thousand: the same count.",
)

# --- clipping -----------------------------------------------------------------------------------


def length(g: Any) -> Any:
    return (g * g).sum().sqrt()


clip = function(
    "clip",
    like=lambda g, most: g * nnlib.minimum(most / length(g), nnlib.ones_like(most)),
    given=lambda rng: (
        rng.normal(size=5) * np.exp(rng.uniform(-3, 2)),
        np.asarray(rng.uniform(0.5, 2)),
    ),
    stars=2,
    mistakes=[
        mistake(
            "You cut each entry by itself, which turns the gradient; scale all by one factor.",
            lambda g, most: nnlib.minimum(nnlib.maximum(g, -most), most),
        ),
        mistake(
            "Short gradients are stretched here; they should stay as they are.",
            lambda g, most: g * most / length(g),
        ),
        mistake(
            "The short ones are stretched and the long ones kept: it is the other way round.",
            lambda g, most: g * nnlib.maximum(most / length(g), nnlib.ones_like(most)),
        ),
        mistake(
            "The length is the root of the sum of squares.",
            lambda g, most: g * nnlib.minimum(most / (g * g).sum(), nnlib.ones_like(most)),
        ),
    ],
    learned="The direction stays, the step is bounded: a cliff no longer throws the weights away.",
)

# --- temperature --------------------------------------------------------------------------------

temperature = function(
    "temperature",
    like=lambda logits, T: (logits / T).softmax(-1),
    given=lambda rng: (rng.normal(size=6), np.asarray(rng.uniform(0.3, 0.8))),
    stars=1,
    mistakes=[
        mistake(
            "Hot and cold are swapped: divide the logits by T.",
            lambda logits, T: (logits * T).softmax(-1),
        ),
        mistake(
            "You divide the probabilities; they no longer add up to 1. T belongs inside.",
            lambda logits, T: logits.softmax(-1) / T,
        ),
        mistake(
            "These do not add up to 1 yet.",
            lambda logits, T: (logits / T).exp(),
        ),
        mistake("T is not used.", lambda logits, T: logits.softmax(-1)),
    ],
    learned="T near 0 takes the likeliest letter, T = 1 the model’s own odds, large T any letter.",
)

# --- through time -------------------------------------------------------------------------------


def carried(w: Any, x: Any) -> Any:
    h = w * 0
    for value in x:
        h = w * h + value
    return h


def slope_in(w: Any, x: Any, forget: bool = False, direct: bool = False) -> Any:
    h, slope = w * 0, w * 0
    for value in x:
        if direct:
            slope = h
        elif forget:
            slope = h + slope
        else:
            slope = h + w * slope
        h = w * h + value
    return slope


through_time = gradient(
    "through-time",
    of=carried,
    given=lambda rng: (np.asarray(rng.uniform(0.3, 1.5)), rng.normal(size=5)),
    stars=3,
    mistakes=[
        mistake(
            "This is the last copy's share alone: w also acted at every earlier step.",
            lambda w, x: slope_in(w, x, direct=True),
        ),
        mistake(
            "Each share still has to pass through the later copies: times w at every step.",
            lambda w, x: slope_in(w, x, forget=True),
        ),
        mistake(
            "This is the last state, not its slope.",
            carried,
        ),
    ],
    learned="The oldest share carries the highest power of w: it vanishes or explodes first.",
)

EXERCISES = [step, count, temperature, unroll, clip, through_time]
