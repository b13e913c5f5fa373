"""Exercises of the chapter on deep networks: factors, paths, normalisation, a block, step sizes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.kit.exercises import function, mistake, puzzle, value

# --- a factor on paper ----------------------------------------------------------------------------

factor = value(
    "factor",
    solution=(1 / 3, 1 / 27),
    stars=1,
    tolerance=2e-2,
    mistakes=[
        mistake(
            "You left out the ReLU's half.",
            (2 / 3, (2 / 3) ** 3),
        ),
        mistake(
            "You took 0.2² for the variance; a uniform number between −m and m has m²/3.",
            (1.0, 1.0),
        ),
        mistake(
            "The first is right. The second is that of the mean square; the size is its root.",
            (1 / 3, 1 / 729),
        ),
        mistake(
            "The first is the factor of the size in one layer; give that of the mean square.",
            (3**-0.5, 1 / 27),
        ),
        mistake(
            "You used the standard deviation of a weight where its variance belongs.",
            (25 * 0.2 / 3**0.5, (25 * 0.2 / 3**0.5) ** 3),
        ),
    ],
    learned="A third in the mean square: after six layers the size is 1/27 of what it was.",
)

# --- slopes around and through --------------------------------------------------------------------

paths = value(
    "paths",
    solution=(-0.01, 1.32, 0.4),
    stars=1,
    tolerance=1e-3,
    mistakes=[
        mistake("Slopes along a path are multiplied, not added.", (0.4, 1.32, 0.4)),
        mistake(
            "With a residual connection each layer has the slope 1 + f′; you added one 1 for all.",
            (-0.01, 0.99, 0.4),
        ),
        mistake(
            "f₂′ is negative, so its layer's slope is 1 − 0.2 = 0.8.",
            (-0.01, 1.5 * 1.2 * 1.1, 0.4),
        ),
        mistake(
            "The third number: paths through exactly one layer are f₁′ + f₂′ + f₃′. The 1 belongs "
            "to the path around all of them.",
            (-0.01, 1.32, 1.4),
        ),
    ],
    learned="1 + 0.4 − 0.07 − 0.01 = 1.32: around, through one, through two, through three.",
)

# --- layer normalisation --------------------------------------------------------------------------


def rows(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return rng.normal(size=(5, 4)) * 3 + 2, rng.normal(size=4) + 2, rng.normal(size=4)


def normal(h: Any, dim: int = 1, centre: bool = True, correction: int = 0) -> Any:
    """h with mean 0 and variance 1 along `dim`; the variance divides by n − `correction`."""
    c = h - h.mean(dim, keepdim=True)
    variance = (c * c).sum(dim, keepdim=True) / (h.shape[dim] - correction)
    return (c if centre else h) / (variance + 1e-5).sqrt()


layer_norm = function(
    "layer-norm",
    solution=lambda h, gamma, beta: F.layer_norm(h, (h.shape[1],), gamma, beta),
    given=rows,
    stars=2,
    derivative=True,
    mistakes=[
        mistake(
            "You normalise columns: that is batch normalisation. Here an image is a row.",
            lambda h, gamma, beta: gamma * normal(h, 0) + beta,
        ),
        mistake(
            "The variance divides by n here; yours divides by n − 1, as std and var do by default.",
            lambda h, gamma, beta: gamma * normal(h, correction=1) + beta,
        ),
        mistake(
            "You divide by the standard deviation but do not subtract the mean.",
            lambda h, gamma, beta: gamma * normal(h, centre=False) + beta,
        ),
        mistake(
            "You divide by the variance; its root is needed.",
            lambda h, gamma, beta: (
                gamma
                * (h - h.mean(1, keepdim=True))
                / (((h - h.mean(1, keepdim=True)) ** 2).mean(1, keepdim=True) + 1e-5)
                + beta
            ),
        ),
        mistake(
            "gamma and beta are missing: the normalised numbers are scaled and moved at the end.",
            lambda h, gamma, beta: normal(h),
        ),
        mistake(
            "beta is an offset at the end; gamma multiplies before it is added.",
            lambda h, gamma, beta: gamma * (normal(h) + beta),
        ),
    ],
    learned="Each row forgets its size and keeps its pattern.",
)

# --- find the bug: a block ------------------------------------------------------------------------


def block_of(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return rng.normal(size=(6, 4)) * 2 + 1, rng.normal(size=(4, 4)), rng.normal(size=4)


def ln(h: Any) -> Any:
    return F.layer_norm(h, (h.shape[1],))


block = function(
    "block",
    solution=lambda h, W, b: h + (ln(h) @ W.T + b).relu(),
    given=block_of,
    stars=2,
    derivative=True,
    mistakes=[
        mistake(
            "This is what the buggy block computes: its input is overwritten, and nothing leads "
            "around the layer.",
            lambda h, W, b: 2 * (ln(h) @ W.T + b).relu(),
        ),
        mistake(
            "You add the normalised input; the input itself should go around.",
            lambda h, W, b: ln(h) + (ln(h) @ W.T + b).relu(),
        ),
        mistake(
            "The layer receives h without normalisation.",
            lambda h, W, b: h + (h @ W.T + b).relu(),
        ),
        mistake(
            "W is stored as (out, in): multiply by its transpose.",
            lambda h, W, b: h + (ln(h) @ W + b).relu(),
        ),
        mistake(
            "The ReLU belongs to the change alone; here it also cuts the part that goes around.",
            lambda h, W, b: (h + ln(h) @ W.T + b).relu(),
        ),
        mistake(
            "You normalise the sum; the normalisation comes before the layer.",
            lambda h, W, b: ln(h + (h @ W.T + b).relu()),
        ),
        mistake("The ReLU is missing.", lambda h, W, b: h + ln(h) @ W.T + b),
    ],
    learned="The part that goes around the layer is the input, unchanged.",
)

# --- two ways to do nothing -----------------------------------------------------------------------

nothing = value(
    "nothing",
    solution=(0.0, 1.0, 0.0, -0.2),
    stars=2,
    tolerance=1e-3,
    mistakes=[
        mistake(
            "Block A: the total input is 0 · 2 + 0 = 0, and the slope of the ReLU there is 0.",
            (2.0, 1.0, 0.0, -0.2),
        ),
        mistake(
            "The derivative with respect to v is what v is multiplied by: g(0.5 · 2), not h.",
            (0.0, 2.0, 0.0, -0.4),
        ),
        mistake(
            "Block B, first step: the derivative with respect to w has the factor v, which is 0.",
            (0.0, 1.0, 2.0, -0.2),
        ),
        mistake(
            "After the first step v is no longer 0, so w has a derivative in the second.",
            (0.0, 1.0, 0.0, 0.0),
        ),
        mistake(
            "A step goes against the derivative: v moves from 0 to −0.1.",
            (0.0, 1.0, 0.0, 0.2),
        ),
        mistake(
            "The last number is v after the step; the derivative with respect to w is v · g′ · h.",
            (0.0, 1.0, 0.0, -0.1),
        ),
    ],
    learned="With zeros after the nonlinearity a block learns; with zeros before it, never.",
)

# --- Xavier with ReLU -----------------------------------------------------------------------------


def trouble(answer: Any) -> str | None:
    """What is wrong with (predicted, measured), or None."""
    try:
        predicted, measured = (float(v) for v in answer)
    except (TypeError, ValueError):
        return "Two numbers are needed: the predicted factor and the measured one."
    if math.isclose(predicted, 0.5**12, rel_tol=0.02):
        return "The prediction is the factor of the mean square; the size is its root."
    if math.isclose(predicted, 1.0, rel_tol=0.02):
        return "Without the ReLU it would be 1. The ReLU halves the mean square in each layer."
    if not math.isclose(predicted, 1 / 64, rel_tol=0.02):
        return "The prediction: each of twelve layers multiplies the mean square by ½."
    if math.isclose(measured, 1 / 64, rel_tol=1e-6):
        return "Your measured number is the prediction itself; measure with random weights."
    if 0.4 / 64**2 < measured < 2.5 / 64**2:
        return "You measured the mean square; take the root before you divide."
    if not 0.5 / 64 < measured < 2 / 64:
        return (
            "The prediction is right, the measured number is not near it. Are the weights divided "
            "by √256 = 16, and is the result divided by the input's root mean square?"
        )
    return None


xavier = puzzle(
    "xavier",
    solution=(1 / 64, 0.0149),
    problem=trouble,
    stars=2,
    mistakes=[
        mistake("The prediction is the factor of the mean square; the size is its root.",
                (0.5**12, 0.0149)),
        mistake("Without the ReLU it would be 1. The ReLU halves the mean square in each layer.",
                (1.0, 0.0149)),
        mistake("The prediction: each of twelve layers multiplies the mean square by ½.",
                (0.5**11.5, 0.0149)),
        mistake("Your measured number is the prediction itself; measure with random weights.",
                (1 / 64, 1 / 64)),
        mistake("You measured the mean square; take the root before you divide.",
                (1 / 64, 0.00024)),
        mistake("The prediction is right, the measured number is not near it. Are the weights "
                "divided by √256 = 16, and is the result divided by the input's root mean square?",
                (1 / 64, 4.2e12)),
    ],
    learned="The rule is a mean over all random weights; a single network is near it.",
)  # fmt: skip

# --- the size of a step ---------------------------------------------------------------------------


def steps(rng: np.random.Generator) -> tuple[list, list]:
    shapes = [(4, 3), (4,), (2, 4), (2,)]
    before = [nnlib.tensor(rng.normal(size=s) * (1 if len(s) > 1 else 0.01)) for s in shapes]
    sizes = rng.permutation([0.001, 0.02])
    change = [sizes[0], 0.05, sizes[1], 0.05]
    after = [p + c * nnlib.tensor(rng.normal(size=p.shape)) for p, c in zip(before, change)]
    return before, after


def ratios(before: Any, after: Any, least: int = 2) -> list:
    pairs = zip(before, after, strict=True)
    return [(q - p).norm() / p.norm() for p, q in pairs if p.dim() >= least]


ratio = function(
    "ratio",
    solution=lambda before, after: max(ratios(before, after)),
    given=steps,
    stars=2,
    mistakes=[
        mistake(
            "The biases are still among them: leave out tensors with one dimension.",
            lambda before, after: max(ratios(before, after, 1)),
        ),
        mistake("This is the smallest ratio.", lambda before, after: min(ratios(before, after))),
        mistake(
            "This is the largest change, without the division by the norm before.",
            lambda before, after: max(
                (q - p).norm() for p, q in zip(before, after, strict=True) if p.dim() > 1
            ),
        ),
        mistake(
            "You compare the norm after with the norm before; the norm of the change is needed.",
            lambda before, after: max(
                q.norm() / p.norm() for p, q in zip(before, after, strict=True) if p.dim() > 1
            ),
        ),
        mistake(
            "This is the mean of the ratios; give the largest.",
            lambda before, after: sum(ratios(before, after)) / len(ratios(before, after)),
        ),
    ],
    learned="About a thousandth is usual; a tenth is a warning.",
)

EXERCISES = [factor, paths, layer_norm, block, nothing, xavier, ratio]
