"""Random points in the plane, determined by a seed, for trying out small networks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nnlib.datasets._files import About
from nnlib.datasets.tables import Samples

Sampler = Callable[[np.random.Generator, np.ndarray], np.ndarray]


def _sampled(name: str, sample: Sampler, n: int, noise: float, seed: int) -> Samples:
    """`n` points, alternately of classes 0 and 1, so that the first k are balanced for every k."""
    if n < 2:
        raise ValueError(f"{name} needs n ≥ 2 points, one of each class, but was given {n}.")
    if noise < 0:
        raise ValueError(f"{name}: noise is a standard deviation, ≥ 0, but was given {noise}.")
    random = np.random.default_rng(seed)
    y = np.arange(n) % 2
    x = sample(random, y) + noise * random.standard_normal((n, 2))
    about = About(f"{name} with seed {seed}", "nnlib.datasets.planes", "CC0 1.0", "")
    return Samples(x.astype(np.float32), y, ("0", "1"), ("x1", "x2"), about)


def _ring(random: np.random.Generator, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Points of radius `low` … `high` about the origin, uniform over the area."""
    radius = np.sqrt(random.uniform(low**2, high**2))
    angle = random.uniform(0, 2 * np.pi, len(radius))
    points: np.ndarray = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    return points


def blobs(n: int = 200, noise: float = 0.4, seed: int = 0) -> Samples:
    """Two clouds, about (−0.9, −0.9) and (0.9, 0.9), which a line separates.

    >>> from nnlib import datasets
    >>> datasets.blobs(4, noise=0).x[:, 0] > 0
    array([False,  True, False,  True])
    """
    return _sampled("blobs", lambda _, y: (1.8 * y - 0.9)[:, None] * np.ones(2), n, noise, seed)


def circles(n: int = 200, noise: float = 0.1, seed: int = 0) -> Samples:
    """A disc of radius 0.8 (class 1) inside a ring from 1.2 to 1.7 (class 0).

    >>> from nnlib import datasets
    >>> s = datasets.circles(100, noise=0)
    >>> bool(((s.x**2).sum(1) < 1).astype(int).tolist() == s.y.tolist())
    True
    """
    return _sampled("circles", lambda r, y: _ring(r, 1.2 * (1 - y), 1.7 - 0.9 * y), n, noise, seed)


def xor(n: int = 200, noise: float = 0.1, seed: int = 0) -> Samples:
    """Four squares; class 1 where x₁ and x₂ differ in sign.

    >>> from nnlib import datasets
    >>> s = datasets.xor(100, noise=0)
    >>> bool((s.x[:, 0] * s.x[:, 1] < 0).astype(int).tolist() == s.y.tolist())
    True
    """

    def squares(random: np.random.Generator, y: np.ndarray) -> np.ndarray:
        size = random.uniform(0.15, 1.6, (len(y), 2))
        right = random.choice([-1, 1], len(y))
        points: np.ndarray = size * np.stack([right, np.where(y == 1, -right, right)], 1)
        return points

    return _sampled("xor", squares, n, noise, seed)


def spirals(n: int = 200, noise: float = 0.05, seed: int = 0) -> Samples:
    """Two arms that wind around each other, each about one and a third times.

    >>> from nnlib import datasets
    >>> datasets.spirals(2, noise=0).x.shape
    (2, 2)
    """

    def arms(random: np.random.Generator, y: np.ndarray) -> np.ndarray:
        t = random.uniform(0.05, 1, len(y))
        angle = 1.75 * t * 2 * np.pi * 0.8 + np.pi * y
        points: np.ndarray = 1.75 * t[:, None] * np.stack([np.sin(angle), np.cos(angle)], 1)
        return points

    return _sampled("spirals", arms, n, noise, seed)


def moons(n: int = 200, noise: float = 0.12, seed: int = 0) -> Samples:
    """Two interleaving half-circles.

    >>> from nnlib import datasets
    >>> datasets.moons(2, noise=0).y.tolist()
    [0, 1]
    """

    def halves(random: np.random.Generator, y: np.ndarray) -> np.ndarray:
        angle = random.uniform(0, np.pi, len(y))
        upper = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.3], 1)
        return 1.15 * np.where(y[:, None] == 0, upper, -upper)

    return _sampled("moons", halves, n, noise, seed)
