"""Drawings by strokes of a brush; the ten digits, to be drawn at any position and of any size."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

CIRCLE = [(0.5 - 0.5 * np.cos(t), 0.5 + 0.35 * np.sin(t)) for t in np.linspace(0, 2 * np.pi, 25)]
# For each digit its strokes; a stroke is a row of points (down, right) in a square of side 1.
STROKES: dict[int, list[list[tuple[float, float]]]] = {
    0: [CIRCLE],
    1: [[(0, 0.5), (1, 0.5)]],
    2: [[(0.2, 0.15), (0.03, 0.35), (0.03, 0.65), (0.2, 0.82), (0.4, 0.75), (1, 0.1), (1, 0.9)]],
    3: [[(0.05, 0.15), (0, 0.5), (0.15, 0.8), (0.38, 0.7), (0.48, 0.4), (0.58, 0.7), (0.8, 0.82),
         (0.97, 0.55), (0.92, 0.15)]],
    4: [[(0, 0.2), (0.6, 0.15), (0.6, 0.9)], [(0.05, 0.75), (1, 0.7)]],
    5: [[(0, 0.85), (0, 0.25), (0.42, 0.2), (0.4, 0.6), (0.6, 0.85), (0.85, 0.75), (1, 0.4),
         (0.92, 0.12)]],
    6: [[(0, 0.65), (0.3, 0.3), (0.65, 0.18), (0.92, 0.3), (1, 0.55), (0.85, 0.8), (0.62, 0.7),
         (0.6, 0.4), (0.8, 0.22)]],
    7: [[(0, 0.1), (0, 0.9), (1, 0.35)]],
    8: [[(0.25 - 0.25 * np.cos(t), 0.5 + 0.27 * np.sin(t)) for t in np.linspace(0, 6.3, 19)],
        [(0.75 - 0.25 * np.cos(t), 0.5 + 0.32 * np.sin(t)) for t in np.linspace(0, 6.3, 19)]],
    9: [[(0.25 - 0.25 * np.cos(t), 0.5 + 0.28 * np.sin(t)) for t in np.linspace(0, 6.3, 19)],
        [(0.2, 0.78), (1, 0.65)]],
}  # fmt: skip


def draw_digit(digit: int, top: float, left: float, side: float, brush: float = 1.2) -> np.ndarray:
    """A digit in a square of `side` pixels, as a figure's paint control draws it; (28, 28)."""
    return draw_strokes(STROKES[digit], top, left, side, brush)


def draw_strokes(
    strokes: Sequence[Sequence[tuple[float, float]]],
    top: float,
    left: float,
    side: float,
    brush: float = 1.2,
) -> np.ndarray:
    """Strokes as a figure's paint control draws them: round dots of the brush along each; (28, 28).

    The strokes fill a square of `side` pixels whose upper left corner is at `top` and `left`.
    """
    down, right = np.mgrid[0.5:28, 0.5:28]
    ink = np.zeros((28, 28), "float32")
    for stroke in strokes:
        points = np.array(stroke) * side + (top, left)
        for a, b in pairwise(points):
            for t in np.linspace(0, 1, max(2, int(2 * np.hypot(*(b - a))))):
                r, c = a + t * (b - a)
                dot = np.clip(brush + 0.5 - np.hypot(down - r, right - c), 0, 1)
                ink = np.maximum(ink, dot.astype("float32"))
    return ink
