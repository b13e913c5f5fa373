"""Exercises of the chapter on convolutions: sizes, counts, windows, pooling, shared gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib.nn.functional as F
from course.kit.exercises import function, gradient, mistake, puzzle

# --- how large is the map? ------------------------------------------------------------------------


def sizes(rng: np.random.Generator) -> tuple[int, int, int, int]:
    return int(rng.integers(20, 40)), int(rng.integers(3, 8)), int(rng.integers(2, 4)), 2


size = function(
    "size",
    like=lambda n, k, s, p: (n + 2 * p - k) // s + 1,
    given=sizes,
    stars=1,
    mistakes=[
        mistake(
            "One too few: the window's first place counts as well.",
            lambda n, k, s, p: (n + 2 * p - k) // s,
        ),
        mistake(
            "The padding stands on both sides.",
            lambda n, k, s, p: (n + p - k) // s + 1,
        ),
        mistake(
            "These are all places of the window; the stride skips most of them.",
            lambda n, k, s, p: n + 2 * p - k + 1,
        ),
        mistake(
            "The padding makes the image larger: it adds.",
            lambda n, k, s, p: (n - 2 * p - k) // s + 1,
        ),
        mistake(
            "A window that would stick out is left out: round down with //.",
            lambda n, k, s, p: (n + 2 * p - k) / s + 1 + 0.25,
        ),
    ],
    learned="With stride 1 and p = (k − 1)/2 the map is as large as the image.",
)

# --- how many weights? ----------------------------------------------------------------------------

count = function(
    "count",
    like=lambda before, after, k: after * (before * k * k + 1),
    given=lambda rng: tuple(int(n) for n in rng.integers(2, 9, 3)),
    stars=1,
    mistakes=[
        mistake("Each map's bias is missing.", lambda before, after, k: after * before * k * k),
        mistake(
            "A kernel reaches through all maps of the layer before: it has before · k · k weights.",
            lambda before, after, k: after * (k * k + 1),
        ),
        mistake(
            "One bias for each map that is made, not for each pair of maps.",
            lambda before, after, k: after * before * (k * k + 1),
        ),
        mistake("A window has k rows of k: k² pixels.",
                lambda before, after, k: after * (before * k + 1)),
    ],
    learned="The size of the image is nowhere in it.",
)  # fmt: skip

# --- slide a window -------------------------------------------------------------------------------


def picture(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(6, 8)), rng.normal(size=(3, 3))


def convolved(x: Any, kernel: Any) -> Any:
    return F.conv2d(x[None, None], kernel[None, None])[0, 0]


slide = function(
    "slide",
    like=convolved,
    given=picture,
    stars=2,
    derivative=True,
    mistakes=[
        mistake(
            "The kernel is turned by 180°: mathematicians' convolution. Here it slides as it is.",
            lambda x, kernel: convolved(x, kernel.flip(0, 1)),
        ),
        mistake(
            "Rows and columns are exchanged in the kernel.",
            lambda x, kernel: convolved(x, kernel.T),
        ),
        mistake(
            "The map's rows and columns are exchanged.",
            lambda x, kernel: convolved(x, kernel).T,
        ),
        mistake(
            "The window sticks out of the image: it fits at 4 × 6 places only.",
            lambda x, kernel: F.conv2d(x[None, None], kernel[None, None], padding=1)[0, 0],
        ),
        mistake(
            "You average each window; a neuron adds up.",
            lambda x, kernel: convolved(x, kernel) / 9,
        ),
        mistake(
            "The last row and column of places are missing.",
            lambda x, kernel: convolved(x, kernel)[:-1, :-1],
        ),
    ],
    learned="A whole layer of neurons, and nine weights.",
)

# --- pool -----------------------------------------------------------------------------------------

pool = function(
    "pool",
    like=lambda x: F.max_pool2d(x[None, None], 2)[0, 0],
    given=lambda rng: (rng.normal(size=(6, 8)),),
    stars=2,
    mistakes=[
        mistake("The largest of each block is asked for, not its mean.",
                lambda x: F.avg_pool2d(x[None, None], 2)[0, 0]),
        mistake("These are all windows of 2 × 2; pooling takes those that do not overlap.",
                lambda x: F.max_pool2d(x[None, None], 2, stride=1)[0, 0]),
        mistake("This keeps the first pixel of each block, whatever the others are.",
                lambda x: x[::2, ::2]),
        mistake("The blocks are rows of four here: after the reshape, take the maximum over "
                "dimensions 1 and 3.",
                lambda x: x.reshape(3, 4, 4).amax(2)),
    ],
    learned="A quarter of the numbers; a shift by one pixel often changes none of them.",
)  # fmt: skip

# --- a kernel for an edge -------------------------------------------------------------------------

SHAPE = "a table of 3 × 3 numbers is needed."
FLAT = "it answers inside even ink too: its nine weights should add up to 0."
FLIPPED = "it sees the other side: turn its signs."
BLIND = "it does not answer at all where ink begins on the right."
LYING = "it also answers at edges that lie: each column should hold one number three times."


def edge_problem(answer: Any) -> str | None:
    kernel = np.asarray(answer.tolist() if hasattr(answer, "tolist") else answer, float)
    if kernel.shape != (3, 3):
        return SHAPE
    right, left = np.array([[0.0, 0, 1]] * 3), np.array([[1.0, 1, 0]] * 3)
    if abs(kernel.sum()) > 1e-6:
        return FLAT
    if (kernel * right).sum() < -1e-6 and (kernel * left).sum() > 1e-6:
        return FLIPPED
    if (kernel * right).sum() < 0.5:
        return BLIND
    lying = [(kernel * side).sum() for side in (right.T, left.T)]
    return LYING if max(abs(v) for v in lying) > 1e-6 else None


edge = puzzle(
    "edge",
    right=[[-1, 0, 1]] * 3,
    problem=edge_problem,
    stars=2,
    mistakes=[
        mistake(SHAPE, [1, 0, -1]),
        mistake(FLAT, [[0, 0, 1]] * 3),
        mistake(FLIPPED, [[1, 0, -1]] * 3),
        mistake(BLIND, [[0, 0, 0]] * 3),
        mistake(LYING, [[-1, -1, 0], [-1, 0, 1], [0, 1, 1]]),
    ],
    learned="Training finds such kernels by itself, among others.",
)

# --- the gradient of shared weights ---------------------------------------------------------------


def errors(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return rng.normal(size=(3, 3)), rng.normal(size=(6, 8)), rng.normal(size=(4, 6))


shared = gradient(
    "shared",
    of=lambda kernel, x, delta: (convolved(x, kernel) * delta).sum(),
    given=errors,
    stars=3,
    mistakes=[
        mistake(
            "This is the first window's share alone. All 24 copies use the same weights: add.",
            lambda kernel, x, delta: delta[0, 0] * x[:3, :3],
        ),
        mistake(
            "You overwrite: this is the last window's share. All copies' shares are added.",
            lambda kernel, x, delta: delta[-1, -1] * x[-3:, -3:],
        ),
        mistake(
            "This is the mean over the copies; fan-out adds.",
            lambda kernel, x, delta: convolved(x, delta) / 24,
        ),
        mistake(
            "The kernel itself does not matter here: a weight's gradient is what it was given, "
            "times the error.",
            lambda kernel, x, delta: convolved(x, delta) * kernel,
        ),
    ],
    learned="It is a convolution again: of the image with the errors.",
)

EXERCISES = [size, count, slide, pool, edge, shared]
