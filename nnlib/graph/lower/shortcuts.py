"""Steps of a graph that NumPy computes faster if they reuse the work of an earlier step.

A recorded gradient consists of independent primitives: the maxima of a pooling are searched again,
and the windows of a convolution are laid out again for the weight's gradient.  The graph contains
both steps, so here the second one uses what the first has computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from nnlib.graph.steps import Step
from nnlib.primitives.window import (
    conv2d,
    conv2d_weight,
    max_pool2d_gradient,
    weight_gradient,
)


class Shortcut(NamedTuple):
    """Another way to compute a step: `function` of these arguments and of residuals of `after`."""

    function: Callable[..., Any]
    arguments: list[int]
    after: int | None = None  # the step whose `with_residuals` also returns this one's value


def shortcuts(steps: Sequence[Step]) -> dict[int, Shortcut]:
    """The steps that have a shortcut, by position."""
    pools = {_call(s, s.inputs[:1]): at for at, s in enumerate(steps) if s.op == "max_pool2d"}
    convs = {_call(s, s.inputs[:1]): at for at, s in enumerate(steps) if s.op == "conv2d"}
    found: dict[int, Shortcut] = {}
    for at, step in enumerate(steps):
        made = None
        if step.op in ("scatter_add", "reshape"):
            made = _pool_gradient(steps, step, pools)
        elif step.op == "conv2d_weight":
            made = _weight_gradient(step, convs, at)
        if made is not None:
            found[at] = made
    return found


def _call(step: Step, inputs: Sequence[int]) -> Any:
    attrs = {k: v for k, v in step.attrs.items() if k != "shape"}
    return tuple(inputs), repr(sorted(attrs.items()))


def _pool_gradient(steps: Sequence[Step], step: Step, pools: dict[Any, int]) -> Shortcut | None:
    """g scattered to the positions of the maxima, found by comparison with the pooled image."""
    scatter = steps[step.inputs[0]] if step.op == "reshape" else step
    if scatter.op != "scatter_add":
        return None
    planes, where, source = (steps[i] for i in scatter.inputs)
    indices = steps[where.inputs[0]] if where.op == "reshape" else where
    if indices.op != "max_pool2d_indices" or planes.op != "constant" or np.any(planes.value):
        return None
    pool = pools.get(_call(indices, indices.inputs))
    if pool is None:
        return None
    g = source.inputs[0] if source.op == "reshape" else scatter.inputs[2]
    function = partial(_spread, into=step.shape, attrs=indices.attrs)
    return Shortcut(function, [g, pool, indices.inputs[0]])


def _spread(g: Any, out: Any, x: Any, into: tuple[int, ...], attrs: dict[str, Any]) -> Any:
    return max_pool2d_gradient(g.reshape(out.shape), out, x, **attrs).reshape(into)


def _weight_gradient(step: Step, convs: dict[Any, int], at: int) -> Shortcut | None:
    g, x = step.inputs
    conv = convs.get(_call(step, (x,)))
    if conv is None or conv > at:
        return None
    return Shortcut(partial(_from_columns, **step.attrs), [g, x], conv)


def _from_columns(g: Any, x: Any, columns: Any, **attrs: Any) -> Any:
    if columns is None:  # too large to have been kept
        return conv2d_weight.forward(g, x, **attrs)
    return weight_gradient(g, columns, attrs["shape"], attrs["groups"])


def with_residuals(step: Step) -> Callable[..., tuple[Any, Any]]:
    """The form of a step that also returns residuals, which its gradient can use."""
    assert step.op == "conv2d" and conv2d.with_residuals is not None
    return partial(conv2d.with_residuals, **step.attrs)
