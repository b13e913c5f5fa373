"""Steps of a graph that NumPy computes faster if they reuse the work of an earlier step.

A recorded gradient consists of independent primitives: the maxima of a pooling are searched again,
and the windows of a convolution are laid out again for the weight's gradient.  The graph contains
both steps, so here the second one uses what the first has computed.  In relu's derivative, a
`where` selects a number or 0; like eager nnlib, a shortcut computes it by masking bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from nnlib.graph.steps import Step
from nnlib.primitives.elementwise import masked
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
    pools = {_key(s, s.inputs[:1]): at for at, s in enumerate(steps) if s.op == "max_pool2d"}
    convs = {_key(s, s.inputs[:1]): at for at, s in enumerate(steps) if s.op == "conv2d"}
    result: dict[int, Shortcut] = {}
    for at, step in enumerate(steps):
        shortcut = None
        if step.op in ("scatter_add", "reshape"):
            shortcut = _pool_gradient(steps, at, pools)
        elif step.op == "conv2d_weight":
            shortcut = _weight_gradient(step, convs, at)
        elif step.op == "where":
            shortcut = _before_pooling(steps, step, result) or _masked_where(steps, step)
        if shortcut is not None:
            result[at] = shortcut
    return result


def _masked_where(steps: Sequence[Step], step: Step) -> Shortcut | None:
    """Compute `where` with 0 by masking bits: np.where branches, and takes ten times as long."""
    condition, if_true, if_false = (steps[i] for i in step.inputs)
    choices = (if_true, if_false, masked), (if_false, if_true, _masked_elsewhere)
    for chosen, zero, function in choices:
        same_shape = chosen.shape == condition.shape == step.shape != ()
        if same_shape and _is_float(step) and chosen.dtype == step.dtype and _is_zero(zero):
            at = step.inputs[1 if chosen is if_true else 2]
            return Shortcut(function, [at, step.inputs[0]])
    return None


def _before_pooling(
    steps: Sequence[Step], step: Step, shortcuts: dict[int, Shortcut]
) -> Shortcut | None:
    """If max pooling follows relu, apply relu's derivative only at the maxima, which are fewer.

    The gradient is 0 elsewhere, and relu's output at a maximum is the maximum itself, so it is
    positive where the maximum is.
    """
    condition, zero, at = steps[step.inputs[0]], steps[step.inputs[1]], step.inputs[2]
    pooling = shortcuts.get(at)
    if pooling is None or pooling.after is not None or len(pooling.arguments) != 3:
        return None
    relu = pooling.arguments[2]
    is_relu_derivative = condition.op == "le" and condition.inputs[0] == relu
    if not is_relu_derivative or not _is_zero(zero):
        return None
    if not _is_float(step) or steps[at].dtype != step.dtype:
        return None
    threshold, shape = steps[condition.inputs[1]], steps[relu].shape
    if threshold.op != "constant" or np.any(threshold.value):
        return None
    if not shape == step.shape == steps[at].shape:
        return None
    return Shortcut(partial(_gradient_if_positive, pooling.function), pooling.arguments)


def _gradient_if_positive(gradient: Callable[..., Any], g: Any, out: Any, x: Any) -> Any:
    # `g` in the memory layout of `out`
    inner = np.ascontiguousarray(g.reshape(out.shape).transpose(1, 2, 3, 0))
    return gradient(_masked_elsewhere(inner.transpose(3, 0, 1, 2), out <= 0), out, x)


def _is_float(step: Step) -> bool:
    return step.dtype in ("float16", "float32", "float64")


def _is_zero(step: Step) -> bool:
    """Whether a step is the constant 0.0, and not -0.0 anywhere."""
    value = np.asarray(step.value)
    return step.op == "constant" and not np.any(value) and not np.any(np.signbit(value))


def _masked_elsewhere(g: Any, mask: Any) -> Any:
    return masked(g, np.logical_not(mask))


def _key(step: Step, inputs: Sequence[int]) -> Any:
    attrs = {k: v for k, v in step.attrs.items() if k != "shape"}
    return tuple(inputs), repr(sorted(attrs.items()))


def _pool_gradient(steps: Sequence[Step], at: int, pools: dict[Any, int]) -> Shortcut | None:
    """g scattered to the positions of the maxima, found by comparison with the pooled image."""
    step = steps[at]
    scatter = steps[step.inputs[0]] if step.op == "reshape" else step
    if scatter.op != "scatter_add":
        return None
    planes, positions, source = (steps[i] for i in scatter.inputs)
    indices = steps[positions.inputs[0]] if positions.op == "reshape" else positions
    if indices.op != "max_pool2d_indices" or planes.op != "constant" or np.any(planes.value):
        return None
    pool = pools.get(_key(indices, indices.inputs))
    if pool is None or pool > at:
        return None
    x, pooled = steps[indices.inputs[0]], steps[pool]
    rows = planes.shape[:-1]  # one plane for each image and channel, as in a pooling's gradient
    same = (
        scatter.attrs["dim"] == len(rows) and math.prod(rows) == math.prod(x.shape[:2])
        and planes.shape[-1] == math.prod(x.shape[2:])
        and positions.shape == source.shape == (*rows, math.prod(pooled.shape[2:]))
        and {s.dtype for s in (step, planes, source, x)} == {x.dtype}
    )  # fmt: skip
    if not same:
        return None
    g = source.inputs[0] if source.op == "reshape" else scatter.inputs[2]
    function = partial(_gradient_from_maxima, into=step.shape, attrs=indices.attrs)
    return Shortcut(function, [g, pool, indices.inputs[0]])


def _gradient_from_maxima(
    g: Any, out: Any, x: Any, into: tuple[int, ...], attrs: dict[str, Any]
) -> Any:
    return max_pool2d_gradient(g.reshape(out.shape), out, x, **attrs).reshape(into)


def _weight_gradient(step: Step, convs: dict[Any, int], at: int) -> Shortcut | None:
    g, x = step.inputs
    conv = convs.get(_key(step, (x,)))
    if conv is None or conv > at:
        return None
    return Shortcut(partial(_from_columns, **step.attrs), [g, x], conv)


def _from_columns(g: Any, x: Any, columns: Any, **attrs: Any) -> Any:
    if columns is None:  # too large to have been saved
        return conv2d_weight.forward(g, x, **attrs)
    return weight_gradient(g, columns, attrs["shape"], attrs["groups"])


def with_residuals(step: Step) -> Callable[..., tuple[Any, Any]]:
    """The function of a step that also returns residuals, which its gradient can use."""
    assert step.op == "conv2d" and conv2d.with_residuals is not None
    return partial(conv2d.with_residuals, **step.attrs)
