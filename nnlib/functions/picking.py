"""Functions that select, write, rank and count elements, by index tensors and masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from nnlib import dtypes, record
from nnlib._types import Dim, Number, Operand
from nnlib.devices import refuse_out
from nnlib.functions import along, indexing
from nnlib.functions import arithmetic as ar
from nnlib.functions import reshaping as s
from nnlib.functions._args import (
    as_element,
    converted,
    dimension,
    is_number,
    needs_tensor,
    numpy_names,
)
from nnlib.functions.along import RESULT_TYPES, ValuesIndices
from nnlib.functions.arrange import narrow
from nnlib.functions.products import vector_norm
from nnlib.primitives import elementwise as elementwise_primitives
from nnlib.primitives import index as p
from nnlib.primitives import reduce as reduce_primitives
from nnlib.primitives.shape import numpy_index, slice_backward
from nnlib.record import Value, apply, make

if TYPE_CHECKING:
    from nnlib.tensor import Tensor


def _integers(name: str, index: Tensor) -> Tensor:
    i = needs_tensor(name, index)
    if i._data.dtype.kind not in "iu":
        raise RuntimeError(
            f"{name}(): Expected dtype int32/int64 for index, but got {dtypes.of(i._data).name}: "
            "indices are integers, convert with .long()"
        )
    return i


def _checked_index(
    name: str, x: Tensor, dim: int, index: Tensor, source: Any = None
) -> tuple[int, Tensor]:
    """The dimension and index of gather or scatter; an error is raised if they do not fit."""
    i = _integers(name, index)
    d = dimension(dim, x._data.ndim)
    x_shape, index_shape = x._data.shape or (1,), i._data.shape or (1,)
    if not i._data.size:
        return d, i
    shapes = [x_shape] if source is None else [x_shape, np.shape(source._data) or (1,)]
    if any(len(shape) != len(index_shape) for shape in shapes):
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as {name}'s other tensors: "
            f"index {list(index_shape)}, {', '.join(str(list(shape)) for shape in shapes)}"
        )
    for axis, n in enumerate(index_shape):
        if (axis != d and n > x_shape[axis]) or (source is not None and n > shapes[1][axis]):
            raise RuntimeError(
                f"Size does not match at dimension {axis}: {name} was given an index of shape "
                f"{list(index_shape)} for {' and '.join(str(list(shape)) for shape in shapes)}, "
                f"apart from dimension {d}"
            )
    _within(i, x_shape[d], d, RuntimeError)
    return d, i


def _within(i: Tensor, n: int, d: int, error_type: type[Exception]) -> None:
    array = i._data
    if array.size and not (array.min() >= 0 and array.max() < n):
        wrong = array.max() if array.max() >= n else array.min()
        raise error_type(f"index {wrong} is out of bounds for dimension {d} with size {n}")


# ---------------------------------------------------------------- along a dimension


@numpy_names
def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """out[i][j] = input[index[i][j]][j] for dim 0: one element of `input` for each of `index`.

    `index` has as many dimensions as `input` and gives the shape of the result.  Raises
    RuntimeError for an index out of range.  Like ``torch.gather``.

    >>> import nnlib
    >>> scores = nnlib.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> nnlib.gather(scores, 1, nnlib.tensor([[1], [0]]))
    tensor([[2.],
            [3.]])
    """
    x = needs_tensor("gather", input)
    d, i = _checked_index("gather", x, dim, index)
    return apply(p.gather, (x, i), {"dim": d})


@numpy_names
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """gather() after broadcasting; without `dim`, indices into the flattened input.

    Raises RuntimeError unless both have the same number of dimensions.  Like
    ``torch.take_along_dim``.

    >>> import nnlib
    >>> x = nnlib.tensor([[3, 1, 2], [6, 5, 4]])
    >>> nnlib.take_along_dim(x, x.argsort(1), dim=1)
    tensor([[1, 2, 3],
            [4, 5, 6]])
    """
    x, i = needs_tensor("take_along_dim", input), _integers("take_along_dim", indices)
    if dim is None:
        return gather(s.reshape(x, -1), 0, s.reshape(i, -1))
    d = dimension(dim, x._data.ndim)
    if x._data.ndim != i._data.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, "
            f"but got {x._data.ndim} dimensions for input, and {i._data.ndim} for indices"
        )
    a, b = list(x._data.shape), list(i._data.shape)
    common = list(np.broadcast_shapes((*a[:d], *a[d + 1 :]), (*b[:d], *b[d + 1 :])))
    x = s.expand(x, (*common[:d], a[d], *common[d:]))
    return gather(x, d, s.expand(i, (*common[:d], b[d], *common[d:])))


@numpy_names
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """`input` with src[i][j] added at [index[i][j]][j] (for dim 0); duplicates add up.

    Raises RuntimeError for an index out of range, and if types or shapes do not match.  Like
    ``torch.scatter_add``.

    >>> import nnlib
    >>> votes = nnlib.tensor([0, 2, 2])
    >>> nnlib.zeros(3).scatter_add(0, votes, nnlib.ones(3))
    tensor([1., 0., 2.])
    """
    x, source = needs_tensor("scatter_add", input), needs_tensor("scatter_add", src)
    _same_type("scatter", x, source)
    d, i = _checked_index("scatter_add", x, dim, index, source)
    if not i._data.size:
        return ar.clone(x)
    if source._data.ndim:
        source = _cropped(source, i._data.shape)
    return apply(p.scatter_add, (x, i, source), {"dim": d})


@numpy_names
def scatter(input: Tensor, dim: int, index: Tensor, src: Operand) -> Tensor:
    """`input` with src[i][j] (or one number) written to [index[i][j]][j] (for dim 0).

    If an index repeats, the last value is kept.  Like ``torch.scatter``.

    >>> import nnlib
    >>> nnlib.zeros(2, 3).scatter(1, nnlib.tensor([[2], [0]]), 1.0)
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    x = needs_tensor("scatter", input)
    if is_number(src):
        d, i = _checked_index("scatter", x, dim, index)
        source = make(np.full(i._data.shape, as_element(src, x._data.dtype))[()])
    else:
        source = needs_tensor("scatter", src)
        _same_type("scatter", x, source)
        d, i = _checked_index("scatter", x, dim, index, source)
        source = _cropped(source, i._data.shape)
    if not i._data.size:
        return ar.clone(x)
    positions = apply(p.gather, (_positions(x), i), {"dim": d})
    return _put(x, positions, source)


def _same_type(name: str, x: Tensor, source: Tensor) -> None:
    if x._data.dtype != source._data.dtype:
        raise RuntimeError(
            f"{name}(): Expected self.dtype to be equal to src.dtype, but they are "
            f"{dtypes.of(x._data).name} and {dtypes.of(source._data).name}: convert one"
        )


def _cropped(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    if x._data.shape == shape:
        return x
    return indexing.getitem(x, tuple([slice(n) for n in shape]))


def _positions(x: Tensor) -> Tensor:
    """The flat position of each element of x, in the shape of x."""
    return make(np.arange(x._data.size).reshape(x._data.shape)[()])


def _put(x: Tensor, positions: Tensor, source: Tensor) -> Tensor:
    """`x` with the elements of `source` written at the flat `positions`.

    If a position repeats, its last element is written.

    It uses differentiable primitives: `source_of` has, for each position of `x`, the index of the
    last source element that is written there, or -1.
    """
    n, m = x._data.size, positions._data.size
    if not m:
        if source._node is None:
            return ar.clone(x)
        # nothing is written, but `source` stays in the graph
        nowhere = make(np.zeros(x._data.shape, bool)[()])
        return ar.where(nowhere, s.expand(along.sum(source), x._data.shape), x)
    flat = s.reshape(positions, m)
    if not record.is_tracing():
        last = np.full(n, -1)
        last[flat._data] = np.arange(m)
        source_of = make(last)
    else:  # traced positions may change, so primitives, which a graph replays, compute it
        matches = apply(
            elementwise_primitives.eq, (s.reshape(flat, (m, 1)), make(np.arange(n))), {}
        )
        source_index = make(np.arange(m).reshape(m, 1))
        source_of = along.amax(ar.where(matches, source_index, make(np.int64(-1))), 0)
    written = apply(elementwise_primitives.ge, (source_of, 0), {})
    at_least_0 = ar.maximum(source_of, make(np.int64(0)))
    values = apply(p.take, (s.reshape(source, m), at_least_0), {"dim": 0})
    return s.reshape(ar.where(written, values, s.reshape(x, n)), x._data.shape)


@numpy_names
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices of `input` along `dim` at the positions in the vector `index`.

    Raises IndexError for an index out of range.  Like ``torch.index_select``.

    >>> import nnlib
    >>> nnlib.index_select(nnlib.eye(3), 0, nnlib.tensor([2, 0]))
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    x, i = needs_tensor("index_select", input), _integers("index_select", index)
    d = dimension(dim, x._data.ndim)
    if i._data.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if not x._data.ndim:
        return x
    i = s.reshape(i, -1)
    _within(i, x._data.shape[d], d, IndexError)
    return apply(p.take, (x, i), {"dim": d})


@numpy_names
def index_add(
    input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1
) -> Tensor:
    """`input` with alpha · the k-th slice of `source` added to its slice index[k] along `dim`.

    Raises IndexError for an index out of range or one that is not a vector, RuntimeError if types
    or shapes do not match.  Like ``torch.index_add``.

    >>> import nnlib
    >>> rows, x = nnlib.tensor([0, 0, 2]), nnlib.ones(3, 2)
    >>> nnlib.index_add(nnlib.zeros(3, 2), 0, rows, x)
    tensor([[2., 2.],
            [0., 0.],
            [1., 1.]])
    """
    x, i = needs_tensor("index_add", input), _integers("index_add", index)
    added = needs_tensor("index_add", source)
    d = dimension(dim, x._data.ndim)
    _same_type("index_add", x, added)
    if i._data.ndim > 1:
        raise IndexError("index_add_(): Index is supposed to be a vector")
    expected = (*x._data.shape[:d], i._data.size, *x._data.shape[d + 1 :])
    if added._data.shape != expected:
        raise RuntimeError(
            f"index_add(): the source has shape {list(added._data.shape)}, and an index of "
            f"{i._data.size} along dimension {d} needs {list(expected)}"
        )
    _within(i, x._data.shape[d], d, IndexError)
    added = added if alpha == 1 else ar.mul(added, alpha)
    sums = apply(p.take_add, (added, s.reshape(i, -1)), {"dim": d, "shape": x._data.shape})
    return ar.add(x, sums)


# ---------------------------------------------------------------- by a mask


def _mask(name: str, mask: Tensor) -> Tensor:
    m = needs_tensor(name, mask)
    if m._data.dtype.kind != "b":
        raise RuntimeError(
            f"{name} only supports boolean masks, but got mask with dtype "
            f"{dtypes.of(m._data).name}: compare first, as in x > 0"
        )
    return m


def masked_fill(input: Tensor, mask: Tensor, value: Operand) -> Tensor:
    """`value` (cast to the type of `input`) where `mask` is true, `input` elsewhere.

    Raises RuntimeError if the mask is not boolean, or the value has dimensions.  Like
    ``torch.masked_fill``.

    >>> import nnlib
    >>> nnlib.zeros(2).masked_fill(nnlib.tensor([True, False]), float("-inf"))
    tensor([-inf, 0.])
    """
    x, m = needs_tensor("masked_fill", input), _mask("masked_fill_", mask)
    if not is_number(value):
        needs_tensor("masked_fill", value)
    if isinstance(value, Value) and value._data.ndim:
        raise RuntimeError(
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value._data.ndim} dimension(s)."
        )
    return ar.where(m, _cast_to(x, value), x)


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements of `input` where `mask` is true, as a vector; the two broadcast.

    Raises RuntimeError if the mask is not boolean, or the shapes do not broadcast.  Like
    ``torch.masked_select``.

    >>> import nnlib
    >>> x = nnlib.tensor([[1, -2], [-3, 4]])
    >>> nnlib.masked_select(x, x > 0)
    tensor([1, 4])
    """
    x, m = needs_tensor("masked_select", input), _mask("masked_select", mask)
    try:
        shape = np.broadcast_shapes(x._data.shape, m._data.shape)
    except ValueError as error:
        raise RuntimeError(f"masked_select: the shapes do not broadcast: {error}") from None
    if not shape:
        x, m, shape = s.reshape(x, 1), s.reshape(m, 1), (1,)
    return indexing.getitem(s.expand(x, shape), s.expand(m, shape))


# ---------------------------------------------------------------- writing by a key


def setitem(input: Tensor, key: Any, value: Any) -> Tensor:
    """`input` with `value` written at [key], as a new tensor; it implements ``input[key] = value``.

    If index tensors repeat a position, the last value is kept.
    """
    is_mask = isinstance(key, Value) and key._data.dtype.kind == "b"
    is_scalar = not (isinstance(value, Value) and value._data.ndim)
    if is_mask and is_scalar and key._data.shape == input._data.shape:
        return masked_fill(input, key, _cast_to(input, value))
    dtype = input._data.dtype
    v = _cast_to(input, value) if is_scalar else value
    keys = indexing.full_key(input, indexing.as_tuple(key))
    basic, shape, advanced = indexing.split_key(input._data.shape, keys)
    if advanced:
        if v._data.dtype != dtype and not _may_cast(v, key):
            raise _index_dtype_error(input, v)
        v = converted(v, dtype)
        positions = indexing.getitem(_positions(input), key)
        return _put(input, positions, fitted(v, positions._data.shape))
    v = fitted(converted(v, dtype), shape)
    # slices keep the dimensions that ints drop, so reshape the value to the slice's shape
    slice_shape = tuple([len(range(*i)) for i in basic if not isinstance(i, int)])
    v = s.reshape(v, slice_shape) if v._data.shape != slice_shape else v
    return written_slice(input, basic, v)


def _cast_to(x: Tensor, value: Any) -> Tensor:
    dtype = x._data.dtype
    return converted(value, dtype) if isinstance(value, Value) else make(as_element(value, dtype))


def write(array: np.ndarray, key: Any, value: Any) -> None:
    """array[key] = value for any key that a tensor accepts; nothing is recorded."""
    x = make(array)
    v = value if isinstance(value, Value) else make(as_element(value, array.dtype))
    keys = indexing.full_key(x, indexing.as_tuple(key))
    basic, shape, advanced = indexing.split_key(array.shape, keys)
    if advanced and v._data.dtype != array.dtype and not _may_cast(v, key):
        raise _index_dtype_error(x, v)
    v = converted(make(v._data), array.dtype)
    if advanced:
        positions = indexing.getitem(_positions(x), key)._data
        values = np.ravel(fitted(v, positions.shape)._data)
        if values.size:
            array.flat[np.ravel(positions)] = values
        return
    value = fitted(v, shape)._data
    array[numpy_index(basic)] = value.reshape([len(range(*i)) for i in basic if type(i) is tuple])


def _may_cast(v: Value, key: Any) -> bool:
    """Whether a value of another type may be written: only one element, and only through masks."""
    if v._data.size != 1:
        return False
    keys = indexing.as_tuple(key)
    entries = [indexing.as_index(k) if isinstance(k, (list, np.ndarray)) else k for k in keys]
    return all(indexing.is_mask(k) for k in entries if isinstance(k, Value))


def _index_dtype_error(x: Value, v: Value) -> RuntimeError:
    return RuntimeError(
        "Index put requires the source and destination dtypes match, got "
        f"{dtypes.of(x._data).name} for the destination and {dtypes.of(v._data).name} for the "
        "source."
    )


def written_slice(x: Tensor, index: Any, value: Tensor) -> Tensor:
    """`x` with `value` in place of the slice `index`."""
    shape = x._data.shape
    in_slice = np.zeros(shape, bool)
    in_slice[numpy_index(index)] = True
    placed = apply(slice_backward, (value,), {"index": index, "shape": shape})
    return ar.where(make(in_slice[()]), placed, x)


def fitted(v: Tensor, shape: tuple[int, ...]) -> Tensor:
    """`v` broadcast to `shape`; leading dimensions of length 1 may be dropped."""
    while v._data.ndim > len(shape) and v._data.shape[0] == 1:
        v = s.reshape(v, v._data.shape[1:])
    try:
        return v if v._data.shape == shape else s.expand(v, shape)
    except RuntimeError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(v._data.shape)} cannot be broadcast to "
            f"indexing result of shape {list(shape)}"
        ) from None


# ---------------------------------------------------------------- ranks and counts


@numpy_names
def topk(
    input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> ValuesIndices:
    """(values, indices) of the k largest (or smallest) elements along `dim`, in order.

    Raises RuntimeError if there are fewer than k.  Like ``torch.topk``.

    >>> import nnlib
    >>> nnlib.topk(nnlib.tensor([3.0, 1.0, 2.0]), 2).indices
    tensor([0, 2])
    """
    x = needs_tensor("topk", input)
    d = dimension(dim, x._data.ndim)
    n = x._data.shape[d] if x._data.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError(f"selected index k out of range: k = {k}, and there are {n} along {dim}")
    if not x._data.ndim:
        return RESULT_TYPES["topk"](ar.clone(x), make(np.int64(0)))
    order = narrow(along.argsort(x, d, largest), d, 0, k)
    return RESULT_TYPES["topk"](gather(x, d, order), order)


@numpy_names
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> ValuesIndices:
    """(values, indices) of the k-th smallest elements along `dim`, counted from 1.

    Raises RuntimeError for k out of range.  Like ``torch.kthvalue``.

    >>> import nnlib
    >>> values, indices = nnlib.kthvalue(nnlib.tensor([4.0, 1.0, 3.0]), 2)
    >>> values, indices
    (tensor(3.), tensor(2))
    """
    x = needs_tensor("kthvalue", input)
    d = dimension(dim, x._data.ndim)
    n = x._data.shape[d] if x._data.ndim else 1
    if not 1 <= k <= n:
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {d}: {k}")
    if not x._data.ndim:
        return RESULT_TYPES["kthvalue"](ar.clone(x), make(np.int64(0)))
    indices = narrow(along.argsort(x, d), d, k - 1, 1)
    values = gather(x, d, indices)
    if not keepdim:
        values, indices = s.squeeze(values, d), s.squeeze(indices, d)
    return RESULT_TYPES["kthvalue"](values, indices)


@overload
def median(input: Tensor, dim: None = None, keepdim: bool = False) -> Tensor: ...
@overload
def median(input: Tensor, dim: int, keepdim: bool = False) -> ValuesIndices: ...
@numpy_names
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor | ValuesIndices:
    """The middle element (the lower of two); with `dim`, (values, indices).

    The result is nan if any element is nan.  Like ``torch.median``.

    >>> import nnlib
    >>> nnlib.median(nnlib.tensor([4.0, 1.0, 3.0, 2.0]))
    tensor(2.)
    """
    x = needs_tensor("median", input)
    if dim is None:
        return _median_of_all(x)
    along.refuse_empty("median", x, dim)
    if not x._data.ndim:
        return RESULT_TYPES["median"](ar.clone(x), make(np.int64(0)))
    return _median(x, dimension(dim, x._data.ndim), keepdim)


def _median(x: Tensor, d: int, keepdim: bool) -> ValuesIndices:
    middle = kthvalue(x, (x._data.shape[d] + 1) // 2, d, True)
    indices = middle.indices
    # A traced program may get a nan in a later call.
    if x._data.dtype.kind == "f" and (record.is_tracing() or np.isnan(x._data).any()):
        is_nan = ar.isnan(x)
        first = apply(reduce_primitives.argmax, (is_nan,), {"dim": d, "keepdim": True})
        indices = ar.where(along.any(is_nan, d, True), first, indices)
    values = gather(x, d, indices)
    if not keepdim:
        values, indices = s.squeeze(values, d), s.squeeze(indices, d)
    return RESULT_TYPES["median"](values, indices)


def _median_of_all(x: Tensor) -> Tensor:
    """The median of all elements; those that are equal to it share the gradient."""
    dtype = x._data.dtype
    if not x._data.size:
        return make(dtype.type(np.nan if dtype.kind == "f" else np.iinfo(dtype).min))
    out = _median(s.reshape(x, -1), 0, False).values
    if x._node is None:
        return out
    if not record.is_tracing() and out._data != out._data:
        return along.extreme_of_all(reduce_primitives.amax, x)
    fill_is_low = record.is_tracing() or out._data > -np.inf
    fill = make(dtype.type(-np.inf if fill_is_low else np.inf))
    equal = ar.where(ar.eq(x, out.detach()), x, fill)
    shared = along.amax(equal) if fill_is_low else along.amin(equal)
    return ar.where(ar.isnan(out), out, shared) if record.is_tracing() else shared


@overload
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: Literal[False] = False,
    return_counts: Literal[False] = False,
    dim: int | None = None,
) -> Tensor: ...
@overload
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    *,
    return_counts: Literal[True],
    dim: int | None = None,
) -> tuple[Tensor, ...]: ...
@overload
def unique(
    input: Tensor,
    sorted: bool = True,
    *,
    return_inverse: Literal[True],
    return_counts: bool = False,
    dim: int | None = None,
) -> tuple[Tensor, ...]: ...
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Tensor | tuple[Tensor, ...]:
    """The distinct elements (or slices along `dim`) in order; optionally inverse and counts.

    The result's shape depends on the values, so a traced program cannot contain it.  Like
    ``torch.unique``.

    >>> import nnlib
    >>> nnlib.unique(nnlib.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    x = needs_tensor("unique", input)
    record.report_read(x, "unique()")
    d = None if dim is None else dimension(dim, x._data.ndim)
    out, *extras = np.unique(x._data, return_inverse=True, return_counts=True, axis=d)
    # NumPy returns int32 where Python is 32-bit.
    inverse, counts = [np.asarray(extra, np.int64) for extra in extras]
    shape = x._data.shape if d is None else (-1,)
    results = [make(out)]
    results += [make(inverse.reshape(shape)[()])] if return_inverse else []
    results += [make(counts)] if return_counts else []
    return results[0] if len(results) == 1 else tuple(results)


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """The counts of 0, 1, 2, … in a vector of integers, or the sums of their weights.

    Raises RuntimeError for anything but a vector of non-negative integers.  Like
    ``torch.bincount``.

    >>> import nnlib
    >>> nnlib.bincount(nnlib.tensor([0, 2, 2, 3]))
    tensor([1, 0, 2, 1])
    """
    x = needs_tensor("bincount", input)
    if x._data.ndim != 1 or x._data.dtype.kind not in "iu" or (x._data.size and x._data.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    record.report_read(x, "bincount()")
    w = None if weights is None else needs_tensor("bincount", weights)._data
    out = np.bincount(x._data.astype(np.intp, copy=False), w, minlength)
    if w is not None:
        return make(out.astype(w.dtype if w.dtype.kind == "f" else np.float64))
    return make(out.astype(np.int64))


@numpy_names
def count_nonzero(input: Tensor, dim: Dim = None) -> Tensor:
    """The number of elements that are not zero, over the dimensions `dim` (all of them by default).

    Like ``torch.count_nonzero``.

    >>> import nnlib
    >>> nnlib.count_nonzero(nnlib.tensor([[0, 1], [2, 3]]), dim=0)
    tensor([1, 2])
    """
    x = needs_tensor("count_nonzero", input)
    return along.sum(ar.ne(x, 0), dim)


@overload
def nonzero(input: Tensor, *, as_tuple: Literal[False] = False) -> Tensor: ...
@overload
def nonzero(input: Tensor, *, as_tuple: Literal[True]) -> tuple[Tensor, ...]: ...
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Tensor | tuple[Tensor, ...]:
    """The coordinates of the elements that are not zero: (count, ndim), or one vector per dim.

    Like ``torch.nonzero``.

    >>> import nnlib
    >>> nnlib.nonzero(nnlib.tensor([[0, 1], [2, 0]]))
    tensor([[0, 1],
            [1, 0]])
    """
    x = needs_tensor("nonzero", input)
    record.report_read(x, "nonzero()")
    if as_tuple:
        coordinates = np.nonzero(np.atleast_1d(x._data))
        return tuple([make(i.astype(np.int64, copy=False)) for i in coordinates])
    return make(np.argwhere(x._data).astype(np.int64))


@overload
def where(condition: Tensor) -> tuple[Tensor, ...]: ...
@overload
def where(condition: Tensor, input: Operand, other: Operand, *, out: None = None) -> Tensor: ...
def where(
    condition: Tensor,
    input: Operand | None = None,
    other: Operand | None = None,
    *,
    out: None = None,
) -> Tensor | tuple[Tensor, ...]:
    """`input` where `condition` holds, `other` elsewhere, with broadcasting.

    Raises RuntimeError if `condition` is not boolean or the shapes do not broadcast.
    where(condition) alone returns nonzero(condition, as_tuple=True).  Raises TypeError if only one
    of `input` and `other` is given.  Like ``torch.where``.

    >>> import nnlib
    >>> x = nnlib.tensor([-1.0, 2.0])
    >>> nnlib.where(x > 0, x, 0.1 * x)
    tensor([-0.1000,  2.0000])
    >>> nnlib.where(x > 0)
    (tensor([1]),)
    """
    refuse_out(out)
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    if input is None or other is None:
        raise TypeError("where() takes a condition alone, or with both input and other")
    return ar.where(condition, input, other)


def where_self(input: Tensor, condition: Tensor, other: Operand) -> Tensor:
    """`input` where `condition` holds, `other` elsewhere."""
    return ar.where(condition, input, other)


def isclose(
    input: Tensor, other: Operand, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """|input - other| ≤ atol + rtol · |other|, elementwise; equal infinities are close.

    Raises RuntimeError if the types differ.  Like ``torch.isclose``.

    >>> import nnlib
    >>> nnlib.isclose(nnlib.tensor([1.0, 2.0]), nnlib.tensor([1.0, 2.1]))
    tensor([ True, False])
    """
    x, y = _pair("isclose", input, other)
    equal = ar.eq(x, y)
    if equal_nan and x._data.dtype.kind == "f":
        equal = ar.logical_or(equal, ar.logical_and(ar.isnan(x), ar.isnan(y)))
    if x._data.dtype.kind == "b":
        return equal
    difference, allowed = ar.abs(ar.sub(x, y)), ar.add(ar.mul(ar.abs(y), rtol), atol)
    return ar.logical_or(equal, ar.logical_and(ar.isfinite(difference), ar.le(difference, allowed)))


def allclose(
    input: Tensor, other: Operand, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether every element is close, as defined by isclose(): a Python bool.

    Raises RuntimeError if the types differ.  Like ``torch.allclose``.

    >>> import nnlib
    >>> nnlib.allclose(nnlib.tensor([1.0]), nnlib.tensor([1.0 + 1e-7]))
    True
    """
    return bool(along.all(isclose(input, other, rtol, atol, equal_nan)).item())


def _pair(name: str, input: Tensor, other: Operand) -> tuple[Tensor, Tensor]:
    x, y = needs_tensor(name, input), needs_tensor(name, other)
    if x._data.dtype != y._data.dtype:
        raise RuntimeError(
            f"{dtypes.of(x._data).name} did not match {dtypes.of(y._data).name}: {name} compares "
            "tensors of the same type"
        )
    return x, y


def equal(input: Tensor, other: Operand) -> bool:
    """Whether the shapes and all elements are equal: a Python bool.

    Like ``torch.equal``.

    >>> import nnlib
    >>> nnlib.equal(nnlib.tensor([1, 2]), nnlib.tensor([1, 2]))
    True
    """
    x, y = needs_tensor("equal", input), needs_tensor("equal", other)
    for t in (x, y):
        record.report_read(t, "equal()")
    return x._data.shape == y._data.shape and bool(np.all(x._data == y._data))


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0) -> Tensor:
    """The distances between all rows of x1 (…, P, M) and all rows of x2 (…, R, M): (…, P, R).

    Raises RuntimeError if the rows have different lengths.  Like ``torch.cdist``.

    >>> import nnlib
    >>> nnlib.cdist(nnlib.tensor([[0.0, 0.0]]), nnlib.tensor([[3.0, 4.0], [1.0, 0.0]]))
    tensor([[5., 1.]])
    """
    a, b = needs_tensor("cdist", x1), needs_tensor("cdist", x2)
    if a._data.ndim < 2 or b._data.ndim < 2 or a._data.shape[-1] != b._data.shape[-1]:
        raise RuntimeError(
            "cdist needs two tensors (…, P, M) and (…, R, M), got "
            f"{list(a._data.shape)} and {list(b._data.shape)}"
        )
    return vector_norm(ar.sub(s.unsqueeze(a, -2), s.unsqueeze(b, -3)), p if p else 0, -1)
