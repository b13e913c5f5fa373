"""What a network costs, read off its recorded graph: numbers to learn, and multiplications."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
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


def products(fn: Callable[..., Any] | list[Any], **inputs: Any) -> int:
    """Multiplications in the matrix products and convolutions that fn(**inputs) computes.

    A list of layers is the function that sends its one input, x, through them in turn.

    >>> import nnlib
    >>> products(lambda x: x @ x.T, x=nnlib.zeros(4, 3))
    48
    >>> products([lambda x: x @ x.T, lambda x: x @ x.T], x=nnlib.zeros(4, 3))
    112
    """

    def through(x: Any) -> Any:
        return reduce(lambda value, layer: layer(value), fn if isinstance(fn, list) else [], x)

    graph, total = trace(through if isinstance(fn, list) else fn, **inputs), 0
    for step in graph.steps:
        shapes = [graph.steps[k].shape for k in step.inputs]
        if step.op == "matmul":
            total += prod(step.shape) * shapes[0][-1]
        elif step.op == "conv2d":
            total += prod(step.shape) * prod(shapes[1][1:])
    return total


def path(layers: Iterable[Callable[[Any], Any]], x: Any) -> str:
    """The shapes that one example takes on its way through layers; those that keep it are left out.

    Args:
        layers: a Sequential, or any functions of one tensor.
        x: a batch of one example, shape (1, ...).

    >>> import nnlib
    >>> from nnlib import nn
    >>> path(nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(6, 2)), nnlib.zeros(1, 3, 2))
    '3×2 → 6 → 2'
    """
    shapes = [tuple(x.shape[1:])]
    for layer in layers:
        x = layer(x)
        if tuple(x.shape[1:]) != shapes[-1]:
            shapes.append(tuple(x.shape[1:]))
    return " → ".join("×".join(map(str, shape)) for shape in shapes)
