"""Experiments of the chapter on gradient ascent that run over many starts or seeds at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

import nnlib
import nnlib.nn.functional as F
from nnlib import Tensor


def circle(count: int, radius: float = 10.0) -> np.ndarray:
    """Points on a circle, none of them on an axis: shape (count, 2).

    >>> circle(16).shape
    (16, 2)
    """
    angles = 2 * np.pi * (np.arange(count) + 0.5) / count
    return radius * np.stack([np.cos(angles), np.sin(angles)], 1)


def example_gradients(w: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The gradient of each example's log-likelihood.

    Args:
        w: weights, shape (climbers, 2).
        x, y: examples for each climber, shapes (climbers or 1, examples, 2) and (…, examples).

    Returns:
        Shape (climbers, examples, 2).
    """
    doubt = nnlib.sigmoid(-y * (x * w[:, None]).sum(2))
    return (doubt * y)[:, :, None] * x


def mean_gradient(w: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The gradient of the mean log-likelihood, at each of the weights w: shape (climbers, 2)."""
    doubt = nnlib.sigmoid(-y * (w @ x.T))
    return (doubt * y) @ x / len(y)


def flock(x: Tensor, y: Tensor, count: int, seed: int = 1) -> tuple[Tensor, Tensor]:
    """The birds themselves, or a flock of `count` copies of random ones with a little noise."""
    if count == len(y):
        return x, y
    rng = np.random.default_rng(seed)
    chosen = nnlib.tensor(rng.integers(0, len(y), count))
    return x[chosen] + nnlib.tensor(0.1 * rng.standard_normal((count, 2))), y[chosen]


def height(w: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The mean log-likelihood at each of the weights w: shape (climbers,)."""
    return F.logsigmoid(y * (w @ x.T)).mean(-1)


def top_of(x: Tensor, y: Tensor) -> Tensor:
    """The top of a flock's hill, by Newton's method: it solves for the zero of the gradient."""
    w = np.array([6.0, -2.0])
    features, classes = x.numpy(), y.numpy()
    for _ in range(20):
        doubt = 1 / (1 + np.exp(classes * (features @ w)))
        minus_hessian = (features.T * (doubt * (1 - doubt))) @ features / len(classes)
        w = w + np.linalg.solve(minus_hessian, (doubt * classes) @ features / len(classes))
    return nnlib.tensor(w)


def noisy_climb(
    x: Tensor, y: Tensor, start: Tensor, step_size: Callable[[int], float], climbers: int = 100
) -> list[float]:
    """Mean height below the top, over the climbers, after 20 and 1,000 steps of 10 birds each.

    Args:
        step_size: returns the step size at step t = 0, 1, ….
    """
    nnlib.manual_seed(1)
    highest = height(top_of(x, y)[None], x, y)
    w, gaps = start.expand(climbers, 2), []
    for t in range(1000):
        rows = nnlib.randint(0, len(y), (climbers, 10))
        w = w + step_size(t) * example_gradients(w, x[rows], y[rows]).mean(1)
        if t + 1 in (20, 1000):
            gaps.append((highest - height(w, x, y)).mean().item())
    return gaps


def looks_in_flocks(
    x: Tensor, y: Tensor, sizes: Sequence[int], batch: int = 100
) -> tuple[list[int], list[int]]:
    """Birds looked at, for each flock size: with all birds in a step, and with mini-batches."""
    flocks = [flock(x, y, count) for count in sizes]
    return [looks(*birds) for birds in flocks], [looks(*birds, batch=batch) for birds in flocks]


def looks(x: Tensor, y: Tensor, batch: int | None = None, near: float = 0.01) -> int:
    """The number of birds looked at before the height stays within `near` of the top.

    The median over 12 starts, at the best of four step sizes. Without `batch`, every step looks
    at all birds.
    """
    top = top_of(x, y)
    target_height = height(top[None], x, y) - near
    counts = []
    for alpha in (2.5, 5.0, 10.0, 20.0):
        nnlib.manual_seed(0)
        w, last_outside = top + nnlib.tensor(circle(12)), nnlib.zeros(12)
        for step in range(1, (40 if batch is None else 64) + 1):
            last_outside = nnlib.where(height(w, x, y) > target_height, last_outside, float(step))
            if batch is None:
                w = w + alpha * mean_gradient(w, x, y)
            else:
                rows = nnlib.randint(0, len(y), (12, batch))
                w = w + alpha * example_gradients(w, x[rows], y[rows]).mean(1)
        counts.append(float(np.median(last_outside.numpy())) * (batch or len(y)))
    return round(min(counts))


RULES = ("plain ascent", "momentum", "Adam")


def sweep(
    hill: Callable[[Tensor], Tensor],
    top: Tensor,
    alphas: Sequence[float],
    steps: int = 2000,
    radius: float = 10.0,
    beta: float = 0.9,
) -> np.ndarray:
    """Gradients needed before the height is within 0.001 of the top for the rest of `steps`.

    Plain ascent, momentum (β = `beta`) and Adam climb from 16 points on a circle around the top.

    Returns:
        Shape (rules, step sizes, starts); `steps` stands for a climber that has not settled.
    """
    target_height = float(hill(top)) - 0.001
    alpha = nnlib.tensor(alphas).double().reshape(-1, 1, 1)
    start = (top + nnlib.tensor(circle(16, radius))).expand(3, len(alphas), 16, 2)
    ascent, momentum, adam = start
    v = m = s = nnlib.zeros_like(ascent)
    needed = np.zeros(start.shape[:3])
    for t in range(1, steps + 1):
        w = nnlib.stack([ascent, momentum, adam]).requires_grad_()
        heights = hill(w)
        g = nnlib.autograd.grad(heights.sum(), w)[0].detach()
        needed[~(heights.detach().numpy() > target_height)] = t
        ascent = ascent + alpha * g[0]
        v = beta * v + g[1]
        momentum = momentum + alpha * v
        m, s = 0.9 * m + 0.1 * g[2], 0.999 * s + 0.001 * g[2] * g[2]
        adam = adam + alpha * (m / (1 - 0.9**t)) / ((s / (1 - 0.999**t)).sqrt() + 1e-8)
    return needed


def race(
    x: Tensor, y: Tensor, start: Tensor, alpha: float, seeds: int = 50
) -> dict[int, list[float]]:
    """Height below the top after 1, 5 and 30 passes: all birds, mini-batches, momentum, Adam.

    The values are means over the seeds. As in the figure, the step size of momentum is α∕10 and
    that of Adam α∕25; mini-batches have 10 birds.
    """
    nnlib.manual_seed(0)
    highest = height(top_of(x, y)[None], x, y)
    full = start[None]
    mini = momentum = adam = start.expand(seeds, 2)
    v = m = s = nnlib.zeros_like(mini)
    gaps = {}
    for t in range(1, 30 * 21 + 1):
        if t % 21 == 0:
            full = full + alpha * mean_gradient(full, x, y)
        rows = nnlib.randint(0, len(y), (seeds, 10))
        mini = mini + alpha * example_gradients(mini, x[rows], y[rows]).mean(1)
        v = 0.9 * v + example_gradients(momentum, x[rows], y[rows]).mean(1)
        momentum = momentum + alpha / 10 * v
        g = example_gradients(adam, x[rows], y[rows]).mean(1)
        m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
        adam = adam + alpha / 25 * (m / (1 - 0.9**t)) / ((s / (1 - 0.999**t)).sqrt() + 1e-8)
        if t in (21, 105, 630):
            climbers = (full, mini, momentum, adam)
            gaps[t // 21] = [(highest - height(w, x, y)).mean().item() for w in climbers]
    return gaps
