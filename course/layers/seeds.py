"""Many networks of one shape trained at once: the seeds are one more dimension of every matrix."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

import nnlib
import nnlib.nn.functional as F
from nnlib import Tensor

SEEDS = 32


def start(sizes: list[int], seeds: int) -> list[Tensor]:
    """W (seeds, in, out) and b (seeds, 1, out) of each layer, standard normal numbers."""
    rng = np.random.default_rng(0)
    parameters = []
    for a, b in itertools.pairwise(sizes):
        parameters += [rng.standard_normal((seeds, a, b)), rng.standard_normal((seeds, 1, b))]
    return [nnlib.tensor(v).requires_grad_() for v in parameters]


def logits(params: list[Tensor], x: Any) -> Tensor:
    """The output's total input for points (n, in), of every seed: (seeds, n)."""
    for W, b in zip(params[:-2:2], params[1:-2:2], strict=True):
        x = (x @ W + b).sigmoid()
    return (x @ params[-2] + params[-1])[..., 0]


def train(
    x: Tensor, y: Tensor, sizes: list[int], *, seeds: int = SEEDS, steps: int = 500, lr: float = 0.1
) -> list[Tensor]:
    """The parameters of `seeds` sigmoid networks, trained by Adam on the mean cross-entropy."""
    params = start(sizes, seeds)
    adam = nnlib.optim.Adam(params, lr=lr)
    target = y.expand(seeds, len(y))
    for _ in range(steps):
        adam.zero_grad()
        # the sum over the seeds: each network's gradient is its own
        (F.binary_cross_entropy_with_logits(logits(params, x), target) * seeds).backward()
        adam.step()
    return [p.detach() for p in params]


def accuracies(params: list[Tensor], x: Tensor, y: Tensor) -> np.ndarray:
    """Each seed's share of points on the right side."""
    hits = (logits(params, x) > 0) == (y > 0.5)
    return hits.double().mean(1).numpy()
