"""Primitives that reduce dimensions: means, products, extremes, softmax family, running sums.

`dim` is a tuple of non-negative dimensions (an int for those that act along one), `keepdim` keeps
them with length 1.  Each entry is a function and its vector-Jacobian product.  `sum` is in
broadcast.py, because it is the gradient of `expand`.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from nnlib.primitives.broadcast import expand, expand_reduced, in_float32, sum
from nnlib.primitives.elementwise import cast, eq, exp, where
from nnlib.primitives.shape import flip, pad, permute, reshape, slice_
from nnlib.record import Array, Primitive

reduce = partial(Primitive, family="reduce")


def _count(x: Any, dim: tuple[int, ...]) -> int:
    return math.prod([x.shape[i] for i in dim])


def _mean(x: Array, dim: tuple[int, ...], keepdim: bool) -> Array:
    if x.dtype == np.float16:  # the sum may overflow although the mean does not
        return _mean(x.astype(np.float32), dim, keepdim).astype(np.float16)
    return np.add.reduce(x, axis=dim, keepdims=keepdim) / x.dtype.type(_count(x, dim))


mean = reduce(
    "mean",
    _mean,
    lambda g, out, x, dim, keepdim: expand_reduced(g / float(_count(x, dim)), x, dim, keepdim),
    saves="args",
    shape_only=(0,),
)


def _prod_vjp(g: Any, out: Any, x: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    """∂out/∂xᵢ is the product of the other elements: of all before xᵢ, times that of all after it.

    Dividing the product of all by xᵢ would fail at 0, so two running products are multiplied.
    """
    if x.ndim == 0:
        return g
    remaining = tuple([i for i in range(x.ndim) if i not in dim])
    order = remaining + dim
    rows = permute(x, dims=order)
    rows = reshape(rows, shape=(*tuple([x.shape[i] for i in remaining]), _count(x, dim)))
    last = rows.ndim - 1
    products = _product_of_others(rows, last)
    products = reshape(products, shape=tuple([x.shape[i] for i in order]))
    inverse = tuple(int(i) for i in np.argsort(order))
    return expand_reduced(g, x, dim, keepdim) * permute(products, dims=inverse)


def _product_of_others(x: Any, last: int) -> Any:
    n = x.shape[last]
    lead = tuple([(0, m, 1) for m in x.shape[:last]])
    pad_front = ((0, 0),) * last + ((1, 0),)
    pad_back = ((0, 0),) * last + ((0, 1),)
    left = slice_(cumprod(pad(x, pad=pad_front, value=1.0), dim=last), index=(*lead, (0, n, 1)))
    right = flip(
        cumprod(flip(pad(x, pad=pad_back, value=1.0), dims=(last,)), dim=last), dims=(last,)
    )
    return left * slice_(right, index=(*lead, (1, n + 1, 1)))


prod = reduce(
    "prod",
    lambda x, dim, keepdim: np.multiply.reduce(x, axis=dim, keepdims=keepdim),
    _prod_vjp,
    saves="args",
)


def _extreme_vjp(g: Any, out: Any, x: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    """Share g evenly among the elements that attain the extreme, as PyTorch's amax does."""
    attained = eq(x, expand_reduced(out, x, dim, keepdim))
    repeated = expand_reduced(g, x, dim, keepdim)
    # Counted in float64: the largest float16 is 65504.
    count = sum(cast(attained, dtype="float64"), dim=dim, keepdim=True)
    share = cast(1.0 / expand_reduced(count, x, dim, True), dtype=g.dtype.name)
    return repeated * cast(attained, dtype=g.dtype.name) * share


amax = reduce(
    "amax",
    lambda x, dim, keepdim: np.maximum.reduce(x, axis=dim, keepdims=keepdim),
    _extreme_vjp,
)
amin = reduce(
    "amin",
    lambda x, dim, keepdim: np.minimum.reduce(x, axis=dim, keepdims=keepdim),
    _extreme_vjp,
)
any = reduce(
    "any",
    lambda x, dim, keepdim: np.logical_or.reduce(x, axis=dim, keepdims=keepdim),
    saves="none",
)
all = reduce(
    "all",
    lambda x, dim, keepdim: np.logical_and.reduce(x, axis=dim, keepdims=keepdim),
    saves="none",
)


def _arg(function: Any) -> Any:
    def forward(x: Array, dim: int | None, keepdim: bool) -> Array:
        return np.asarray(function(x, axis=dim, keepdims=keepdim), dtype=np.int64)[()]

    return forward


argmax = reduce("argmax", _arg(np.argmax), saves="none")
argmin = reduce("argmin", _arg(np.argmin), saves="none")

# ---------------------------------------------------------------- the softmax family


def _logsumexp(x: Array, dim: tuple[int, ...], keepdim: bool) -> Array:
    # log Σ e^x = m + log Σ e^(x - m): if m is the largest x, nothing overflows.
    if x.dtype == np.float16:
        return _logsumexp(x.astype(np.float32), dim, keepdim).astype(np.float16)
    m = np.maximum.reduce(x, axis=dim, keepdims=True, initial=None if x.size else -np.inf)
    m = np.where(np.isfinite(m), m, m.dtype.type(0))
    out = np.log(np.add.reduce(np.exp(x - m), axis=dim, keepdims=True)) + m
    return out if keepdim else out.reshape([n for i, n in enumerate(x.shape) if i not in dim])[()]


logsumexp = reduce(
    "logsumexp",
    _logsumexp,
    lambda g, out, x, dim, keepdim: (
        expand_reduced(g, x, dim, keepdim) * exp(x - expand_reduced(out, x, dim, keepdim))
    ),
)


def _softmax(x: Array, dim: int) -> Array:
    if x.ndim == 0 or x.size == 0:
        return np.exp(x - x)
    if x.dtype == np.float16:
        return in_float32(x, _softmax, dim=dim)
    e = np.exp(x - np.maximum.reduce(x, axis=dim, keepdims=True))
    e /= np.add.reduce(e, axis=dim, keepdims=True)
    return np.ascontiguousarray(e)


def _log_softmax(x: Array, dim: int) -> Array:
    if x.ndim == 0 or x.size == 0:
        return x - x
    if x.dtype == np.float16:
        return in_float32(x, _log_softmax, dim=dim)
    x = x - np.maximum.reduce(x, axis=dim, keepdims=True)
    x -= np.log(np.add.reduce(np.exp(x), axis=dim, keepdims=True))
    return np.ascontiguousarray(x)


def _softmax_vjp(g: Any, out: Any, x: Any, dim: int) -> Any:
    weighted = g * out
    if out.ndim == 0:
        return weighted - out * weighted
    return weighted - out * sum(weighted, dim=(dim,), keepdim=True)


def _log_softmax_vjp(g: Any, out: Any, x: Any, dim: int) -> Any:
    if out.ndim == 0:
        return g - exp(out) * g
    return g - exp(out) * sum(g, dim=(dim,), keepdim=True)


softmax = reduce("softmax", _softmax, _softmax_vjp, saves="out")
log_softmax = reduce("log_softmax", _log_softmax, _log_softmax_vjp, saves="out")

# ---------------------------------------------------------------- running sums and products


def _running(ufunc: Any, x: Array, dim: int) -> Array:
    if x.ndim == 0:
        return x.copy()
    if x.dtype == np.float16:
        return in_float32(x, ufunc.accumulate, axis=dim)
    return np.ascontiguousarray(ufunc.accumulate(x, axis=dim))


def _cumsum(x: Array, dim: int) -> Array:
    """Like PyTorch, start each sum at 0, so that -0.0 becomes 0.0."""
    sums = _running(np.add, x, dim)
    if sums.ndim:
        sums += sums.dtype.type(0)
    return sums


def _reversed_cumsum(g: Any, dim: int) -> Any:
    return flip(cumsum(flip(g, dims=(dim,)), dim=dim), dims=(dim,))


cumsum = reduce(
    "cumsum",
    _cumsum,
    lambda g, out, x, dim: _reversed_cumsum(g, dim) if out.ndim else g,
    saves="out",
    shape_only=(-1,),
)


def _cumprod_vjp(g: Any, out: Any, x: Any, dim: int) -> Any:
    """dout_j/dx_i = Π_{k≤j, k≠i} x_k, from a matrix of products: division by x would fail at 0."""
    if x.ndim == 0:
        return g
    n = x.shape[dim]
    # products[..., i, j] = x_0 ⋯ x_j without x_i for j ≥ i, and 0 for j < i.
    order = (*tuple([i for i in range(x.ndim) if i != dim]), dim)
    rows = permute(x, dims=order)
    lead = rows.shape[:-1]
    products = expand(reshape(rows, shape=(*lead, 1, n)), shape=(*lead, n, n))
    products = cumprod(where(np.eye(n, dtype=bool), 1.0, products), dim=len(lead) + 1)
    products = where(np.triu(np.ones((n, n), dtype=bool)), products, 0.0)
    g_rows = reshape(permute(g, dims=order), shape=(*lead, 1, n))
    dx_rows = sum(products * g_rows, dim=(len(lead) + 1,), keepdim=False)
    return permute(dx_rows, dims=tuple(int(i) for i in np.argsort(order)))


cumprod = reduce(
    "cumprod",
    lambda x, dim: _running(np.multiply, x, dim),
    _cumprod_vjp,
    saves="args",
)

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "cumprod", "cumsum", "log_softmax",
    "logsumexp", "mean", "prod", "softmax",
]  # fmt: skip
