"""`expand` repeats elements along a dimension, `sum` adds them: the vjp of each is the other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnlib.primitives.shape import reshape
from nnlib.record import Array, Primitive, Value

FILLED_SIZE = 4096  # up to this number of elements, filling an array is faster than making a view


def _expand_vjp(g: Any, out: Any, x: Any, shape: tuple[int, ...]) -> Any:
    extra = len(shape) - x.ndim
    repeated = [i + extra for i, n in enumerate(x.shape) if n == 1 != shape[i + extra]]
    dim = tuple(range(extra)) + tuple(repeated)
    g = sum(g, dim=dim, keepdim=False) if dim else g
    return reshape(g, shape=x.shape) if repeated else g


def _expand(x: Array, shape: tuple[int, ...]) -> Array:
    # The result of np.broadcast_to is read-only; PyTorch's is writable if nothing is repeated.
    return x.reshape(shape) if x.size == math.prod(shape) else np.broadcast_to(x, shape)


expand = Primitive(
    "expand",
    _expand,
    _expand_vjp,
    family="shape",
    saves="args",
    shape_only=(0,),
    view=True,
)


def _shape_with_ones(shape: tuple[int, ...], dim: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with 1 for the length of each reduced dimension, as with keepdim=True."""
    return tuple([1 if i in dim else n for i, n in enumerate(shape)])


def expand_reduced(g: Any, x: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    """Repeat a reduced result along the reduced dimensions, back to the shape of x."""
    if x.ndim == 0:
        return g
    if not isinstance(g, Value) and g.ndim == 0 and x.size <= FILLED_SIZE:
        repeated = np.empty(x.shape, g.dtype)
        repeated.fill(g)
        return repeated
    if not keepdim:
        g = reshape(g, shape=_shape_with_ones(x.shape, dim))
    return expand(g, shape=x.shape)


def _sum(x: Array, dim: tuple[int, ...], keepdim: bool) -> Array:
    if x.dtype == np.float16:
        return in_float32(x, np.add.reduce, axis=dim, keepdims=keepdim)
    return np.add.reduce(x, axis=dim, keepdims=keepdim)


def in_float32(x: Array, function: Any, **arguments: Any) -> Array:
    """Compute a function of float16 in float32 and round the result once, as PyTorch does."""
    return function(x.astype(np.float32), **arguments).astype(np.float16)


sum = Primitive(
    "sum",
    _sum,
    lambda g, out, x, dim, keepdim: expand_reduced(g, x, dim, keepdim),
    family="reduce",
    saves="args",
    shape_only=(0,),
)
