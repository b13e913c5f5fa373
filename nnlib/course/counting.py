"""What a network costs, read off its recorded graph: numbers to learn, and multiplications."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from nnlib.graph import trace


def numbers(*modules: Any) -> int:
    """How many parameters the modules have together.

    >>> from nnlib import nn
    >>> numbers(nn.Linear(3, 2))
    8
    """
    return sum(w.numel() for module in modules for w in module.parameters())


def products(fn: Callable[..., Any], **inputs: Any) -> int:
    """Multiplications in the matrix products and convolutions that fn(**inputs) computes.

    >>> import nnlib
    >>> products(lambda x: x @ x.T, x=nnlib.zeros(4, 3))
    48
    """
    graph, total = trace(fn, **inputs), 0
    for step in graph.steps:
        shapes = [graph.steps[k].shape for k in step.inputs]
        if step.op == "matmul":
            total += prod(step.shape) * shapes[0][-1]
        elif step.op == "conv2d":
            total += prod(step.shape) * prod(shapes[1][1:])
    return total
