"""Primitives that select elements at positions given by integer tensors, or add to them."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from nnlib.primitives.shape import pad
from nnlib.record import Array, Primitive

index_family = partial(Primitive, family="index")


def _coordinates(index: Array, dim: int) -> tuple[Array, ...]:
    """The coordinates of each entry of `index`, with its value as the coordinate along `dim`."""
    grid = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    grid[dim] = index
    return tuple(grid)


def _gather(x: Array, index: Array, dim: int) -> Array:
    return x[_coordinates(index, dim)] if np.ndim(index) else x.copy()


def _scatter_add(x: Array, index: Array, source: Array, dim: int) -> Array:
    if not np.ndim(x):
        return x + source
    out = x.copy()
    coordinates = _coordinates(index, dim)
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


def _take_add(g: Array, index: Array, dim: int, shape: tuple[int, ...]) -> Array:
    """Add slices of g to zeros; if they are few, a product with a one-hot matrix is far faster."""
    length = shape[dim]
    k = np.ndim(index)
    slices = np.moveaxis(g, tuple(range(dim, dim + k)), tuple(range(k))) if k else g[None]
    flat = np.ravel(index)
    slice_shape = slices.shape[max(k, 1) :]
    slices = slices.reshape(flat.size, math.prod(slice_shape))
    if length <= 4096 and slices.shape[1] > 1 and flat.size * length < 2**24:
        one_hot_columns = np.zeros((length, flat.size), g.dtype)
        one_hot_columns[flat, np.arange(flat.size)] = 1
        out = one_hot_columns @ slices
        if np.isfinite(out).all():  # otherwise 0 · inf has written nan to other slices
            return np.moveaxis(out.reshape(length, *slice_shape), 0, dim)
    out = np.zeros((length, slices.shape[1]), g.dtype)
    np.add.at(out, flat, slices)
    return np.moveaxis(out.reshape(length, *slice_shape), 0, dim)


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
    _take_add,
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
