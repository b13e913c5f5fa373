"""Exercises of the chapter on convolutions: windows, sizes, channels, pooling, shared gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from course.kit.exercises import function, gradient, mistake, puzzle, value

# --- a window on paper ----------------------------------------------------------------------------

SOBEL = np.array([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
WINDOW = np.array([[1.0, 1, 0], [1, 0.5, 0], [1, 0, 0]])
BIAS = -1.0


def total_and_relu(total: float) -> tuple[float, float]:
    return float(total), max(0.0, float(total))


paper = value(
    "paper",
    solution=lambda: total_and_relu((SOBEL * WINDOW).sum() + BIAS),
    stars=1,
    mistakes=[
        mistake(
            "The bias is missing: it is added once, to the sum of all nine.",
            lambda: total_and_relu((SOBEL * WINDOW).sum()),
        ),
        mistake(
            "The bias is added once, not for each row.",
            lambda: total_and_relu((SOBEL * WINDOW).sum() + 3 * BIAS),
        ),
        mistake(
            "The kernel is rotated by 180° here. Use it as it is.",
            lambda: total_and_relu((SOBEL[::-1, ::-1] * WINDOW).sum() + BIAS),
        ),
        mistake(
            "The total input is right. ReLU keeps a positive number; it does not make it 1.",
            lambda: ((SOBEL * WINDOW).sum() + BIAS, 1.0),
        ),
    ],
    learned="Nine multiplications, one sum, a bias, g: a neuron like any other.",
)

# --- how large is the map? ------------------------------------------------------------------------


def sizes(rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Sides, stride and padding for which a last window would stick out."""
    k, s, p = int(rng.integers(3, 8)), int(rng.integers(2, 4)), 2
    moves = int(rng.integers(5, 12))
    return k - 2 * p + s * moves + int(rng.integers(1, s)), k, s, p


size = function(
    "size",
    solution=lambda n, k, s, p: (n + 2 * p - k) // s + 1,
    given=sizes,
    stars=1,
    mistakes=[
        mistake(
            "One too few: the window's first position counts as well.",
            lambda n, k, s, p: (n + 2 * p - k) // s,
        ),
        mistake(
            "The padding is on both sides.",
            lambda n, k, s, p: (n + p - k) // s + 1,
        ),
        mistake(
            "These are all positions of the window; the stride skips most of them.",
            lambda n, k, s, p: n + 2 * p - k + 1,
        ),
        mistake(
            "The padding makes the image larger: it adds.",
            lambda n, k, s, p: (n - 2 * p - k) // s + 1,
        ),
        mistake(
            "A window that would stick out is left out: round down with //.",
            lambda n, k, s, p: (n + 2 * p - k) / s + 1,
        ),
        mistake(
            "This rounds up: it counts a window that sticks out. Round down with //.",
            lambda n, k, s, p: -(-(n + 2 * p - k) // s) + 1,
        ),
    ],
    learned="With stride 1 and p = (k − 1)/2 the map is as large as the image.",
)

# --- how far does it see? -------------------------------------------------------------------------


def receptive_field(
    layers: Any, too_early: bool = False, strides: bool = True, overlap: int = 1
) -> int:
    """The side of the receptive field of layers (kernel side, stride).

    Args:
        too_early: True is the mistake that a layer's own stride counts for its own windows.
        strides: False is the mistake that strides do not count.
        overlap: 0 is the mistake that each window counts its first pixel again.
    """
    side, step = 1, 1
    for k, stride in layers:
        if too_early:
            step *= stride
        side += (k - overlap) * step
        if not too_early and strides:
            step *= stride
    return side


def some_layers(rng: np.random.Generator) -> tuple[list[tuple[int, int]]]:
    sides = rng.integers(2, 6, 4)
    return ([(int(k), int(s)) for k, s in zip(sides, (1, 2, 3, 2), strict=True)],)


field = function(
    "field",
    solution=receptive_field,
    given=some_layers,
    stars=2,
    mistakes=[
        mistake(
            "The stride counts one layer too early: a layer's own windows are laid out with the "
            "step of the layer below.",
            lambda layers: receptive_field(layers, too_early=True),
        ),
        mistake(
            "The strides are missing: after pooling, neighbours are farther apart.",
            lambda layers: receptive_field(layers, strides=False),
        ),
        mistake(
            "A window of k pixels adds k − 1 distances; its first pixel is counted already.",
            lambda layers: receptive_field(layers, overlap=0),
        ),
        mistake(
            "Strides multiply: two poolings by 2 make a step of 4.",
            lambda layers: (
                1
                + sum(
                    (k - 1) * (1 + sum(s - 1 for _, s in layers[:at]))
                    for at, (k, _) in enumerate(layers)
                )
            ),
        ),
    ],
    learned="Each pooling makes every later window wider: that is how a few layers see everything.",
)

# --- channels in, channels out --------------------------------------------------------------------


def convolved(x: Any, kernel: Any) -> Any:
    return F.conv2d(x[None, None], kernel[None, None])[0, 0]


def layer(x: Any, kernels: Any, biases: Any) -> Any:
    return F.conv2d(x[None], kernels, biases)[0]


channels = function(
    "channels",
    solution=layer,
    given=lambda rng: (
        rng.normal(size=(2, 6, 8)),
        rng.normal(size=(4, 2, 3, 3)),
        rng.normal(size=4),
    ),
    stars=3,
    derivative=True,
    mistakes=[
        mistake(
            "Only the first channel is seen: a neuron looks at all channels of its window.",
            lambda x, kernels, biases: layer(x[:1], kernels[:, :1], biases),
        ),
        mistake(
            "Each channel gets a total of its own here. One neuron adds up all channels.",
            lambda x, kernels, biases: nnlib.stack(
                [layer(x[c : c + 1], kernels[:, c : c + 1], biases) for c in range(2)], 1
            ),
        ),
        mistake(
            "The bias is added once for each channel; a map has one bias.",
            lambda x, kernels, biases: layer(x, kernels, 2 * biases),
        ),
        mistake(
            "The bias is missing.",
            lambda x, kernels, biases: layer(x, kernels, 0 * biases),
        ),
        mistake(
            "The kernel is rotated by 180°: mathematicians' convolution. Here it slides as it is.",
            lambda x, kernels, biases: layer(x, kernels.flip(2, 3), biases),
        ),
        mistake(
            "Rows and columns are exchanged in the kernels.",
            lambda x, kernels, biases: layer(x, kernels.transpose(2, 3), biases),
        ),
        mistake(
            "The channels are averaged; a neuron adds them up.",
            lambda x, kernels, biases: layer(x, kernels / 2, biases),
        ),
    ],
    learned="A neuron adds up all channels of its window and a bias; each map has its own bias.",
)

# --- pool -----------------------------------------------------------------------------------------

pool = function(
    "pool",
    solution=lambda x: F.max_pool2d(x[None, None], 2)[0, 0],
    given=lambda rng: (rng.normal(size=(6, 8)),),
    stars=2,
    mistakes=[
        mistake("This is still four pixels of one row. Split rows and columns separately.",
                lambda x: x.reshape(3, 4, 4).amax(2)),
        mistake("Take the largest of each block, not its mean.",
                lambda x: F.avg_pool2d(x[None, None], 2)[0, 0]),
        mistake("These are all windows of 2 × 2; pooling takes those that do not overlap.",
                lambda x: F.max_pool2d(x[None, None], 2, stride=1)[0, 0]),
        mistake("This keeps the first pixel of each block, whatever the others are.",
                lambda x: x[::2, ::2]),
        mistake("This takes the maximum over the blocks, and keeps what is inside a block: the "
                "two dimensions are exchanged.",
                lambda x: x.reshape(3, 2, 4, 2).amax((0, 2))),
        mistake("This takes the maximum over a block's two rows only; a block has two columns "
                "as well.", lambda x: x.reshape(3, 2, 8).amax(1)),
    ],
    learned="A quarter of the numbers; a shift by one pixel often changes none of them.",
)  # fmt: skip

# --- a kernel for a thin line ---------------------------------------------------------------------

SHAPE = "a matrix of 3 × 3 weights is needed."
SUM_NOT_ZERO = "it also responds inside an evenly inked area: its nine weights should add up to 0."
ROW_SUM_NOT_ZERO = "it also responds to horizontal edges: each row has to add up to 0 by itself."
WRONG_SIGN = "it is negative on a line in the middle: change all its signs."
MIDDLE_SUM_ZERO = "it does not respond to a line in the middle: its middle column adds up to 0."
SIDES_NOT_NEGATIVE = (
    "it is not negative on a line through the left column and on one through the right column."
)


def line_problem(answer: Any) -> str | None:
    kernel = np.asarray(answer.tolist() if hasattr(answer, "tolist") else answer, float)
    if kernel.shape != (3, 3):
        return SHAPE
    tolerance = 1e-6 * max(1e-9, abs(kernel).max())
    if abs(kernel.sum()) > tolerance:
        return SUM_NOT_ZERO
    if (abs(kernel.sum(1)) > tolerance).any():
        return ROW_SUM_NOT_ZERO
    left, middle, right = kernel.sum(0)  # the total input on a line through each column
    if abs(middle) <= tolerance:
        return MIDDLE_SUM_ZERO
    if middle < 0:
        return WRONG_SIGN
    return None if max(left, right) < -tolerance else SIDES_NOT_NEGATIVE


line = puzzle(
    "line",
    solution=[[-1, 2, -1]] * 3,
    problem=line_problem,
    stars=2,
    mistakes=[
        mistake(SHAPE, [-1, 2, -1]),
        mistake(SUM_NOT_ZERO, [[0, 1, 0]] * 3),
        mistake(ROW_SUM_NOT_ZERO, [[-1, -1, -1], [2, 2, 2], [-1, -1, -1]]),
        mistake(WRONG_SIGN, [[1, -2, 1]] * 3),
        mistake(MIDDLE_SUM_ZERO, [[-1, 0, 1]] * 3),
        mistake(SIDES_NOT_NEGATIVE, [[-1, 1, 0]] * 3),
    ],
    learned="Training finds such kernels by itself, among others.",
)

# --- the gradient of shared weights ---------------------------------------------------------------


def kernel_image_delta(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return rng.normal(size=(3, 3)), rng.normal(size=(6, 8)), rng.normal(size=(4, 6))


shared = gradient(
    "shared",
    of=lambda kernel, x, delta: (convolved(x, kernel) * delta).sum(),
    given=kernel_image_delta,
    stars=3,
    mistakes=[
        mistake(
            "This is the first window's term alone. All 24 copies use the same weights: add.",
            lambda kernel, x, delta: delta[0, 0] * x[:3, :3],
        ),
        mistake(
            "You overwrite: this is the last window's term. All copies' terms are added.",
            lambda kernel, x, delta: delta[-1, -1] * x[-3:, -3:],
        ),
        mistake(
            "This is the mean over the copies; paths add.",
            lambda kernel, x, delta: convolved(x, delta) / 24,
        ),
        mistake(
            "The kernel's own weights do not matter here: a weight's gradient is δ times the pixel "
            "that it was multiplied by.",
            lambda kernel, x, delta: convolved(x, delta) * kernel,
        ),
    ],
    learned="It is a convolution again: of the image with δ as its kernel.",
)

EXERCISES = [paper, size, field, line, pool, channels, shared]
