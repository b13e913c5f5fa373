"""Functions that join tensors: cat, stack, hstack, vstack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnlib import dtypes
from nnlib.functions._args import converted, dimension, needs_tensor, numpy_names
from nnlib.functions.reshaping import reshape, unsqueeze
from nnlib.primitives import shape as p
from nnlib.record import apply

if TYPE_CHECKING:
    from nnlib.tensor import Tensor


@numpy_names
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors joined along an existing dimension.

    Mixed types are promoted.  Raises RuntimeError for an empty list, and if the tensors differ in
    another dimension.  Like ``torch.cat``.

    >>> import nnlib
    >>> nnlib.cat([nnlib.zeros(2, 1), nnlib.ones(2, 2)], dim=1)
    tensor([[0., 1., 1.],
            [0., 1., 1.]])
    """
    xs = [needs_tensor("cat", t) for t in tensors]
    if not xs:
        raise RuntimeError("cat(): expected a non-empty list of Tensors")
    dtype = dtypes.result_type(*xs)
    xs = _without_empty_vectors(xs, dim)
    d = dimension(dim, xs[0]._data.ndim)
    for i, x in enumerate(xs):
        a, b = list(xs[0]._data.shape), list(x._data.shape)
        if not a or len(a) != len(b) or a[:d] + a[d + 1 :] != b[:d] + b[d + 1 :]:
            raise RuntimeError(
                f"Sizes of tensors must match except in dimension {d}. Tensor 0 has shape {a}, "
                f"tensor {i} has shape {b}"
            )
    return apply(p.cat, [converted(x, dtype) for x in xs], {"dim": d})


def _without_empty_vectors(xs: list[Tensor], dim: int) -> list[Tensor]:
    """Drop empty vectors, which PyTorch still lets cat() join with tensors of any shape.

    A recorded one stays, in a shape that fits, so that the result is recorded too.
    """
    shape = next((x._data.shape for x in xs if x._data.shape != (0,)), None)
    if shape is None:
        return xs
    d = dimension(dim, len(shape))
    empty = (*shape[:d], 0, *shape[d + 1 :])
    reshaped = [reshape(x, empty) if x._data.shape == (0,) and x._node else x for x in xs]
    return [x for x in reshaped if x._data.shape != (0,) or len(shape) == 1]


@numpy_names
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of the same shape joined along a new dimension.

    Raises RuntimeError for an empty list, and if the shapes differ.  Like ``torch.stack``.

    >>> import nnlib
    >>> nnlib.stack([nnlib.tensor([1, 2]), nnlib.tensor([3, 4])], dim=1)
    tensor([[1, 3],
            [2, 4]])
    """
    xs = [needs_tensor("stack", t) for t in tensors]
    if not xs:
        raise RuntimeError("stack expects a non-empty TensorList")
    for i, x in enumerate(xs):
        if x._data.shape != xs[0]._data.shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(xs[0]._data.shape)} at "
                f"entry 0 and {list(x._data.shape)} at entry {i}"
            )
    d = dimension(dim, xs[0]._data.ndim + 1)
    return cat([unsqueeze(x, d) for x in xs], d)


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors side by side: joined along dimension 1 (vectors along 0).

    Like ``torch.hstack``.

    >>> import nnlib
    >>> nnlib.hstack([nnlib.zeros(2, 1), nnlib.ones(2, 1)])
    tensor([[0., 1.],
            [0., 1.]])
    """
    xs = [reshape(x, -1) if not x._data.ndim else x for x in tensors]
    return cat(xs, 0 if xs and xs[0]._data.ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors on top of each other: joined along dimension 0 (vectors as rows).

    Like ``torch.vstack``.

    >>> import nnlib
    >>> nnlib.vstack([nnlib.tensor([1, 2]), nnlib.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    return cat([reshape(x, (1, -1)) if x._data.ndim < 2 else x for x in tensors], 0)
