"""The cost of a network: how many parameters it has, and how many multiplications it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from math import prod
from typing import Any, NamedTuple

from nnlib.graph import trace


def parameter_count(*modules: Any) -> int:
    """The number of parameters of all the modules together.

    >>> from nnlib import nn
    >>> parameter_count(nn.Linear(3, 2))
    8
    """
    return sum(w.numel() for module in modules for w in module.parameters())


def multiplication_count(fn: Callable[..., Any] | list[Any], **inputs: Any) -> int:
    """The number of multiplications in the matrix products and convolutions of fn(**inputs).

    They are counted in the recorded graph.  A list of layers in place of fn stands for the function
    that applies them to its one input, x, one after the other.

    >>> import nnlib
    >>> multiplication_count(lambda x: x @ x.T, x=nnlib.zeros(4, 3))
    48
    >>> multiplication_count([lambda x: x @ x.T, lambda x: x @ x.T], x=nnlib.zeros(4, 3))
    112
    """

    def apply_layers(x: Any) -> Any:
        return reduce(lambda value, layer: layer(value), fn if isinstance(fn, list) else [], x)

    graph, total = trace(apply_layers if isinstance(fn, list) else fn, **inputs), 0
    for step in graph.steps:
        shapes = [graph.steps[k].shape for k in step.inputs]
        if step.op == "matmul":
            total += prod(step.shape) * shapes[0][-1]
        elif step.op == "conv2d":
            total += prod(step.shape) * prod(shapes[1][1:])
    return total


def layer_shapes(layers: Iterable[Callable[[Any], Any]], x: Any) -> str:
    """The shapes of one example on its way through the layers; unchanged shapes are not repeated.

    Args:
        layers: a Sequential, or any functions of one tensor.
        x: a batch of one example, shape (1, ...).

    >>> import nnlib
    >>> from nnlib import nn
    >>> layer_shapes(nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(6, 2)), nnlib.zeros(1, 3, 2))
    '3×2 → 6 → 2'
    """
    shapes = [tuple(x.shape[1:])]
    for layer in layers:
        x = layer(x)
        if tuple(x.shape[1:]) != shapes[-1]:
            shapes.append(tuple(x.shape[1:]))
    return " → ".join("×".join(map(str, shape)) for shape in shapes)


class Cost(NamedTuple):
    """The cost of one prediction of a network: multiplications, weights, lengths of paths."""

    multiplications: int
    by_weights: int  # the multiplications in which one factor is a weight
    weights: int  # entries of all weight matrices and kernels; biases are not counted
    shortest: int  # matrix products and convolutions on the shortest path from x to the output
    longest: int  # the same on the longest path

    @property
    def uses(self) -> float:
        """How often a weight is used for one prediction, on average."""
        return self.by_weights / self.weights


def cost(fn: Callable[[Any], Any], x: Any) -> Cost:
    """The cost of fn(x), where everything but x counts as the network's weights.

    A path's length is the number of matrix products and convolutions on it, from x to the output.

    >>> import nnlib
    >>> from nnlib import nn
    >>> _ = nnlib.manual_seed(0)
    >>> cost(nn.Sequential(nn.Linear(6, 3), nn.ReLU(), nn.Linear(3, 2)), nnlib.zeros(1, 6))
    Cost(multiplications=24, by_weights=24, weights=24, shortest=2, longest=2)
    """
    graph = trace(lambda x: fn(x), x=x)
    paths: dict[int, tuple[int, int]] = {}  # (shortest, longest) of each step that depends on x
    total = by_weights = 0
    entries: dict[int, int] = {}
    for index, step in enumerate(graph.steps):
        dependent = [k for k in step.inputs if k in paths]
        multiplies = step.op in ("matmul", "conv2d")
        if step.op == "input":
            paths[index] = (0, 0)
        elif dependent:
            paths[index] = (
                min(paths[k][0] for k in dependent) + multiplies,
                max(paths[k][1] for k in dependent) + multiplies,
            )
        if multiplies and dependent:
            shapes = [graph.steps[k].shape for k in step.inputs]
            per_entry = shapes[0][-1] if step.op == "matmul" else prod(shapes[1][1:])
            total += prod(step.shape) * per_entry
            for k in set(step.inputs[:2]) - paths.keys():
                by_weights += prod(step.shape) * per_entry
                entries[k] = prod(graph.steps[k].shape)
    (output,) = graph.outputs.values()
    return Cost(total, by_weights, sum(entries.values()), *paths[output])
