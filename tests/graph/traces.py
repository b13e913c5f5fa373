"""Graphs that several tests of graphs trace: single calls, whole nets, and graphs to be lowered."""

from __future__ import annotations

import numpy as np

import nnlib
from nnlib.graph import trace
from nnlib.record import Primitive


def traced_case(op, args, attrs):
    """The graph of one call of a primitive, and its inputs by name."""
    inputs = {f"x{i}": a for i, a in enumerate(args)}
    return trace(lambda **xs: Primitive.registry[op](*xs.values(), **attrs), **inputs), inputs


def traced(function, **inputs):
    """The graph that lowering begins with: traced, without steps that change nothing."""
    return nnlib.graph.trace(function, **inputs).tidied()


def positions(graph):
    """The positions of a graph's inputs and of its outputs."""
    inputs = [at for at, step in enumerate(graph.steps) if step.op == "input"]
    return inputs, list(graph.outputs.values())


def dense(W1, b1, W2, b2, x, y):
    h = (x @ W1 + b1).tanh()
    z = h @ W2 + b2
    loss = nnlib.nn.functional.cross_entropy(z, y)
    return {"h": h, "p": z.softmax(-1), "loss": loss}


def logistic(w, b, x, y):
    return nnlib.nn.functional.binary_cross_entropy_with_logits(x @ w + b, y)


def scalar(w, x, y):
    a = 1 / (1 + (-(w * x - 2.0)).exp())
    return (y - a) ** 2 + 0.5 * -w / (x + 3)


def normal(*shape, seed):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


NETS = {
    "dense": (dense, {
        "W1": normal(3, 4, seed=0), "b1": normal(4, seed=1), "W2": normal(4, 5, seed=2),
        "b2": normal(5, seed=3), "x": normal(8, 3, seed=4), "y": np.arange(8) % 5,
    }),
    "logistic": (logistic, {
        "w": normal(3, seed=5), "b": np.float32(0.1), "x": normal(8, 3, seed=6),
        "y": (normal(8, seed=7) > 0).astype(np.float32),
    }),
    "scalar": (scalar, {"w": np.float32(0.7), "x": np.float32(1.3), "y": np.float32(0.2)}),
}  # fmt: skip
