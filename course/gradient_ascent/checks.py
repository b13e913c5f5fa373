"""Exercises of the chapter on gradient ascent: steps, their bound, mini-batches, memory."""

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
    """A curved function of three weights, a point, and an eps for which the formulas differ."""
    tilt, matrix = nnlib.tensor(rng.normal(size=3)), nnlib.tensor(rng.normal(size=(3, 3)))

    def f(w: Any) -> Any:
        return (tilt * w).sum() - ((matrix @ w) ** 2).sum() + (w**3).sum()

    return f, rng.normal(size=3), 0.01


def differences(f: Any, w: Any, eps: float, *, up: float = 1.0, down: float = 1.0,
                widths: float = 2.0, one_weight: bool = True) -> Any:  # fmt: skip
    """Difference quotients of f, one per weight; each keyword argument allows a misconception.

    The points are w + up · eps and w − down · eps; the divisor is `widths` · eps.
    """
    quotients = []
    for j in range(len(w)):
        change = eps * (nnlib.eye(len(w), dtype=w.dtype)[j] if one_weight else nnlib.ones_like(w))
        quotients.append((f(w + up * change) - f(w - down * change)) / (widths * eps))
    return nnlib.stack(quotients)


partial_derivatives = function(
    "differences",
    solution=differences,
    given=bowl,
    stars=1,
    mistakes=[
        mistake(
            "The distance from w − eps to w + eps is 2 eps: divide by that.",
            lambda f, w, eps: differences(f, w, eps, widths=1.0),
        ),
        mistake(
            "You move to one side only. Both sides are needed here: then the curvature cancels.",
            lambda f, w, eps: differences(f, w, eps, down=0.0, widths=1.0),
        ),
        mistake(
            "You change every weight at once: a partial derivative changes one and keeps the "
            "others.",
            lambda f, w, eps: differences(f, w, eps, one_weight=False),
        ),
        mistake(
            "The sign is flipped: subtract the height at w − eps from the height at w + eps.",
            lambda f, w, eps: -differences(f, w, eps),
        ),
    ],
    learned="It costs two evaluations for each weight, which is why nobody trains with it.",
)

# --- three steps on paper -------------------------------------------------------------------------


def three_steps(alpha: float, start: float = 0.0, factor: float = -2.0) -> float:
    """Three steps of gradient ascent on h(w) = 8w − w²; `factor` is the second derivative."""
    w = start
    for _ in range(3):
        w = w + alpha * (8 + factor * w)
    return w


def three_steps_down(alpha: float) -> float:
    """Three steps of gradient descent on the same function, from 0."""
    w = 0.0
    for _ in range(3):
        w = w - alpha * (8 - 2 * w)
    return w


paper = value(
    "paper",
    (three_steps(0.25), three_steps(0.9), 1.0),
    stars=1,
    tolerance=1e-3,
    mistakes=[
        mistake(
            "This goes downhill: ascent adds α times the slope.",
            (three_steps_down(0.25), three_steps_down(0.9), 1.0),
        ),
        mistake(
            "These are the positions after two steps; take three.",
            (3.0, 4 - 4 * 0.64, 1.0),
        ),
        mistake(
            "The slope of −w² is −2w, not −w: differentiate once more.",
            (three_steps(0.25, factor=-1.0), three_steps(0.9, factor=-1.0), 1.0),
        ),
        mistake(
            "Both positions are right. But at 1/λ the climber only begins to jump over the top; it "
            "diverges beyond 2/λ.",
            (three_steps(0.25), three_steps(0.9), 0.5),
        ),
        mistake(
            "Both positions are right. The curvature is minus the second derivative of 8w − w²: is "
            "that 1?",
            (three_steps(0.25), three_steps(0.9), 2.0),
        ),
    ],
    learned="One number, 1 − αλ, decides all of it: converge, oscillate or diverge.",
)

# --- a careful step -------------------------------------------------------------------------------


def steep_bowl(rng: np.random.Generator) -> tuple[Any, np.ndarray, Any, float]:
    """A parabola, a point, the gradient there, and a step size that is several times too large."""
    curvature = nnlib.tensor(rng.uniform(2.0, 8.0, 3))
    w = rng.normal(size=3)

    def f(w: Any) -> Any:
        return -(curvature * w * w).sum() / 2

    return f, w, -curvature * nnlib.tensor(w), float(rng.uniform(3.0, 5.0))


def halved(f: Any, w: Any, g: Any, alpha: float, *, once_more: bool = False) -> tuple[Any, float]:
    """The point that α, halved until the step leads higher, leads to; and this α."""
    while not f(w + alpha * g) > f(w):
        alpha = alpha / 2
    return w + alpha * g, alpha / 2 if once_more else alpha


careful = function(
    "careful",
    solution=lambda f, w, g, alpha: halved(f, w, g, alpha)[0],
    given=steep_bowl,
    stars=2,
    mistakes=[
        mistake(
            "α is never halved: this step leads lower than w. Compare f(w + αg) with f(w).",
            lambda f, w, g, alpha: w + alpha * g,
        ),
        mistake(
            "α is halved only once. It may take several halvings: use the loop's condition.",
            lambda f, w, g, alpha: w + alpha / 2 * g,
        ),
        mistake(
            "You return the step size; return the point that it leads to.",
            lambda f, w, g, alpha: halved(f, w, g, alpha)[1],
        ),
        mistake(
            "You halve once more after the step already led higher. Stop as soon as it does.",
            lambda f, w, g, alpha: w + halved(f, w, g, alpha, once_more=True)[1] * g,
        ),
        mistake(
            "You return the step; return the point that it leads to, w + αg.",
            lambda f, w, g, alpha: halved(f, w, g, alpha)[1] * g,
        ),
    ],
    learned="A few extra evaluations, and no step ever leads down.",
)

# --- the longest step -----------------------------------------------------------------------------


def curved_top(rng: np.random.Generator) -> tuple[np.ndarray]:
    """The Hessian at a top: symmetric, all its eigenvalues negative."""
    half = rng.normal(size=(3, 3))
    return (-(half @ half.T) - 0.3 * np.eye(3),)


def curvatures(H: Any) -> np.ndarray:
    return np.linalg.eigvalsh(-np.asarray(H.tolist()))


longest = function(
    "longest",
    solution=lambda H: 2 / curvatures(H).max(),
    given=curved_top,
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
            "You took the largest entry; the directions of largest curvature are seldom the axes. "
            "Take eigenvalues (np.linalg.eigvalsh).",
            lambda H: 2 / np.abs(np.asarray(H.tolist())).max(),
        ),
    ],
    learned="Nobody computes it for a large network, but it limits every learning rate.",
)

# --- a mini-batch ---------------------------------------------------------------------------------


def sample(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, Any]:
    """Weights, twelve examples with their classes, and the indices of a random mini-batch."""
    x, y = rng.normal(size=(12, 2)), rng.choice([-1.0, 1.0], 12)
    chosen = nnlib.tensor(rng.permutation(12)[: int(rng.integers(3, 6))])
    return rng.normal(size=2), x, y, chosen


def gradients(w: Any, x: Any, y: Any) -> Any:
    """The gradient of each example's log-likelihood, one per row."""
    return (F.sigmoid(-y * (x @ w)) * y).reshape(-1, 1) * x


batch = function(
    "mini-batch",
    solution=lambda w, x, y, chosen: gradients(w, x, y)[chosen].mean(0),
    given=sample,
    stars=1,
    mistakes=[
        mistake(
            "You divide by all examples. The mean of a mini-batch divides by its own size; "
            "otherwise small batches would take small steps, not noisy ones.",
            lambda w, x, y, chosen: gradients(w, x, y)[chosen].sum(0) / len(y),
        ),
        mistake(
            "This is the sum over the mini-batch: it grows with its size. Take the mean.",
            lambda w, x, y, chosen: gradients(w, x, y)[chosen].sum(0),
        ),
        mistake(
            "You use all examples: index x and y with `chosen`.",
            lambda w, x, y, chosen: gradients(w, x, y).mean(0),
        ),
        mistake(
            "You take the first examples, as many as were chosen, and not the chosen ones.",
            lambda w, x, y, chosen: gradients(w, x, y)[: len(chosen)].mean(0),
        ),
        mistake(
            "This points downhill.",
            lambda w, x, y, chosen: -gradients(w, x, y)[chosen].mean(0),
        ),
    ],
    learned="On average over all choices it is the full gradient.",
)

# --- momentum that looks ahead --------------------------------------------------------------------


def hilly(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Initial weights, and the curvature matrix and the top of a parabola."""
    half = rng.normal(size=(2, 2))
    return rng.normal(size=2), half @ half.T + np.eye(2), rng.normal(size=2)


def five_steps(rule: Any, w: Any, curvature: Any, top: Any) -> tuple[Any, Any]:
    """Weights and velocity after five steps up a parabola, for comparing rules."""
    v = nnlib.zeros_like(w)
    for _ in range(5):
        w, v = rule(lambda at: -(curvature @ (at - top)), w, v, 0.05, 0.9)
    return w, v


def ahead(gradient: Any, w: Any, v: Any, alpha: float, beta: float, *, at: Any = None) -> Any:
    """One step of Nesterov's momentum; `at` is where the gradient is taken instead."""
    v = beta * v + gradient(w + alpha * beta * v if at is None else at)
    return w + alpha * v, v


look_ahead = function(
    "look-ahead",
    solution=ahead,
    given=hilly,
    observe=five_steps,
    stars=2,
    mistakes=[
        mistake(
            "This is plain momentum: the gradient is taken at w, not at the point ahead.",
            lambda gradient, w, v, alpha, beta: ahead(gradient, w, v, alpha, beta, at=w),
        ),
        mistake(
            "β is missing in the look ahead: the old velocity would carry w by αβv.",
            lambda gradient, w, v, alpha, beta: ahead(
                gradient, w, v, alpha, beta, at=w + alpha * v
            ),
        ),
        mistake(
            "α is missing in the look ahead: the old velocity would carry w by αβv.",
            lambda gradient, w, v, alpha, beta: ahead(gradient, w, v, alpha, beta, at=w + beta * v),
        ),
        mistake(
            "You look back: the point ahead is w plus αβv.",
            lambda gradient, w, v, alpha, beta: ahead(
                gradient, w, v, alpha, beta, at=w - alpha * beta * v
            ),
        ),
        mistake(
            "The step begins at the point ahead. Only the gradient is taken there; w moves from "
            "where it was.",
            lambda gradient, w, v, alpha, beta: (
                w + alpha * beta * v + alpha * ahead(gradient, w, v, alpha, beta)[1],
                ahead(gradient, w, v, alpha, beta)[1],
            ),
        ),
        mistake(
            "The velocity never changes: return the new v with the new w.",
            lambda gradient, w, v, alpha, beta: (ahead(gradient, w, v, alpha, beta)[0], v),
        ),
        mistake(
            "β is missing in the velocity: without friction the climber never slows down.",
            lambda gradient, w, v, alpha, beta: ahead(gradient, w, v, alpha, 1.0),
        ),
    ],
    learned="A gradient taken one step ahead brakes before the top instead of after it.",
)

# --- other units ----------------------------------------------------------------------------------


@cache
def curvature_at_top() -> np.ndarray:
    """−Hessian of the penguins' hill at its top, by Newton's method."""
    birds = datasets.penguins(("Adelie", "Chinstrap"), ("bill_length_mm", "body_mass_g"))
    x = ((birds.x - birds.x.mean(0)) / birds.x.std(0)).astype(float)
    y, w = 2.0 * birds.y - 1, np.array([7.6, -2.1])
    for _ in range(20):
        s = 1 / (1 + np.exp(y * (x @ w)))
        minus_h = (x.T * (s * (1 - s))) @ x / len(y)
        w = w + np.linalg.solve(minus_h, (s * y) @ x / len(y))
    return minus_h


def in_units(factor: float) -> float:
    """The longest step after the second feature was multiplied by `factor`."""
    scale = np.diag([1.0, factor])
    return float(2 / np.linalg.eigvalsh(scale @ curvature_at_top() @ scale).max())


units = value(
    "units",
    solution=lambda: in_units(10.0),
    stars=3,
    tolerance=5e-3,
    mistakes=[
        mistake(
            "This is the bound for the old units. The hill over the new w₂ is ten times as narrow.",
            lambda: in_units(1.0),
        ),
        mistake(
            "A tenth is too much: the second derivative with respect to w₂ has the factor twice.",
            lambda: in_units(1.0) / 10,
        ),
        mistake(
            "Not quite a hundredth: only the second derivative with respect to w₂ grows by 100, "
            "the mixed ones grow by 10. Compute the eigenvalues again.",
            lambda: in_units(1.0) / 100,
        ),
        mistake(
            "The wrong way: larger numbers make the hill narrower, and the step smaller.",
            lambda: in_units(0.1),
        ),
    ],
    learned="That is why features are measured in standard deviations: one step size for all.",
)

EXERCISES = [paper, partial_derivatives, batch, careful, longest, look_ahead, units]
