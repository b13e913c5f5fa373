"""Primitives that select elements by integer tensors, or add elements at such positions."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from nnlib.primitives.shape import pad
from nnlib.record import Array, Primitive

index_family = partial(Primitive, family="index")


def _along(index: Array, dim: int) -> tuple[Array, ...]:
    """The coordinates of each entry of `index`, with its value as the coordinate along `dim`."""
    grid = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    grid[dim] = index
    return tuple(grid)


def _gather(x: Array, index: Array, dim: int) -> Array:
    return x[_along(index, dim)] if np.ndim(index) else x.copy()


def _scatter_add(x: Array, index: Array, source: Array, dim: int) -> Array:
    if not np.ndim(x):
        return x + source
    out = x.copy()
    coordinates = _along(index, dim)
    np.add.at(out, coordinates, source[tuple(slice(n) for n in index.shape)])
    return out


gather = index_family(
    "gather",
    _gather,
    lambda g, out, x, index, dim: scatter_add(np.zeros(x.shape, g.dtype.name), index, g, dim=dim),
    None,
    saves="args",
    shape_only=(0,),
)
scatter_add = index_family(
    "scatter_add",
    _scatter_add,
    lambda g, out, x, index, source, dim: g,
    None,
    lambda g, out, x, index, source, dim: _padded(gather(g, index, dim=dim), source.shape),
    saves="args",
    shape_only=(0, 2),
)


def _padded(g: Any, shape: tuple[int, ...]) -> Any:
    """Pad g with zeros to the shape of `source`, whose elements beyond `index` were not added."""
    if g.shape == shape:
        return g
    return pad(g, pad=tuple([(0, n - m) for n, m in zip(shape, g.shape, strict=True)]), value=0.0)


def _add_rows(g: Array, index: Array, dim: int, shape: tuple[int, ...]) -> Array:
    """Add slices of g to zeros; for few rows, a product with a one-hot matrix is far faster."""
    rows = shape[dim]
    k = np.ndim(index)
    moved = np.moveaxis(g, tuple(range(dim, dim + k)), tuple(range(k))) if k else g[None]
    flat = np.ravel(index)
    rest = moved.shape[max(k, 1) :]
    moved = moved.reshape(flat.size, math.prod(rest))
    if rows <= 4096 and moved.shape[1] > 1 and flat.size * rows < 2**24:
        hot = np.zeros((rows, flat.size), g.dtype)
        hot[flat, np.arange(flat.size)] = 1
        out = hot @ moved
        if np.isfinite(out).all():  # otherwise 0 · inf has put nan into other rows
            return np.moveaxis(out.reshape(rows, *rest), 0, dim)
    out = np.zeros((rows, moved.shape[1]), g.dtype)
    np.add.at(out, flat, moved)
    return np.moveaxis(out.reshape(rows, *rest), 0, dim)


take = index_family(
    "take",
    lambda x, index, dim: np.take(x, np.asarray(index, np.intp), axis=dim)[()],
    lambda g, out, x, index, dim: take_add(g, index, dim=dim, shape=x.shape),
    None,
    saves="args",
    shape_only=(0,),
)
take_add = index_family(
    "take_add",
    _add_rows,
    lambda g, out, x, index, dim, shape: take(g, index, dim=dim),
    None,
    saves="args",
    shape_only=(0,),
)


def _index(x: Array, *indices: Array, dims: tuple[int, ...]) -> Array:
    picked = x[(slice(None),) * dims[0] + indices]
    # NumPy puts the indexed dimensions first in memory; in row-major order, flatten() makes no copy
    return np.asarray(picked, order="C") if dims[0] else picked


def _index_add(g: Array, *indices: Array, dims: tuple[int, ...], shape: tuple) -> Array:
    out = np.zeros(shape, g.dtype)
    np.add.at(out, (slice(None),) * dims[0] + indices, g)
    return out


def _index_vjp(needs: tuple, g: Any, out: Any, x: Any, *indices: Any, dims: tuple) -> tuple:
    none = (None,) * len(indices)
    return (index_add(g, *indices, dims=dims, shape=x.shape), *none)


def _index_add_vjp(
    needs: tuple, g: Any, out: Any, x: Any, *indices: Any, dims: tuple, shape: tuple
) -> tuple:
    return (index(g, *indices, dims=dims), *(None,) * len(indices))


index = index_family("index", _index, vjp_of_all=_index_vjp, saves="args", shape_only=(0,))
index_add = index_family(
    "index_add", _index_add, vjp_of_all=_index_add_vjp, saves="args", shape_only=(0,)
)


def _one_hot(index: Array, num_classes: int) -> Array:
    return (np.asarray(index)[..., None] == np.arange(num_classes)).astype(np.int64)


def _argsort(x: Array, dim: int, descending: bool) -> Array:
    if not np.ndim(x):
        return np.int64(0)
    if not descending:
        return np.argsort(x, axis=dim, kind="stable").astype(np.int64)
    # A stable descending order: sort the reversed array in ascending order and reverse the result.
    order = np.flip(np.argsort(np.flip(x, dim), axis=dim, kind="stable"), dim)
    return (x.shape[dim] - 1 - order).astype(np.int64)


one_hot = index_family("one_hot", _one_hot, saves="none")
argsort = index_family("argsort", _argsort, saves="none")
