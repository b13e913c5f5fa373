"""x[key] for keys of ints, slices, None, ..., masks and integer tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib import record
from nnlib.functions._args import converted
from nnlib.primitives import elementwise as elementwise_primitives
from nnlib.primitives import index as index_primitives
from nnlib.primitives import shape as p
from nnlib.record import Value, apply, is_tracing, make

if TYPE_CHECKING:
    from nnlib.tensor import Tensor


def getitem(input: Tensor, key: Any) -> Tensor:
    """x[key]: ints, slices, None, …, boolean masks and integer tensors, as in PyTorch."""
    keys = full_key(input, as_tuple(key))
    basic, shape, advanced = split_key(input._data.shape, keys)
    full_range = tuple([(0, n, 1) for n in input._data.shape])
    if basic == full_range and shape == input._data.shape and not advanced:
        return apply(p.reshape, (input,), {"shape": shape})  # a view, not the tensor itself
    x = input if basic == full_range else apply(p.slice_, (input,), {"index": basic})
    if x._data.shape != shape:
        x = apply(p.reshape, (x,), {"shape": shape})
    return _pick(x, advanced) if advanced else x


def as_tuple(key: Any) -> tuple[Any, ...]:
    """A key as a tuple of entries; like PyTorch, it treats a list of lists or slices as a tuple."""
    if isinstance(key, tuple):
        return key
    entries = (list, tuple, slice, Value, np.ndarray, type(None), type(Ellipsis))
    if isinstance(key, list) and len(key) < 32 and any(isinstance(k, entries) for k in key):
        return tuple(key)
    return (key,)


def full_key(x: Tensor, keys: tuple[Any, ...]) -> list[Any]:
    """A key with one entry per dimension: masks become indices, `...` becomes slices."""
    entries = [as_index(k) if isinstance(k, (list, tuple, np.ndarray, bool)) else k for k in keys]
    ndim, used = x._data.ndim, sum([_dimensions_of(k) for k in entries])
    out: list[Any] = []
    at = 0  # the next dimension of x
    for k in entries:
        if k is Ellipsis:
            at = ndim - (used - at)
        if not is_mask(k):
            at += _dimensions_of(k)
            out.append(k)
            continue
        _checked_mask(k, x, at)
        at += k._data.ndim
        if k._data.ndim:
            out += [as_index(i) for i in np.nonzero(k._data)]
        else:  # a new dimension, of length 1 or 0
            out.append(_Added(as_index(np.flatnonzero(k._data))))
    if used > ndim:
        raise IndexError(
            f"too many indices for tensor of dimension {ndim}: {used} given for shape "
            f"{list(x._data.shape)}"
        )
    ellipses = [i for i, k in enumerate(out) if k is Ellipsis]
    if len(ellipses) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    at = ellipses[0] if ellipses else len(out)
    return out[:at] + [slice(None)] * (ndim - used) + out[at + 1 :]


class _Added:
    """An entry of a key that adds a dimension, as None does; `pick` selects its element or none."""

    def __init__(self, pick: Tensor) -> None:
        self.pick = pick


def is_mask(k: Any) -> bool:
    """Whether an entry of a key is a mask: booleans or, as in PyTorch, bytes."""
    return isinstance(k, Value) and (k._data.dtype.kind == "b" or k._data.dtype == np.uint8)


def _dimensions_of(k: Any) -> int:
    """The number of dimensions of a tensor that an entry of a key indexes."""
    if k is None or k is Ellipsis:
        return 0
    return k._data.ndim if is_mask(k) else 1


def _checked_mask(k: Tensor, x: Tensor, at: int) -> None:
    # a trace would fix the number of selected elements
    record.report_read(k, "a boolean mask as an index")
    shape = x._data.shape
    if k._data.ndim and k._data.shape != shape[at : at + k._data.ndim]:
        raise IndexError(
            f"The shape of the mask {list(k._data.shape)} at index {at} does not match the shape "
            f"of the indexed tensor {list(shape)} at index {at}"
        )


def as_index(k: Any) -> Tensor:
    array = np.asarray(k)
    if array.size and array.dtype.kind == "f":
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    mask = array.dtype.kind == "b" or array.dtype == np.uint8
    return make(array if mask else array.astype(np.int64))


def split_key(
    shape: tuple[Any, ...], keys: list[Any]
) -> tuple[tuple[Any, ...], tuple[Any, ...], list[Any]]:
    """Split a key into a basic index, the shape that it gives, and `advanced`.

    `advanced` lists dimensions of that shape with the index tensors for them.
    """
    index: list[Any] = []
    result_shape: list[int] = []
    advanced: list[tuple[int, Any]] = []
    for k in keys:
        if k is None:
            result_shape.append(1)
            continue
        if isinstance(k, _Added):
            advanced.append((len(result_shape), k.pick))
            result_shape.append(1)
            continue
        n = shape[len(index)]
        if isinstance(k, slice):
            if k.step is not None and k.step <= 0:
                raise ValueError("step must be greater than zero: use flip() to go backwards")
            start, stop, step = k.indices(n)
            stop = max(start, stop)
            index.append((start, stop, step))
            result_shape.append(len(range(start, stop, step)))
        elif isinstance(k, Value) and (k._data.ndim or is_tracing()):
            # a traced integer stays an input of the graph: it may change
            advanced.append((len(result_shape), k))
            index.append((0, n, 1))
            result_shape.append(n)
        else:
            index.append(_position(k, n, len(index)))
    return tuple(index), tuple(result_shape), advanced


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


def _pick(x: Tensor, advanced: list[Any]) -> Tensor:
    dims = tuple([d for d, _ in advanced])
    shape = x._data.shape
    indices = []
    for d, k in advanced:
        array = k._data
        if array.dtype.kind not in "iu":
            raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
        if array.size and not (-shape[d] <= array.min() and array.max() < shape[d]):
            wrong = array.max() if array.max() >= shape[d] else array.min()
            raise IndexError(
                f"index {wrong} is out of bounds for dimension {d} with size {shape[d]}"
            )
        indices.append(_counted_from_front(k, shape[d]) if is_tracing() or np.any(array < 0) else k)
    if dims == tuple(range(dims[0], dims[0] + len(dims))):
        return apply(index_primitives.index, (x, *indices), {"dims": dims})
    # If the index tensors are not adjacent, their shape comes first, as in NumPy and PyTorch.
    other_dims = tuple([i for i in range(x._data.ndim) if i not in dims])
    x = apply(p.permute, (x,), {"dims": dims + other_dims})
    return apply(index_primitives.index, (x, *indices), {"dims": tuple(range(len(dims)))})


def _counted_from_front(k: Any, n: int) -> Tensor:
    """Make negative positions positive.  A traced index may have other values in the next call."""
    if not is_tracing():
        array = k._data.astype(np.int64)
        return as_index(np.where(array < 0, array + n, array))
    k = converted(k, np.dtype(np.int64))
    negative = apply(elementwise_primitives.lt, (k, 0), {})
    shifted = apply(elementwise_primitives.add, (k, n), {})
    return apply(elementwise_primitives.where, (negative, shifted, k), {})
