"""Drawings that are not digits, as strokes of the paint pad's brush."""

from __future__ import annotations

import numpy as np

from course.cnn.strokes import draw_strokes

Stroke = list[tuple[float, float]]  # (down, right) in a square of side 1


def arc(down: float, right: float, radius: float, start: float, end: float) -> Stroke:
    """A part of a circle, from one angle to another; 0 is at its right, then clockwise."""
    angles = np.linspace(start, end, 41)
    return [(down + radius * np.sin(t), right + radius * np.cos(t)) for t in angles]


STROKES: dict[str, list[Stroke]] = {
    "a house": [[(0.4, 0.1), (1, 0.1), (1, 0.9), (0.4, 0.9)], [(0.45, 0), (0, 0.5), (0.45, 1)]],
    "a face": [arc(0.5, 0.5, 0.5, 0, 2 * np.pi), arc(0.5, 0.5, 0.28, 0.25, np.pi - 0.25),
               [(0.35, 0.33), (0.36, 0.33)], [(0.35, 0.67), (0.36, 0.67)]],
    "a star": [[(1, 0.2), (0, 0.5), (1, 0.8), (0.37, 0), (0.37, 1), (1, 0.2)]],
    "the letter A": [[(1, 0.05), (0, 0.5), (1, 0.95)], [(0.62, 0.22), (0.62, 0.78)]],
    "the letter H": [[(0, 0.1), (1, 0.1)], [(0, 0.9), (1, 0.9)], [(0.5, 0.1), (0.5, 0.9)]],
    "nothing": [],
}  # fmt: skip


def drawings() -> dict[str, np.ndarray]:
    """Each drawing by its name, (28, 28), rounded to two decimals."""
    return {name: draw_strokes(strokes, 4, 4, 20).round(2) for name, strokes in STROKES.items()}
