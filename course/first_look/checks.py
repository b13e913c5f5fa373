"""Exercises of the first look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import nnlib
from course.first_look.figures import CELSIUS, FAHRENHEIT
from course.kit.exercises import function, mistake, value

SHAPES = ((3, 4), (4,), (3,), ())


def centred(table: Any) -> Any:
    return table - table.mean(0)


def cubic(rng: np.random.Generator) -> Callable[[Any], Any]:
    """A smooth function of one number, with random coefficients."""
    a, b = (float(v) for v in rng.uniform(0.5, 1.5, 2))
    return lambda t: a * t * t * t + (b * t).exp()


def slope(f: Callable[[Any], Any], at: Any) -> Any:
    x = nnlib.tensor(float(at), dtype=nnlib.float64, requires_grad=True)
    f(x).backward()
    return x.grad


def two_steps(x: Any, y: Any, lr: float, zero: bool = True, uphill: bool = False) -> Any:
    """w and b after two steps from (1, 0); without `zero` the gradients add up."""
    w = nnlib.tensor(1.0, dtype=x.dtype, requires_grad=True)
    b = nnlib.tensor(0.0, dtype=x.dtype, requires_grad=True)
    gd = nnlib.optim.SGD([w, b], lr=lr, maximize=uphill)
    for _ in range(2):
        if zero:
            gd.zero_grad()
        ((w * x + b - y) ** 2).mean().backward()
        gd.step()
    return nnlib.stack([w, b]).detach()


def readings(rng: np.random.Generator) -> list[Any]:
    return [np.array(CELSIUS), np.array(FAHRENHEIT) + rng.normal(0, 0.1, 5), 0.05]


def hops(lr: float, share: float = 1.0, renew: bool = True) -> list[float]:
    """w after one and two steps from 1 on (2w - 3.6)², with `share` of the derivative.

    Without `renew` both steps use the derivative at the start.
    """
    w, positions = 1.0, []
    for _ in range(2):
        w -= lr * share * 8 * ((w if renew else 1.0) - 1.8)
        positions.append(w)
    return positions


def after_three() -> list[float]:
    """w.grad after one, two and three calls of backward on w² at w = 2."""
    w, gradients = nnlib.tensor(2.0, requires_grad=True), []
    for _ in range(3):
        (w * w).backward()
        assert w.grad is not None
        gradients.append(w.grad.item())
    return gradients


EXERCISES = [
    value(
        "shapes",
        SHAPES,
        stars=1,
        mistakes=[
            mistake(
                "sum(0) adds up along dimension 0, the rows: dimension 0 is gone, and the 4 stays.",
                ((3, 4), (3,), (4,), ()),
            ),
            mistake(
                "A length of 1 is stretched to the other length; the other length stays.",
                ((3, 1), (4,), (3,), ()),
            ),
            mistake(
                "sum() without a dimension adds up everything; what is left is one number, and its "
                "shape has no lengths: ().",
                ((3, 4), (4,), (3,), (1,)),
            ),
        ],
        learned="A sum over a dimension takes its length out of the shape.",
    ),
    function(
        "centred",
        centred,
        lambda rng: [rng.normal(3, 2, (5, 3))],
        stars=1,
        mistakes=[
            mistake("You subtract one mean of all numbers; each column has its own.",
                    lambda table: table - table.mean()),
            mistake("mean(1) averages each row. For the columns, average over dimension 0.",
                    lambda table: table - table.mean(1)[:, None]),
        ],
        learned="The means have shape (3,), and broadcasting subtracts them from every row.",
    ),
    value(
        "hidden",
        ((2, 2), 2.0),
        stars=2,
        mistakes=[
            mistake("That would be so if both had the same shape. (2, 1) and (2,) do not: flush "
                    "right, they are stretched to (2, 2).", ((2,), 0.0)),
            mistake("The 1 of (2, 1) is stretched to the 2 of y, and y is stretched to two rows.",
                    ((2, 1), 0.0)),
            mistake("The shape is right. But each prediction is also compared with the reading "
                    "that belongs to the other one.", ((2, 2), 0.0)),
            mistake("The shape is right, and 8 is the sum of the four squares. Take their mean.",
                    ((2, 2), 8.0)),
            mistake("The shape is right. The mean of four squares divides by four, not by two.",
                    ((2, 2), 4.0)),
        ],
        learned="Broadcasting compared every prediction with every reading, and raised no error.",
    ),
    value(
        "three",
        after_three,
        stars=1,
        mistakes=[
            mistake("That would be so if backward replaced the gradient. It adds to it.",
                    [4.0, 4.0, 4.0]),
            mistake("Each call adds 4, so the values are 4, 8, 12; they do not double.",
                    [4.0, 8.0, 16.0]),
        ],
        learned="backward adds to .grad, so a loop must set it to zero.",
    ),
    value(
        "hop",
        (hops(0.05), hops(0.25)),
        stars=2,
        mistakes=[
            mistake("Your derivative is half of the right one. It has two factors of 2: one from "
                    "the square, one because the error changes by x = 2 when w changes by 1.",
                    (hops(0.05, 0.5), hops(0.25, 0.5))),
            mistake("These steps go uphill, away from 1.8. Subtract the derivative.",
                    (hops(0.05, -1.0), hops(0.25, -1.0))),
            mistake("Your first steps are right. The second steps use the derivative of the start; "
                    "compute it again at the new w.",
                    (hops(0.05, renew=False), hops(0.25, renew=False))),
        ],
        learned="The direction was the same; the step size decides whether w comes to rest.",
    ),
    function(
        "slope",
        slope,
        lambda rng: [cubic(rng), float(rng.uniform(-1, 1))],
        stars=2,
        mistakes=[
            mistake("That is the value f(x); its slope is in x.grad after backward.",
                    lambda f, at: f(nnlib.tensor(float(at), dtype=nnlib.float64))),
        ],
        learned="Nobody wrote the derivative down: the recorded operations were enough.",
    ),
    function(
        "fixed",
        two_steps,
        readings,
        stars=2,
        mistakes=[
            mistake("The second step still uses the first step's gradient too: zero_grad is "
                    "missing.", lambda x, y, lr: two_steps(x, y, lr, zero=False)),
            mistake("These steps go uphill: the loss grows.",
                    lambda x, y, lr: two_steps(x, y, lr, uphill=True)),
        ],
        learned="Three faults, one loop: step comes after backward, and grad is set to zero before "
        "the next backward.",
    ),
]  # fmt: skip
