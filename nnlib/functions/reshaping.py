"""Functions that rearrange elements: reshape, transpose, expand, index, cat and stack."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib import dtypes, record
from nnlib._types import Sizes
from nnlib.functions._args import (
    converted,
    dimension,
    dimensions,
    needs_tensor,
    numpy_names,
)
from nnlib.primitives import broadcast
from nnlib.primitives import elementwise as pe
from nnlib.primitives import index as pi
from nnlib.primitives import shape as p
from nnlib.record import Value, apply, is_watched, make

if TYPE_CHECKING:
    from nnlib.tensor import Tensor


def _sizes(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given as f(2, 3) or as f((2, 3)); TypeError unless they are integers."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = tuple(sizes[0])
    try:
        return tuple([operator.index(n) for n in sizes])
    except TypeError:
        raise TypeError(
            f"sizes must be integers, got {list(sizes)}: // gives an integer, / never does"
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
    new, size = _sizes(shape), x._data.size
    if new.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred: -1 occurs twice in the shape")
    known = math.prod([n for n in new if n != -1])
    if -1 in new and not known:
        raise RuntimeError(
            f"cannot reshape tensor of {size} elements into shape {list(new)} because the "
            "unspecified dimension size -1 can be any value and is ambiguous"
        )
    if -1 in new and known and size % known == 0:
        new = tuple([size // known if n == -1 else n for n in new])
    if math.prod(new) != size or any(n < 0 for n in new):
        raise RuntimeError(
            f"shape '{list(_sizes(shape))}' is invalid for input of size {size}: the tensor has "
            f"shape {list(x._data.shape)}, and a reshape must keep the number of elements"
        )
    return apply(p.reshape, (x,), {"shape": new})


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
    order = tuple([dimension(d, x._data.ndim) for d in _sizes(dims)])
    if sorted(order) != list(range(x._data.ndim)):
        raise RuntimeError(
            f"permute(dims): {list(_sizes(dims))} is not an order of the {x._data.ndim} dimensions "
            f"of a tensor of shape {list(x._data.shape)}: name each once"
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
    new, old = _sizes(sizes), x._data.shape
    extra = len(new) - len(old)
    target = tuple([old[i - extra] if n == -1 and i >= extra else n for i, n in enumerate(new)])
    fits = extra >= 0 and all(m in (1, n) for m, n in zip(old, target[extra:], strict=True))
    if not fits or any(n < 0 for n in target):
        raise RuntimeError(
            f"The expanded size {list(new)} must match the existing size {list(old)} at every "
            "dimension that is not of length 1"
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
    order = tuple([dimension(d, x._data.ndim) for d in _sizes(dims)])
    return apply(p.flip, (x,), {"dims": order})


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
    kind = dtypes.result_type(*xs)
    xs = _without_empty_vectors(xs, dim)
    d = dimension(dim, xs[0]._data.ndim)
    for i, x in enumerate(xs):
        a, b = list(xs[0]._data.shape), list(x._data.shape)
        if not a or len(a) != len(b) or a[:d] + a[d + 1 :] != b[:d] + b[d + 1 :]:
            raise RuntimeError(
                f"Sizes of tensors must match except in dimension {d}. Tensor 0 has shape {a}, "
                f"tensor {i} has shape {b}"
            )
    return apply(p.cat, [converted(x, kind) for x in xs], {"dim": d})


def _without_empty_vectors(xs: list[Tensor], dim: int) -> list[Tensor]:
    """Drop empty vectors, which PyTorch still lets cat() join with tensors of any shape.

    One that is recorded is kept, in a shape that fits, so that the result is recorded.
    """
    like = next((x._data.shape for x in xs if x._data.shape != (0,)), None)
    if like is None:
        return xs
    d = dimension(dim, len(like))
    empty = (*like[:d], 0, *like[d + 1 :])
    fit = [reshape(x, empty) if x._data.shape == (0,) and x._node else x for x in xs]
    return [x for x in fit if x._data.shape != (0,) or len(like) == 1]


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


# ---------------------------------------------------------------- indexing


def getitem(input: Tensor, key: Any) -> Tensor:
    """x[key]: ints, slices, None, …, boolean masks and integer tensors, as in PyTorch."""
    keys = _full_key(input, as_tuple(key))
    basic, shape, picks = _split_key(input._data.shape, keys)
    everything = tuple([(0, n, 1) for n in input._data.shape])
    if basic == everything and shape == input._data.shape and not picks:
        return apply(p.reshape, (input,), {"shape": shape})  # a view, not the tensor itself
    x = input if basic == everything else apply(p.slice_, (input,), {"index": basic})
    if x._data.shape != shape:
        x = apply(p.reshape, (x,), {"shape": shape})
    return _pick(x, picks) if picks else x


def as_tuple(key: Any) -> tuple[Any, ...]:
    """A key as a tuple of entries; like PyTorch, it treats a list of lists or slices as a tuple."""
    if isinstance(key, tuple):
        return key
    entries = (list, tuple, slice, Value, np.ndarray, type(None), type(Ellipsis))
    if isinstance(key, list) and len(key) < 32 and any(isinstance(k, entries) for k in key):
        return tuple(key)
    return (key,)


def _full_key(x: Tensor, keys: tuple[Any, ...]) -> list[Any]:
    """A key with one entry per dimension: masks become indices, `...` becomes slices."""
    entries = [_as_index(k) if isinstance(k, (list, tuple, np.ndarray, bool)) else k for k in keys]
    ndim, used = x._data.ndim, sum([_dimensions_of(k) for k in entries])
    out: list[Any] = []
    at = 0  # the next dimension of x
    for k in entries:
        if k is Ellipsis:
            at = ndim - (used - at)
        if not _is_mask(k):
            at += _dimensions_of(k)
            out.append(k)
            continue
        _checked_mask(k, x, at)
        at += k._data.ndim
        if k._data.ndim:
            out += [_as_index(i) for i in np.nonzero(k._data)]
        else:  # a new dimension, of length 1 or 0
            out.append(_Added(_as_index(np.flatnonzero(k._data))))
    if used > ndim:
        raise IndexError(
            f"too many indices for tensor of dimension {ndim}: {used} given for shape "
            f"{list(x._data.shape)}"
        )
    dots = [i for i, k in enumerate(out) if k is Ellipsis]
    if len(dots) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    at = dots[0] if dots else len(out)
    return out[:at] + [slice(None)] * (ndim - used) + out[at + 1 :]


class _Added:
    """An entry of a key that adds a dimension, as None does; `pick` selects its element or none."""

    def __init__(self, pick: Tensor) -> None:
        self.pick = pick


def _is_mask(k: Any) -> bool:
    """Whether an entry of a key is a mask: booleans or, as in PyTorch, bytes."""
    return isinstance(k, Value) and (k._data.dtype.kind == "b" or k._data.dtype == np.uint8)


def _dimensions_of(k: Any) -> int:
    """The number of dimensions of a tensor that an entry of a key indexes."""
    if k is None or k is Ellipsis:
        return 0
    return k._data.ndim if _is_mask(k) else 1


def _checked_mask(k: Tensor, x: Tensor, at: int) -> None:
    if watcher := record.current_watcher():  # a trace would fix the number of selected elements
        watcher.value_read(k, "a boolean mask as an index")
    shape = x._data.shape
    if k._data.ndim and k._data.shape != shape[at : at + k._data.ndim]:
        raise IndexError(
            f"The shape of the mask {list(k._data.shape)} at index {at} does not match the shape "
            f"of the indexed tensor {list(shape)} at index {at}"
        )


def _as_index(k: Any) -> Tensor:
    array = np.asarray(k)
    if array.size and array.dtype.kind == "f":
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    mask = array.dtype.kind == "b" or array.dtype == np.uint8
    return make(array if mask else array.astype(np.int64))


def _split_key(
    shape: tuple[Any, ...], keys: list[Any]
) -> tuple[tuple[Any, ...], tuple[Any, ...], list[Any]]:
    """Split a key into a basic index, the shape that it gives, and (dimension, tensor) picks."""
    index: list[Any] = []
    after: list[int] = []
    picks: list[tuple[int, Any]] = []
    for k in keys:
        if k is None:
            after.append(1)
            continue
        if isinstance(k, _Added):
            picks.append((len(after), k.pick))
            after.append(1)
            continue
        n = shape[len(index)]
        if isinstance(k, slice):
            if k.step is not None and k.step <= 0:
                raise ValueError("step must be greater than zero: use flip() to go backwards")
            start, stop, step = k.indices(n)
            stop = max(start, stop)
            index.append((start, stop, step))
            after.append(len(range(start, stop, step)))
        elif isinstance(k, Value) and (k._data.ndim or is_watched()):
            # a traced integer stays an input of the graph: it may change
            picks.append((len(after), k))
            index.append((0, n, 1))
            after.append(n)
        else:
            index.append(_position(k, n, len(index)))
    return tuple(index), tuple(after), picks


def _position(k: Any, n: int, dim: int) -> int:
    if isinstance(k, Value):
        k = k._data.item()
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)):
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are "
            f"valid indices (got {type(k).__name__})"
        )
    if not -n <= k < n:
        raise IndexError(f"index {k} is out of bounds for dimension {dim} with size {n}")
    return int(k) % n


def _pick(x: Tensor, picks: list[Any]) -> Tensor:
    dims = tuple([d for d, _ in picks])
    shape = x._data.shape
    indices = []
    for d, k in picks:
        array = k._data
        if array.dtype.kind not in "iu":
            raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
        if array.size and not (-shape[d] <= array.min() and array.max() < shape[d]):
            raise IndexError(
                f"index {int(array.max())} is out of bounds for dimension {d} with size {shape[d]}"
            )
        indices.append(_counted_from_front(k, shape[d]) if is_watched() or np.any(array < 0) else k)
    if dims == tuple(range(dims[0], dims[0] + len(dims))):
        return apply(pi.index, (x, *indices), {"dims": dims})
    # If the index tensors are not adjacent, their shape comes first, as in NumPy and PyTorch.
    rest = tuple([i for i in range(x._data.ndim) if i not in dims])
    x = apply(p.permute, (x,), {"dims": dims + rest})
    return apply(pi.index, (x, *indices), {"dims": tuple(range(len(dims)))})


def _counted_from_front(k: Any, n: int) -> Tensor:
    """Make negative positions positive.  A traced index may have other values in the next call."""
    if not is_watched():
        array = k._data.astype(np.int64)
        return _as_index(np.where(array < 0, array + n, array))
    k = converted(k, np.dtype(np.int64))
    return apply(pe.where, (apply(pe.lt, (k, 0), {}), apply(pe.add, (k, n), {}), k), {})
