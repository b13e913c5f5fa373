"""Exercises of the chapter on gradient ascent: slopes, steps, their bound, mini-batches, memory."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.kit.exercises import function, mistake, value
from nnlib import datasets

# --- the gradient, measured ---------------------------------------------------------------------


def bowl(rng: np.random.Generator) -> tuple[Any, np.ndarray, float]:
    """A curved function of three weights, a place, and a nudge large enough to tell rules apart."""
    tilt, bend = nnlib.tensor(rng.normal(size=3)), nnlib.tensor(rng.normal(size=(3, 3)))

    def f(w: Any) -> Any:
        return (tilt * w).sum() - ((bend @ w) ** 2).sum() + (w**3).sum()

    return f, rng.normal(size=3), 0.01


def nudged(f: Any, w: Any, eps: float, *, up: float = 1.0, down: float = 1.0, over: float = 2.0,
           alone: bool = True) -> Any:  # fmt: skip
    """Differences of f along each weight; the keywords are the misconceptions."""
    slopes = []
    for j in range(len(w)):
        nudge = eps * (nnlib.eye(len(w), dtype=w.dtype)[j] if alone else nnlib.ones_like(w))
        slopes.append((f(w + up * nudge) - f(w - down * nudge)) / (over * eps))
    return nnlib.stack(slopes)


slopes = function(
    "slopes",
    like=nudged,
    given=bowl,
    stars=1,
    mistakes=[
        mistake(
            "From w − eps to w + eps it is 2 eps: divide by that.",
            lambda f, w, eps: nudged(f, w, eps, over=1.0),
        ),
        mistake(
            "You nudge to one side only. Both sides are needed here: then the curvature cancels.",
            lambda f, w, eps: nudged(f, w, eps, down=0.0, over=1.0),
        ),
        mistake(
            "You nudge every weight at once: a partial derivative moves one and holds the others.",
            lambda f, w, eps: nudged(f, w, eps, alone=False),
        ),
        mistake(
            "The sign is turned: subtract the height behind from the height ahead.",
            lambda f, w, eps: -nudged(f, w, eps),
        ),
    ],
    learned="It costs two evaluations for each weight, which is why nobody trains with it.",
)

# --- one step, weight by weight -------------------------------------------------------------------


def pair(rng: np.random.Generator) -> tuple[Any, Any, float, float, float]:
    a, b, c = (float(v) for v in rng.normal(size=3))

    def first(w1: float, w2: float) -> float:
        return a * w2 - 2 * w1

    def second(w1: float, w2: float) -> float:
        return b * w1 * w1 + c * w2

    return first, second, float(rng.normal()), float(rng.normal()), float(rng.uniform(0.1, 0.5))


def both(d1: Any, d2: Any, w1: float, w2: float, alpha: float) -> tuple[float, float]:
    return w1 + alpha * d1(w1, w2), w2 + alpha * d2(w1, w2)


def one_by_one(d1: Any, d2: Any, w1: float, w2: float, alpha: float) -> tuple[float, float]:
    w1 = w1 + alpha * d1(w1, w2)
    return w1, w2 + alpha * d2(w1, w2)


step = function(
    "step",
    like=both,
    given=pair,
    stars=1,
    mistakes=[
        mistake(
            "The second derivative was taken after w1 had moved. Both belong to the old place: "
            "compute both before you change either.",
            one_by_one,
        ),
        mistake(
            "You go down: ascent adds α times the derivative.",
            lambda d1, d2, w1, w2, alpha: both(d1, d2, w1, w2, -alpha),
        ),
        mistake(
            "The derivatives are swapped: each weight moves by its own.",
            lambda d1, d2, w1, w2, alpha: both(d2, d1, w1, w2, alpha),
        ),
        mistake(
            "The step size is missing.",
            lambda d1, d2, w1, w2, alpha: both(d1, d2, w1, w2, 1.0),
        ),
        mistake(
            "You return the steps; asked is where they lead.",
            lambda d1, d2, w1, w2, alpha: (alpha * d1(w1, w2), alpha * d2(w1, w2)),
        ),
    ],
    learned="As a vector, w + alpha * gradient(w), this cannot go wrong.",
)

# --- the longest step -----------------------------------------------------------------------------


def bent(rng: np.random.Generator) -> tuple[np.ndarray]:
    """The Hessian at a top: symmetric, all its eigenvalues negative."""
    half = rng.normal(size=(3, 3))
    return (-(half @ half.T) - 0.3 * np.eye(3),)


def curvatures(H: Any) -> np.ndarray:
    return np.linalg.eigvalsh(-np.asarray(H.tolist()))


longest = function(
    "longest",
    like=lambda H: 2 / curvatures(H).max(),
    given=bent,
    stars=2,
    mistakes=[
        mistake(
            "Beyond 1/λ the climber zigzags, but it still arrives: it fails beyond 2/λ.",
            lambda H: 1 / curvatures(H).max(),
        ),
        mistake(
            "You took the flattest direction. The steepest is the first to fail.",
            lambda H: 2 / curvatures(H).min(),
        ),
        mistake(
            "At a top the Hessian's eigenvalues are negative: curvatures are those of −H. The "
            "largest eigenvalue of H belongs to the flattest direction.",
            lambda H: 2 / -curvatures(H).min(),
        ),
        mistake(
            "A sign is left over: at a top the Hessian's eigenvalues are negative, and a step size "
            "is positive.",
            lambda H: -2 / curvatures(H).max(),
        ),
        mistake(
            "You took the largest entry; directions of most curvature seldom lie along the axes. "
            "Take eigenvalues (np.linalg.eigvalsh).",
            lambda H: 2 / np.abs(np.asarray(H.tolist())).max(),
        ),
    ],
    learned="Nobody computes it for a large network, but every learning rate lives under it.",
)

# --- a mini-batch ---------------------------------------------------------------------------------


def sample(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, Any]:
    x, y = rng.normal(size=(12, 2)), rng.choice([-1.0, 1.0], 12)
    chosen = nnlib.tensor(rng.permutation(12)[: int(rng.integers(3, 6))])
    return rng.normal(size=2), x, y, chosen


def pulled(w: Any, x: Any, y: Any) -> Any:
    """Every example's pull on the weights, one a row."""
    return (F.sigmoid(-y * (x @ w)) * y).reshape(-1, 1) * x


batch = function(
    "mini-batch",
    like=lambda w, x, y, chosen: pulled(w, x, y)[chosen].mean(0),
    given=sample,
    stars=2,
    mistakes=[
        mistake(
            "You divide by all examples. The mean of a mini-batch divides by its own size; else "
            "small batches would take small steps, not noisy ones.",
            lambda w, x, y, chosen: pulled(w, x, y)[chosen].sum(0) / len(y),
        ),
        mistake(
            "This is the sum over the mini-batch: it grows with its size. Take the mean.",
            lambda w, x, y, chosen: pulled(w, x, y)[chosen].sum(0),
        ),
        mistake(
            "You use all examples: index x and y with `chosen`.",
            lambda w, x, y, chosen: pulled(w, x, y).mean(0),
        ),
        mistake(
            "You take the first examples, as many as were chosen, and not the chosen ones.",
            lambda w, x, y, chosen: pulled(w, x, y)[: len(chosen)].mean(0),
        ),
        mistake(
            "This points downhill.",
            lambda w, x, y, chosen: -pulled(w, x, y)[chosen].mean(0),
        ),
    ],
    learned="On average over all choices it is the full gradient.",
)

# --- momentum -------------------------------------------------------------------------------------


def hilly(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    half = rng.normal(size=(2, 2))
    return rng.normal(size=2), half @ half.T + np.eye(2), rng.normal(size=2)


def five_steps(rule: Any, w: Any, bend: Any, top: Any) -> tuple[Any, Any]:
    """Weights and velocity after five steps up a parabola: what rules are compared by."""
    v = nnlib.zeros_like(w)
    for _ in range(5):
        w, v = rule(w, v, -(bend @ (w - top)), 0.05, 0.9)
    return w, v


def with_velocity(w: Any, v: Any, g: Any, alpha: float, beta: float) -> tuple[Any, Any]:
    v = beta * v + g
    return w + alpha * v, v


def averaging(w: Any, v: Any, g: Any, alpha: float, beta: float) -> tuple[Any, Any]:
    v = beta * v + (1 - beta) * g
    return w + alpha * v, v


momentum = function(
    "momentum",
    like=with_velocity,
    given=hilly,
    observe=five_steps,
    stars=2,
    mistakes=[
        mistake(
            "You step by the old velocity: update v first, then w by the new v.",
            lambda w, v, g, alpha, beta: (w + alpha * v, beta * v + g),
        ),
        mistake(
            "This is a running mean, as Adam's m; momentum as in the equation adds all of g. (Both "
            "are in use: they differ by a factor in α.)",
            averaging,
        ),
        mistake(
            "The velocity never changes: return the new v with the new w.",
            lambda w, v, g, alpha, beta: (w + alpha * (beta * v + g), v),
        ),
        mistake(
            "β is missing: without friction the climber never slows down.",
            lambda w, v, g, alpha, beta: with_velocity(w, v, g, alpha, 1.0),
        ),
        mistake(
            "α belongs to the step and not into v: here a change of α would act with a delay.",
            lambda w, v, g, alpha, beta: (w + beta * v + alpha * g, beta * v + alpha * g),
        ),
    ],
    learned="With g constant, v grows to g / (1 − β): at β = 0.9 ten times the step.",
)

# --- other units ----------------------------------------------------------------------------------


@cache
def bent_at_top() -> np.ndarray:
    """−Hessian of the penguins' hill at its top, by Newton's method."""
    birds = datasets.penguins(("Adelie", "Chinstrap"), ("bill_length_mm", "body_mass_g"))
    x = ((birds.x - birds.x.mean(0)) / birds.x.std(0)).astype(float)
    y, w = 2.0 * birds.y - 1, np.array([7.6, -2.1])
    for _ in range(20):
        s = 1 / (1 + np.exp(y * (x @ w)))
        bend = (x.T * (s * (1 - s))) @ x / len(y)
        w = w + np.linalg.solve(bend, (s * y) @ x / len(y))
    return bend


def in_units(times: float) -> float:
    """The longest step after the second measure was multiplied by `times`."""
    scale = np.diag([1.0, times])
    return float(2 / np.linalg.eigvalsh(scale @ bent_at_top() @ scale).max())


units = value(
    "units",
    like=lambda: in_units(10.0),
    stars=3,
    tolerance=5e-3,
    mistakes=[
        mistake(
            "This is the bound for the old units. The hill over the new w₂ is ten times as narrow.",
            lambda: in_units(1.0),
        ),
        mistake(
            "A tenth is too much: the second derivative by w₂ takes the factor twice.",
            lambda: in_units(1.0) / 10,
        ),
        mistake(
            "Not quite a hundredth: only the entry of w₂ with itself grows by 100, those that mix "
            "both weights by 10. Compute the eigenvalues anew.",
            lambda: in_units(1.0) / 100,
        ),
        mistake(
            "The wrong way: larger numbers make the hill narrower, and the step smaller.",
            lambda: in_units(0.1),
        ),
    ],
    learned="That is why features are counted in standard deviations: one step size for all.",
)

EXERCISES = [slopes, step, longest, batch, momentum, units]
