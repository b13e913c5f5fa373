"""Primitives that rearrange elements: reshape, permute, flip, slice, cat, pad, tril, triu.

The results of reshape, permute, slice and detach are views: if NumPy can, they share the memory of
the argument.
"""

from __future__ import annotations

from functools import partial
from itertools import accumulate
from typing import Any

import numpy as np

from nnlib.record import Array, Primitive

shape = partial(Primitive, family="shape")

# An index as graphs store it: per dimension an int, or (start, stop, step) from slice.indices.
Index = tuple[int | tuple[int, int, int], ...]


reshape = shape(
    "reshape",
    lambda x, shape: x.reshape(shape),
    lambda g, out, x, shape: reshape(g, shape=x.shape),
    saves="args",
    shape_only=(0,),
    view=True,
)
permute = shape(
    "permute",
    lambda x, dims: x.transpose(dims),
    lambda g, out, x, dims: permute(g, dims=tuple([dims.index(i) for i in range(len(dims))])),
    saves="none",
    view=True,
)
flip = shape(
    "flip",
    lambda x, dims: np.flip(x, dims).copy(),
    lambda g, out, x, dims: flip(g, dims=dims),
    saves="none",
)


def numpy_index(index: Index) -> tuple[int | slice, ...]:
    """The index in NumPy's form: (start, stop, step) becomes a slice."""

    def entry(i: int | tuple[int, int, int]) -> int | slice:
        if isinstance(i, int):
            return i
        start, stop, step = i
        # A backward slice that includes position 0 stops at -1, which NumPy would take for the end.
        return slice(start, None if stop < 0 else stop, step)

    return tuple([entry(i) for i in index])


def _slice_backward(g: Array, index: Index, shape: tuple[int, ...]) -> Array:
    out = np.zeros(shape, g.dtype)
    out[numpy_index(index)] = g
    return out[()]


slice_ = shape(
    "slice",
    lambda x, index: x[(*numpy_index(index), ...)],  # with the ellipsis, one element is a view too
    lambda g, out, x, index: slice_backward(g, index=index, shape=x.shape),
    saves="args",
    shape_only=(0,),
    view=True,
)
slice_backward = shape(
    "slice_backward",
    _slice_backward,
    lambda g, out, x, index, shape: slice_(g, index=index),
    saves="none",
)


def _cat_vjp(needs: tuple, g: Any, out: Any, *xs: Any, dim: int) -> tuple:
    ends = list(accumulate(x.shape[dim] for x in xs))
    full = [(0, n, 1) for n in g.shape]
    return tuple(
        [
            slice_(g, index=(*full[:dim], (end - x.shape[dim], end, 1), *full[dim + 1 :]))
            if need
            else None
            for need, x, end in zip(needs, xs, ends, strict=True)
        ]
    )


def _cat(*xs: Array, dim: int) -> Array:
    # If all of xs are in column-major order, so is NumPy's result; PyTorch's is row-major.
    return np.ascontiguousarray(np.concatenate(xs, axis=dim))


cat = shape(
    "cat",
    _cat,
    vjp_of_all=_cat_vjp,
    saves="args",
    shape_only=range(2**31),
)


def _pad(x: Array, pad: tuple[tuple[int, int], ...], value: float) -> Array:
    # If x is in column-major order, so is NumPy's result; PyTorch's is row-major.
    return np.ascontiguousarray(np.pad(x, pad, constant_values=value)) if x.ndim else x.copy()


pad = shape(
    "pad",
    _pad,
    lambda g, out, x, pad, value: slice_(
        g, index=tuple([(a, a + n, 1) for (a, _), n in zip(pad, x.shape, strict=True)])
    ),
    saves="args",
    shape_only=(0,),
)
tril = shape(
    "tril",
    lambda x, diagonal: np.ascontiguousarray(np.tril(x, diagonal)),
    lambda g, out, x, diagonal: tril(g, diagonal=diagonal),
    saves="none",
)
triu = shape(
    "triu",
    lambda x, diagonal: np.ascontiguousarray(np.triu(x, diagonal)),
    lambda g, out, x, diagonal: triu(g, diagonal=diagonal),
    saves="none",
)
# The same values without a gradient.  `function` is the name of the autograd.Function that computed
# them: it has its own gradient, which a graph cannot store.
detach = shape("detach", lambda x, function=None: x, saves="none", view=True)
