"""Exercises of the chapter on XOR."""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from typing import Any

import numpy as np

import nnlib
from course.kit.exercises import function, mistake, puzzle, value
from course.networks import five
from course.networks.five import CORNERS

XOR = list(five.XOR)
UNITS = five.UNIT_WEIGHTS


def fires(bias: Any, from1: Any, from2: Any) -> list[int]:
    """For each of the four inputs, 1 if a neuron with a step function fires there, else 0."""
    return [int(float(bias) + float(from1) * a + float(from2) * b > 0) for a, b in CORNERS]


# --- two of three judges --------------------------------------------------------------------------

VOTES = [(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)]
MAJORITY: dict[tuple[int, ...], str] = {
    (0, 1, 1, 1): "it fires with one vote: this is OR. Raise the threshold above one vote.",
    (0, 0, 0, 1): "it fires with three votes only: this is AND. Two have to be enough.",
    (1, 1, 1, 1): "it always fires, even without a vote: the bias has to be negative.",
    (0, 0, 0, 0): "it never fires: three votes do not reach the threshold.",
    (1, 1, 0, 0): "it fires with few votes and is silent with many: all signs are flipped.",
}


def majority_problem(neuron: Any) -> str | None:
    if len(neuron) != 4:
        return f"four parameters are needed (a bias and three weights), not {len(neuron)}."
    bias, *weights = (float(v) for v in neuron)
    fired = {v: bias + sum(w * x for w, x in zip(weights, v, strict=True)) > 0 for v in VOTES}
    if all(fires == (sum(v) >= 2) for v, fires in fired.items()):
        return None
    by_count = [{fires for v, fires in fired.items() if sum(v) == n} for n in range(4)]
    if any(len(answers) == 2 for answers in by_count):
        return "it does not treat the judges alike: who votes must not matter, only how many do."
    answers = tuple(int(next(iter(fires))) for fires in by_count)
    return MAJORITY.get(
        answers, f"with 0, 1, 2, 3 votes it answers {answers}; (0, 0, 1, 1) is needed."
    )


# --- gradients that do not add up ----------------------------------------------------------------


def hollow(rng: np.random.Generator) -> tuple[Any, np.ndarray, float, int]:
    """A bowl that is not quite a parabola, a start, a learning rate and a number of steps."""
    curved = nnlib.tensor(rng.uniform(0.5, 2.0, 3))
    target = nnlib.tensor(rng.normal(size=3))

    def loss(w: Any) -> Any:
        return (curved * (w - target) ** 2).sum() + ((w - target) ** 4).sum() / 20

    return loss, rng.normal(size=3), float(rng.uniform(0.02, 0.05)), int(rng.integers(3, 6))


def descended(loss: Any, w: Any, lr: float, steps: int, *, momentum: float = 0.0,
              sign: float = 1.0, at_most: int | None = None) -> Any:  # fmt: skip
    """The weights after steps downhill; `momentum` is the fraction of w.grad that stays in it."""
    total = nnlib.zeros_like(w)
    for _ in range(int(steps) if at_most is None else at_most):
        w = w.detach().requires_grad_()
        total = momentum * total + nnlib.autograd.grad(loss(w), w)[0]
        w = w.detach() - sign * lr * total
    return w


# --- fourteen of sixteen -------------------------------------------------------------------------


def separable() -> int:
    """How many of the sixteen ways to answer at the four corners one line can give."""
    biases = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]
    weights = [-2.0, -1.0, 0.0, 1.0, 2.0]
    return len({tuple(fires(b, u, v)) for b in biases for u in weights for v in weights})


# --- a feature of one's own ----------------------------------------------------------------------

FEATURE: dict[tuple[float, ...], str] = {
    (0, 1, -1, 0): "x₁ − x₂ is −1 at (0, 1): the difference counts, but not its sign.",
    (0, 0, 0, 1): "this feature is AND. It is 0 at (1, 0), where it has to be more than ½.",
    (0, 1, 1, 2): "x₁ + x₂ is 2 at (1, 1), where it has to be less than ½. A sum is another line.",
    (0, 1, 1, 1): "this feature is OR: it is 1 at (1, 1), where it has to be less than ½.",
    (1, 0, 0, 1): "this is 1 where the inputs are equal: that is the opposite of XOR.",
}


def feature_problem(feature: Any) -> str | None:
    if not callable(feature):
        return "a function of x1 and x2 is needed."
    values = [float(feature(nnlib.tensor(float(a)), nnlib.tensor(float(b)))) for a, b in CORNERS]
    if [int(s > 0.5) for s in values] == XOR:
        return None
    if (explanation := FEATURE.get(tuple(round(s, 6) for s in values))) is not None:
        return explanation
    return f"at (0, 0), (1, 0), (0, 1), (1, 1) it is {', '.join(f'{s:.3g}' for s in values)}."


# --- the other way to wire it --------------------------------------------------------------------


def net_problem(net: Any) -> str | None:
    if not isinstance(net, Mapping) or set(net) != set(UNITS):
        return f"a dict with {', '.join(UNITS)} is needed."
    if any(net[k] != UNITS[k] for k in ("w03", "w13", "w23")):
        return "neuron 3 must stay as it is."
    if net["w45"] <= 0 or net["w35"] <= 0:
        return "neuron 5 must be excited by both, so w35 and w45 are positive."
    hidden = [fires(net[f"w0{i}"], net[f"w1{i}"], net[f"w2{i}"]) for i in (3, 4)]
    out = [int(net["w05"] + net["w35"] * a + net["w45"] * b > 0) for a, b in zip(*hidden)]
    if out == XOR:
        return None
    if hidden[1] == [0, 0, 0, 1]:
        return (
            "neuron 4 is still AND: it fires at (1, 1), the only corner where it has to be silent."
        )
    if hidden[1] == [1, 0, 0, 0]:
        return "neuron 4 is NOR, not NAND: at (1, 0) and (0, 1) it has to fire as well."
    if out == [1, 1, 1, 1]:
        return "neuron 5 is OR of the two: one of them is enough for it. Raise its threshold."
    return f"neuron 4 gives {hidden[1]}, neuron 5 gives {out}; {XOR} is needed."


NAND = {**UNITS, "w04": 1.5, "w14": -1.0, "w24": -1.0, "w05": -1.5, "w35": 1.0, "w45": 1.0}


# --- three switches and one light ----------------------------------------------------------------

SWITCHES: dict[tuple[int, ...], str] = {
    (0, 1, 1, 1): "with two switches up the light is on: one hidden neuron has to inhibit there.",
    (0, 1, 0, 0): "with all three switches up it is dark: one move from two up has to turn it on.",
    (1, 0, 1, 0): "the light is on exactly where it should be off: it is dark with all three down.",
}


def switches_problem(parameters: Any) -> str | None:
    if len(parameters) != 7:
        return (
            "seven parameters are needed (three hidden biases, the output's bias, its three "
            f"weights), not {len(parameters)}."
        )
    *biases, bias, first, second, third = (float(v) for v in parameters)
    hidden = [[int(b + up > 0) for b in biases] for up in range(4)]
    outputs = [bias + first * a + second * b + third * c for a, b, c in hidden]
    answers = tuple(int(total > 0) for total in outputs)
    if answers == (0, 1, 0, 1):
        return None
    if len(set(zip(*hidden, strict=True))) < 3:
        return "two of the hidden neurons fire in the same settings: give them different biases."
    return SWITCHES.get(
        answers, f"with 0, 1, 2, 3 switches up the light is {answers}; (0, 1, 0, 1) is needed."
    )


EXERCISES = [
    puzzle(
        "majority",
        (-1.5, 1.0, 1.0, 1.0),
        majority_problem,
        stars=1,
        mistakes=[
            mistake(MAJORITY[0, 1, 1, 1], (-0.5, 1.0, 1.0, 1.0)),
            mistake(MAJORITY[0, 0, 0, 1], (-2.5, 1.0, 1.0, 1.0)),
            mistake(MAJORITY[1, 1, 1, 1], (1.5, 1.0, 1.0, 1.0)),
            mistake(MAJORITY[0, 0, 0, 0], (-3.5, 1.0, 1.0, 1.0)),
            mistake(MAJORITY[1, 1, 0, 0], (1.5, -1.0, -1.0, -1.0)),
            mistake("does not treat the judges alike", (-1.5, 2.0, 1.0, 1.0)),
        ],
        learned="One neuron counts votes: equal weights, and a threshold between one and two.",
    ),
    function(
        "descend",
        solution=descended,
        given=hollow,
        stars=1,
        mistakes=[
            mistake(
                "The gradients still add up from step to step: set the old one to zero before "
                "each backward.",
                lambda loss, w, lr, steps: descended(loss, w, lr, steps, momentum=1.0),
            ),
            mistake(
                "This takes one step only: all three lines belong inside the loop.",
                lambda loss, w, lr, steps: descended(loss, w, lr, steps, at_most=1),
            ),
            mistake(
                "The weights never move: is zero_grad between backward and step? Then step gets "
                "no gradient.",
                lambda loss, w, lr, steps: w,
            ),
            mistake(
                "This goes uphill.",
                lambda loss, w, lr, steps: descended(loss, w, lr, steps, sign=-1.0),
            ),
        ],
        learned="zero_grad, backward, step: in this order, in every step.",
    ),
    value(
        "sixteen",
        separable,
        stars=2,
        mistakes=[
            mistake("Some of the sixteen are XOR and its opposite.", 16),
            mistake("XOR is not alone: its opposite (yes where both are equal) fails too.", 15),
            mistake("These are the ones that no line gives; count the others.", 2),
            mistake("Two answers are the same everywhere, and a line can give those as well.", 12),
        ],
        learned="Only XOR and its opposite are out of a line's reach.",
    ),
    puzzle(
        "feature",
        lambda x1, x2: (x1 - x2) ** 2,
        feature_problem,
        stars=2,
        mistakes=[
            mistake(FEATURE[0, 1, -1, 0], lambda x1, x2: x1 - x2),
            mistake(FEATURE[0, 0, 0, 1], lambda x1, x2: x1 * x2),
            mistake(FEATURE[0, 1, 1, 2], lambda x1, x2: x1 + x2),
            mistake(FEATURE[1, 0, 0, 1], lambda x1, x2: 1 - (x1 - x2) ** 2),
        ],
        learned="With the right feature, the classifier has nothing left to do.",
    ),
    puzzle(
        "rewire",
        NAND,
        net_problem,
        stars=2,
        mistakes=[
            mistake("neuron 4 is still AND", {**UNITS, "w45": 1.0}),
            mistake("NOR, not NAND", {**NAND, "w04": 0.5}),
            mistake("Raise its threshold", {**NAND, "w05": -0.5}),
        ],
        learned="The same function with different neurons: a net's hidden layer is not unique.",
    ),
    puzzle(
        "switches",
        (-0.5, -1.5, -2.5, -0.5, 1, -1, 1),
        switches_problem,
        stars=2,
        mistakes=[
            mistake(SWITCHES[0, 1, 1, 1], (-0.5, -1.5, -2.5, -0.5, 1, 1, 1)),
            mistake(SWITCHES[0, 1, 0, 0], (-0.5, -1.5, -2.5, -0.5, 1, -1, -1)),
            mistake(SWITCHES[1, 0, 1, 0], (-0.5, -1.5, -2.5, 0.5, -1, 1, -1)),
            mistake("fire in the same settings", (-0.5, -0.5, -0.5, -0.5, 1, -1, 1)),
        ],
        learned="Each hidden neuron draws one boundary; three of them make four regions.",
    ),
    value(
        "gain",
        2 * log(3),
        stars=3,
        tolerance=1e-6,
        mistakes=[
            mistake("That is a measurement; the exact form has a logarithm in it.", 2.2),
            mistake("That is a measurement; the exact form has a logarithm in it.", 2.197),
            mistake("in₃ at (1, 0) is k/2, not k.", log(3)),
            mistake("in₃ at (1, 0) is k/2: you are a factor 2 too high.", 4 * log(3)),
            mistake(
                "You took the sigmoid for its tangent, σ(z) ≈ ½ + z/4; it curves away from it.", 2.0
            ),
        ],
        learned="Below 2 log 3 the network never answers yes where it should.",
    ),
]
