"""Functions that give the elements another shape: reshape, flatten, transpose, expand, flip."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nnlib._types import Sizes
from nnlib.functions._args import dimension, dimensions, needs_tensor, numpy_names
from nnlib.primitives import broadcast
from nnlib.primitives import shape as p
from nnlib.record import apply

if TYPE_CHECKING:
    from nnlib.tensor import Tensor


def as_sizes(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given as f(2, 3) or as f((2, 3)); TypeError unless they are integers."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = tuple(sizes[0])
    try:
        return tuple([operator.index(n) for n in sizes])
    except TypeError:
        raise TypeError(
            f"sizes must be integers, got {list(sizes)}; if a size was computed with /, use //"
        ) from None


def reshape(input: Tensor, *shape: Sizes) -> Tensor:
    """The same elements, row by row, in another shape; one size may be -1: it is inferred.

    Raises RuntimeError if the number of elements would change, or -1 occurs twice.  Like
    ``torch.reshape``.

    >>> import nnlib
    >>> nnlib.reshape(nnlib.arange(6), (2, -1))
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    x = needs_tensor("reshape", input)
    new_shape, size = as_sizes(shape), x._data.size
    if new_shape.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred: -1 occurs twice in the shape")
    known_size = math.prod([n for n in new_shape if n != -1])
    if -1 in new_shape and not known_size:
        raise RuntimeError(
            f"cannot reshape tensor of {size} elements into shape {list(new_shape)} because the "
            "unspecified dimension size -1 can be any value and is ambiguous"
        )
    if -1 in new_shape and known_size and size % known_size == 0:
        new_shape = tuple([size // known_size if n == -1 else n for n in new_shape])
    if math.prod(new_shape) != size or any(n < 0 for n in new_shape):
        raise RuntimeError(
            f"shape '{list(as_sizes(shape))}' is invalid for input of size {size}: the tensor has "
            f"shape {list(x._data.shape)}, and a reshape must keep the number of elements"
        )
    return apply(p.reshape, (x,), {"shape": new_shape})


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The tensor with the dimensions start_dim … end_dim joined into one.

    Raises RuntimeError if end_dim comes before start_dim.  Like ``torch.flatten``.

    >>> import nnlib
    >>> nnlib.flatten(nnlib.zeros(2, 3, 4), start_dim=1).shape
    nnlib.Size([2, 12])
    """
    x = needs_tensor("flatten", input)
    shape = x._data.shape or (1,)
    a, b = dimension(start_dim, len(shape)), dimension(end_dim, len(shape))
    if a == b and x._data.ndim:
        return x  # as in PyTorch: there is nothing to join
    if a > b:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    return reshape(x, (*shape[:a], math.prod(shape[a : b + 1]), *shape[b + 1 :]))


def permute(input: Tensor, *dims: Sizes) -> Tensor:
    """The tensor with its dimensions in another order.

    Raises RuntimeError unless each dimension is named once.  Like ``torch.permute``.

    >>> import nnlib
    >>> nnlib.permute(nnlib.zeros(2, 3, 4), (2, 0, 1)).shape
    nnlib.Size([4, 2, 3])
    """
    x = needs_tensor("permute", input)
    order = tuple([dimension(d, x._data.ndim) for d in as_sizes(dims)])
    if sorted(order) != list(range(x._data.ndim)):
        raise RuntimeError(
            f"permute(dims): {list(as_sizes(dims))} is not a permutation of the {x._data.ndim} "
            f"dimensions of a tensor of shape {list(x._data.shape)}: name each once"
        )
    return apply(p.permute, (x,), {"dims": order})


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """The tensor with two dimensions exchanged.

    Like ``torch.transpose``.

    >>> import nnlib
    >>> nnlib.transpose(nnlib.tensor([[1, 2, 3], [4, 5, 6]]), 0, 1)
    tensor([[1, 4],
            [2, 5],
            [3, 6]])
    """
    x = needs_tensor("transpose", input)
    n = x._data.ndim
    a, b = dimension(dim0, n), dimension(dim1, n)
    order = list(range(n))
    if order:
        order[a], order[b] = b, a
    return apply(p.permute, (x,), {"dims": tuple(order)})


@numpy_names
def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """The tensor without its dimensions of length 1 (all of them, or those named).

    Like ``torch.squeeze``.

    >>> import nnlib
    >>> nnlib.squeeze(nnlib.zeros(2, 1, 3, 1)).shape
    nnlib.Size([2, 3])
    """
    x = needs_tensor("squeeze", input)
    shape = x._data.shape
    removable = tuple(range(len(shape))) if dim is None else dimensions(dim, len(shape))
    return reshape(x, tuple([n for i, n in enumerate(shape) if not (i in removable and n == 1)]))


@numpy_names
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """The tensor with a new dimension of length 1 at `dim`.

    Like ``torch.unsqueeze``.

    >>> import nnlib
    >>> nnlib.unsqueeze(nnlib.zeros(2, 3), 1).shape
    nnlib.Size([2, 1, 3])
    """
    x = needs_tensor("unsqueeze", input)
    shape = x._data.shape
    d = dimension(dim, len(shape) + 1)
    return reshape(x, (*shape[:d], 1, *shape[d:]))


def expand(input: Tensor, *sizes: Sizes) -> Tensor:
    """The tensor with dimensions of length 1 repeated, without copying; -1 keeps a dimension.

    Raises RuntimeError for a new size of a dimension whose length is not 1.  Like
    ``torch.expand``.

    >>> import nnlib
    >>> nnlib.tensor([[1], [2]]).expand(2, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    x = needs_tensor("expand", input)
    new_shape, old_shape = as_sizes(sizes), x._data.shape
    extra = len(new_shape) - len(old_shape)
    target = tuple(
        [old_shape[i - extra] if n == -1 and i >= extra else n for i, n in enumerate(new_shape)]
    )
    fits = extra >= 0 and all(m in (1, n) for m, n in zip(old_shape, target[extra:], strict=True))
    if not fits or any(n < 0 for n in target):
        raise RuntimeError(
            f"The expanded size {list(new_shape)} must match the existing size {list(old_shape)} "
            "at every dimension that is not of length 1"
        )
    return apply(broadcast.expand, (x,), {"shape": target})


def flip(input: Tensor, *dims: Sizes) -> Tensor:
    """The elements in reverse order along each of `dims`.

    Like ``torch.flip``.

    >>> import nnlib
    >>> nnlib.flip(nnlib.tensor([[1, 2], [3, 4]]), (1,))
    tensor([[2, 1],
            [4, 3]])
    """
    x = needs_tensor("flip", input)
    order = tuple([dimension(d, x._data.ndim) for d in as_sizes(dims)])
    return apply(p.flip, (x,), {"dims": order})
