"""Primitives that multiply and sum over shared dimensions: matmul and einsum."""

from __future__ import annotations

import operator
from functools import partial
from typing import Any

import numpy as np

from nnlib.primitives.broadcast import expand, sum
from nnlib.primitives.shape import permute, reshape
from nnlib.record import Primitive

linalg = partial(Primitive, family="linalg")


def _transposed(x: Any) -> Any:
    if x.ndim == 2:
        return permute(x, dims=(1, 0))
    return permute(x, dims=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _column(x: Any) -> Any:
    return reshape(x, shape=(*x.shape, 1))


def _row(x: Any) -> Any:
    return reshape(x, shape=(*x.shape[:-1], 1, x.shape[-1]))


def _unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum a gradient over the batch dimensions that broadcasting added or repeated."""
    if g.shape == shape:
        return g
    extra = g.ndim - len(shape)
    dim = tuple([i for i in range(g.ndim) if i < extra or g.shape[i] != shape[i - extra]])
    return reshape(sum(g, dim=dim, keepdim=False), shape=shape)


def _left(g: Any, out: Any, x: Any, y: Any) -> Any:
    if x.ndim == y.ndim == 2:
        return g @ y.T
    if y.ndim == 1:  # (…, n) · (n,): each row of x is multiplied by the same y
        return g * y if x.ndim == 1 else _unbroadcast(_column(g) * y, x.shape)
    if x.ndim == 1:
        return _unbroadcast(matmul(_row(g), _transposed(y)), (1, x.shape[0])).reshape(x.shape)
    return _unbroadcast(matmul(g, _transposed(y)), x.shape)


def _right(g: Any, out: Any, x: Any, y: Any) -> Any:
    if x.ndim == 2 and y.ndim <= 2:
        return x.T @ g
    if x.ndim == 1:
        if y.ndim == 1:
            return g * x
        return _unbroadcast(_column(x) * _row(g), y.shape)
    if y.ndim == 1:
        return _unbroadcast(matmul(_transposed(x), _column(g)), (y.shape[0], 1)).reshape(y.shape)
    if y.ndim == 2 and x.ndim > 2:  # y is the same for the whole batch: one product sums over it
        rows = reshape(x, shape=(-1, x.shape[-1]))
        return matmul(_transposed(rows), reshape(g, shape=(-1, g.shape[-1])))
    return _unbroadcast(matmul(_transposed(x), g), y.shape)


matmul = linalg("matmul", operator.matmul, _left, _right, saves="args", reads=((1,), (0,)))


def _einsum_vjp(needs: tuple, g: Any, out: Any, *xs: Any, equation: str) -> tuple:
    """Each factor's gradient contracts g with the other factors, onto that factor's letters."""
    left, result = equation.split("->")
    terms = left.split(",")
    sizes = {c: n for t, x in zip(terms, xs, strict=True) for c, n in zip(t, x.shape, strict=True)}
    grads: list[Any] = []
    for i, (need, term) in enumerate(zip(needs, terms, strict=True)):
        if not need:
            grads.append(None)
            continue
        other_terms = terms[:i] + terms[i + 1 :]
        others = xs[:i] + xs[i + 1 :]
        available = set(result).union(*other_terms)
        shared = "".join(c for c in term if c in available)
        grad = einsum(g, *others, equation=",".join([result, *other_terms]) + "->" + shared)
        # A letter that only this factor has was summed over: the gradient is the same along it.
        grad = reshape(grad, shape=tuple([sizes[c] if c in available else 1 for c in term]))
        grads.append(expand(grad, shape=xs[i].shape))
    return tuple(grads)


einsum = linalg(
    "einsum",
    lambda *xs, equation: np.asarray(
        np.einsum(equation, *xs, optimize=len(xs) > 1),
        order="C",  # so that flatten() is a view
    )[()],
    vjp_of_all=_einsum_vjp,
    saves="args",
    reads="others",
)
