"""Where δ becomes small: a chain of saturated neurons, and ReLU units that are always 0."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnlib
from course.networks.five import CORNERS, XOR
from nnlib import live

LENGTH = 10
FLOOR = 1e-9


def chain_of_ten() -> live.Figure:
    """Ten neurons in a row: if δ is 1 at the last one, what it is at each earlier one."""

    def walk(w: Any, x: Any, g: str) -> dict:
        w, a = w.double(), x.double()
        activations = [a]
        for _ in range(LENGTH):
            total = w * (a - 0.5) if g == "sigmoid" else w * a
            a = {"sigmoid": total.sigmoid(), "tanh": total.tanh(), "ReLU": total.relu()}[g]
            activations.append(a)
        slopes = [
            a * (1 - a) if g == "sigmoid" else 1 - a * a if g == "tanh" else (a > 0) * 1.0
            for a in activations[1:]
        ]
        delta = [nnlib.tensor(1.0).double()]
        for k in range(LENGTH - 2, -1, -1):
            delta.insert(0, delta[0] * w * slopes[k])
        size = nnlib.stack([d.reshape(()) for d in delta]).abs()
        return {
            "size": size.clamp(min=FLOOR), "first": size[0],
            "a": nnlib.stack([v.reshape(()) for v in activations[1:]]),
            "slope": nnlib.stack([s.reshape(()) for s in slopes]),
        }  # fmt: skip

    neurons = np.arange(1, LENGTH + 1)
    return live.figure(
        walk,
        g=live.dropdown(["sigmoid", "tanh", "ReLU"], buttons=True, label="activation function"),
        w=live.slider(0.1, 8.0, 0.1, value=1.0, label="every weight w"),
        x=live.slider(-1.0, 1.0, 0.1, value=0.3, label="input x"),
        view=[
            [
                live.axes(
                    live.curve(neurons, "size", color="gradient"),
                    live.points(x=neurons, y="size", color="gradient", size=4),
                    live.line(y=1.0, color="muted", dash=True),
                    yscale="log", xlim=(0.5, 10.5), ylim=(FLOOR, 1e6), xlabel="neuron",
                    ylabel="size of its δ", width=340, height=250,
                ),
                live.axes(
                    live.bars("a", labels=[str(k) for k in neurons]),
                    xlabel="neuron", ylabel="activation", ylim=(-1, 1.2), width=340, height=250,
                ),
            ],
            live.readout("Of a δ of 1 at neuron 10, neuron 1 receives {first:.3g}.", size="large"),
        ],
        title="A chain of ten neurons",
        caption="Look for a weight with which the first neuron still receives a δ near 1. Then "
        "change the input x a little. Does it hold for all three activation functions?",
        alt="The size of δ along a chain of ten neurons, on a logarithmic scale. With sigmoids and "
        "w = 1 it shrinks about fourfold at each neuron, to a few millionths at the first. With "
        "w = 4 and inputs near one half it stays near 1; larger weights saturate the neurons. With "
        "ReLU and w = 1 it stays 1 for positive x, and it is 0 for negative x.",
    )  # fmt: skip


def dead_share(
    lr: float, *, seeds: int = 200, hidden: int = 8, steps: int = 500
) -> tuple[float, float, float]:
    """ReLU nets 2–hidden–1 on XOR trained by gradient descent, all seeds at once.

    Returns the share of hidden units that are 0 at all four corners, before and after training, and
    the share of nets that get all four corners right.
    """
    rng = np.random.default_rng(0)
    x = np.array(CORNERS, float)
    y = np.array(XOR, float)[:, None]
    W1, b1 = rng.standard_normal((seeds, 2, hidden)), rng.standard_normal((seeds, 1, hidden))
    W2, b2 = rng.standard_normal((seeds, hidden, 1)) / hidden**0.5, np.zeros((seeds, 1, 1))

    def run() -> tuple[np.ndarray, np.ndarray]:
        h = np.maximum(x @ W1 + b1, 0)
        return h, 1 / (1 + np.exp(-(h @ W2 + b2)))

    def dead() -> float:
        return float((run()[0].max(1) == 0).mean())

    before = dead()
    for _ in range(steps):
        h, p = run()
        d2 = 2 * (p - y) * p * (1 - p) / 4
        d1 = (d2 @ W2.transpose(0, 2, 1)) * (h > 0)
        W2, b2 = W2 - lr * h.transpose(0, 2, 1) @ d2, b2 - lr * d2.sum(1, keepdims=True)
        W1, b1 = W1 - lr * x.T @ d1, b1 - lr * d1.sum(1, keepdims=True)
    right = ((run()[1] > 0.5) == (y > 0.5)).all((1, 2)).mean()
    return before, dead(), float(right)
