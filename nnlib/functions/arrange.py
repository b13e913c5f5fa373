"""Functions that cut, repeat and rearrange tensors, such as split, tile, roll and diagonal.

All are written with a few primitives, which supply their derivatives.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib import record
from nnlib._types import Operand, Sizes
from nnlib.functions._args import as_list, dimension, is_integer, needs_tensor, numpy_names
from nnlib.functions.along import sum as sum_
from nnlib.functions.arithmetic import clone
from nnlib.functions.indexing import getitem
from nnlib.functions.joining import cat
from nnlib.functions.reshaping import (
    as_sizes,
    expand,
    flatten,
    permute,
    reshape,
    transpose,
    unsqueeze,
)
from nnlib.primitives import index as index_primitives
from nnlib.primitives import shape as p
from nnlib.record import Value, apply, make

if TYPE_CHECKING:
    from nnlib.tensor import Tensor

# ---------------------------------------------------------------- slices and pieces


@numpy_names
def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """The elements start … start + length - 1 along `dim`, as a view.

    Raises IndexError for a start out of range, RuntimeError for a length that is too large and for
    a tensor without dimensions.  Like ``torch.narrow``.

    >>> import nnlib
    >>> nnlib.narrow(nnlib.arange(6), 0, 2, 3)
    tensor([2, 3, 4])
    """
    x = needs_tensor("narrow", input)
    if not x._data.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    d = dimension(dim, x._data.ndim)
    n, start, length = x._data.shape[d], operator.index(start), operator.index(length)
    if not -n <= start <= n:
        raise IndexError(f"start out of range (expected to be in [{-n}, {n}], but got {start})")
    start = start + n if start < 0 else start
    if length < 0 or start + length > n:
        raise RuntimeError(
            f"start ({start}) + length ({length}) exceeds dimension size ({n}), or length is "
            "negative"
        )
    return getitem(x, (*(slice(None),) * d, slice(start, start + length)))


@numpy_names
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice `index` along `dim`, without that dimension: x[:, …, index].

    Raises IndexError for an index out of range, and for a tensor without dimensions.  Like
    ``torch.select``.

    >>> import nnlib
    >>> nnlib.select(nnlib.tensor([[1, 2], [3, 4]]), 1, 0)
    tensor([1, 3])
    """
    x = needs_tensor("select", input)
    if not x._data.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    return getitem(x, (*(slice(None),) * dimension(dim, x._data.ndim), index))


@numpy_names
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """All slices along `dim`, as a tuple.

    Raises IndexError for a tensor without dimensions.  Like ``torch.unbind``.

    >>> import nnlib
    >>> nnlib.unbind(nnlib.tensor([[1, 2], [3, 4]]))
    (tensor([1, 2]), tensor([3, 4]))
    """
    x = needs_tensor("unbind", input)
    if not x._data.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    d = dimension(dim, x._data.ndim)
    return tuple([select(x, d, i) for i in range(x._data.shape[d])])


def split(
    tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Consecutive pieces along `dim`: of equal size (the last may be smaller), or of listed sizes.

    Raises RuntimeError for a negative size, and for sizes that do not add up to the dimension.
    Like ``torch.split``.

    >>> import nnlib
    >>> nnlib.split(nnlib.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    x = needs_tensor("split", tensor)
    d = dimension(dim, x._data.ndim)
    if not x._data.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    n = x._data.shape[d]
    sizes: Any = split_size_or_sections
    if is_integer(sizes):
        sizes = operator.index(sizes)
        if sizes < 0 or (sizes == 0 and n):
            raise RuntimeError(
                f"split expects split_size be non-negative, but got split_size={sizes}"
                if sizes
                else "split_size can only be 0 if dimension size is 0, but got dimension size of "
                f"{n}"
            )
        starts = range(0, n, sizes) if n else (0,)
        sizes = [min(sizes, n - start) for start in starts]
    elif sum(sizes) != n or any(size < 0 for size in sizes):
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at "
            f"dimension {dim}), but got split_sizes={list(sizes)}"
        )
    offsets = np.cumsum([0, *sizes]).tolist()
    return tuple([narrow(x, d, offsets[i], size) for i, size in enumerate(sizes)])


@numpy_names
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` pieces of equal size along `dim` (the last may be smaller).

    Raises RuntimeError unless `chunks` is positive.  Like ``torch.chunk``.

    >>> import nnlib
    >>> nnlib.chunk(nnlib.arange(5), 2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    x = needs_tensor("chunk", input)
    if not x._data.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    n = x._data.shape[dimension(dim, x._data.ndim)]
    if not n:
        return split(x, [0] * chunks, dim)
    return split(x, -(-n // chunks), dim)


# ---------------------------------------------------------------- repeats


def tile(input: Tensor, *dims: Sizes) -> Tensor:
    """The whole tensor repeated along each dimension; missing counts are 1.

    Like ``torch.tile``.

    >>> import nnlib
    >>> nnlib.tile(nnlib.tensor([1, 2]), (2, 2))
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    x = needs_tensor("tile", input)
    counts = as_sizes(dims)
    return repeat(x, (1,) * (x._data.ndim - len(counts)) + counts)


def repeat(input: Tensor, *repeats: Sizes) -> Tensor:
    """The tensor repeated along each dimension; extra counts add dimensions at the front."""
    x = needs_tensor("repeat", input)
    counts = as_sizes(repeats)
    if len(counts) < x._data.ndim:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
            f"tensor: {list(counts)} for shape {list(x._data.shape)}"
        )
    if any(n < 0 for n in counts):
        raise RuntimeError(f"Trying to create tensor with negative dimension: {list(counts)}")
    old_shape = (1,) * (len(counts) - x._data.ndim) + x._data.shape
    with_ones = tuple([n for size in old_shape for n in (1, size)])
    expanded = tuple([n for pair in zip(counts, old_shape, strict=True) for n in pair])
    new_shape = tuple([n * size for n, size in zip(counts, old_shape, strict=True)])
    return _copied(x, reshape(expand(reshape(x, with_ones), expanded), new_shape))


def _copied(x: Tensor, result: Tensor) -> Tensor:
    """`result`, copied if it is still a view of x because nothing was repeated."""
    shared = np.may_share_memory(result._data, x._data) or not x._data.size
    return clone(result) if shared else result


@numpy_names
def repeat_interleave(input: Tensor, repeats: Tensor | int, dim: int | None = None) -> Tensor:
    """Each element (or slice along `dim`) repeated `repeats` times: one count for all, or for each.

    Raises RuntimeError for negative counts, and for a wrong number of counts.  Like
    ``torch.repeat_interleave``.

    >>> import nnlib
    >>> nnlib.repeat_interleave(nnlib.tensor([1, 2]), 3)
    tensor([1, 1, 1, 2, 2, 2])
    """
    x = needs_tensor("repeat_interleave", input)
    if dim is None:
        x, dim = reshape(x, -1), 0
    d = dimension(dim, x._data.ndim)
    shape = x._data.shape
    if isinstance(repeats, Value) and repeats._data.size != 1:
        return _each_repeated(x, repeats, d)
    repeat_count = repeats.item() if isinstance(repeats, Value) else repeats
    count = operator.index(repeat_count)  # type: ignore[arg-type]  # a float is refused
    if count < 0:
        raise RuntimeError(f"repeats can not be negative, got {count}")
    expanded = expand(unsqueeze(x, d + 1), (*shape[: d + 1], count, *shape[d + 1 :]))
    return _copied(x, reshape(expanded, (*shape[:d], shape[d] * count, *shape[d + 1 :])))


def _each_repeated(x: Tensor, repeats: Tensor, d: int) -> Tensor:
    counts = repeats._data
    if counts.dtype.kind not in "iu" or counts.shape != x._data.shape[d : d + 1]:
        raise RuntimeError(
            f"repeats must be integers, one for each of the {x._data.shape[d]} along dim {d}, "
            f"got shape {list(counts.shape)}"
        )
    if counts.size and counts.min() < 0:
        raise RuntimeError(f"repeats can not be negative, got {counts.min()}")
    record.report_read(repeats, "repeat_interleave() with a count for each")
    positions = make(np.repeat(np.arange(counts.size), counts))
    return apply(index_primitives.take, (x, positions), {"dim": d})


def roll(
    input: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None
) -> Tensor:
    """The elements shifted along `dims`; those shifted past one end reappear at the other.

    Raises RuntimeError unless there are as many shifts as dims.  Like ``torch.roll``.

    >>> import nnlib
    >>> nnlib.roll(nnlib.arange(4), 1)
    tensor([3, 0, 1, 2])
    """
    x = needs_tensor("roll", input)
    shift_list, dim_list = as_list(shifts), [] if dims is None else as_list(dims)
    if not dim_list:
        if len(shift_list) != 1:
            raise RuntimeError(
                f"shifts and dimensions must align. shifts: {len(shift_list)}, dims:{len(dim_list)}"
            )
        return reshape(roll(reshape(x, -1), shift_list[0], 0), x._data.shape)
    if len(shift_list) != len(dim_list):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(shift_list)}, dims:{len(dim_list)}"
        )
    original = x
    for shift, dim in zip(shift_list, dim_list, strict=True):
        shift = operator.index(shift)
        d = dimension(dim, x._data.ndim)
        n = x._data.shape[d] if x._data.ndim else 0
        if n and shift % n:
            start = n - shift % n
            x = cat([narrow(x, d, start, n - start), narrow(x, d, 0, start)], d)
    return clone(x) if x is original else x


# ---------------------------------------------------------------- order of dimensions


def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """The tensor with the dimensions `source` moved to `destination`; the others keep their order.

    Raises RuntimeError unless both contain the same number of distinct dimensions.  Like
    ``torch.movedim``.

    >>> import nnlib
    >>> nnlib.movedim(nnlib.zeros(2, 3, 4), 0, -1).shape
    nnlib.Size([3, 4, 2])
    """
    x = needs_tensor("movedim", input)
    n = x._data.ndim
    sources = [dimension(d, n) for d in as_list(source)]
    destinations = [dimension(d, n) for d in as_list(destination)]
    if not len(sources) == len(destinations) == len(set(sources)) == len(set(destinations)):
        raise RuntimeError(
            "movedim: Invalid source or destination dims: source and destination must name the "
            f"same number of distinct dims, got {source} and {destination}"
        )
    order = [d for d in range(n) if d not in sources]
    for position, d in sorted(zip(destinations, sources, strict=True)):
        order.insert(position, d)
    return permute(x, order) if n else x


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """The tensor with two dimensions exchanged: transpose() under NumPy's name.

    Like ``torch.swapaxes``.

    >>> import nnlib
    >>> nnlib.swapaxes(nnlib.zeros(2, 3, 4), 0, 2).shape
    nnlib.Size([4, 3, 2])
    """
    return transpose(input, axis0, axis1)


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; a vector or a 0-d tensor is returned unchanged.

    Raises RuntimeError for more than two dimensions.  Like ``torch.t``.

    >>> import nnlib
    >>> nnlib.t(nnlib.tensor([[1, 2], [3, 4]]))
    tensor([[1, 3],
            [2, 4]])
    """
    x = needs_tensor("t", input)
    if x._data.ndim > 2:
        raise RuntimeError(
            f"t() expects a tensor with <= 2 dimensions, but self is {x._data.ndim}D"
        )
    return transpose(x, 0, 1) if x._data.ndim == 2 else x


# ---------------------------------------------------------------- shapes


def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension.

    Like ``torch.ravel``.

    >>> import nnlib
    >>> nnlib.ravel(nnlib.tensor([[1, 2], [3, 4]]))
    tensor([1, 2, 3, 4])
    """
    return flatten(input)


@numpy_names
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """The tensor with one dimension split into several; one of the sizes may be -1.

    Raises RuntimeError unless the sizes multiply to that of the dimension.  Like
    ``torch.unflatten``.

    >>> import nnlib
    >>> nnlib.unflatten(nnlib.zeros(6, 2), 0, (2, -1)).shape
    nnlib.Size([2, 3, 2])
    """
    x = needs_tensor("unflatten", input)
    d = dimension(dim, x._data.ndim)
    n, known_size = x._data.shape[d], math.prod([size for size in sizes if size != -1])
    new_sizes = [n // known_size if size == -1 and known_size else size for size in sizes]
    if not new_sizes or math.prod(new_sizes) != n:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {d} "
            f"({n}) in the input tensor"
        )
    return reshape(x, (*x._data.shape[:d], *new_sizes, *x._data.shape[d + 1 :]))


def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """The tensor with its dimensions of length 1 repeated, without copying, to the shape `size`.

    Raises RuntimeError if the shape does not fit.  Like ``torch.broadcast_to``.

    >>> import nnlib
    >>> nnlib.broadcast_to(nnlib.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return expand(input, size)


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors, each expanded to their common shape.

    Raises RuntimeError if the shapes do not broadcast.  Like ``torch.broadcast_tensors``.

    >>> import nnlib
    >>> a, b = nnlib.broadcast_tensors(nnlib.zeros(3, 1), nnlib.zeros(2))
    >>> a.shape, b.shape
    (nnlib.Size([3, 2]), nnlib.Size([3, 2]))
    """
    xs = [needs_tensor("broadcast_tensors", x) for x in tensors]
    try:
        shape = np.broadcast_shapes(*[x._data.shape for x in xs])
    except ValueError as error:
        raise RuntimeError(f"broadcast_tensors: {error}") from None
    return tuple([expand(x, shape) for x in xs])


def meshgrid(*tensors: Tensor, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Grids of coordinates: the i-th result varies along dimension i with the i-th vector.

    `indexing="xy"` exchanges the first two dimensions, which is the order of images.  Raises
    RuntimeError for tensors of two or more dimensions, and for another `indexing`.  Like
    ``torch.meshgrid``.

    >>> import nnlib
    >>> x, y = nnlib.meshgrid(nnlib.arange(2), nnlib.arange(3), indexing="ij")
    >>> x, y
    (tensor([[0, 0, 0],
            [1, 1, 1]]), tensor([[0, 1, 2],
            [0, 1, 2]]))
    """
    vectors = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    xs = [needs_tensor("meshgrid", x) for x in vectors]
    if not xs:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if any(x._data.ndim > 1 for x in xs):
        raise RuntimeError("torch.meshgrid: Expected 0D or 1D tensors in the tensor list")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(
            f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        )
    shape = tuple([x._data.size for x in xs])
    grids = []
    for i, x in enumerate(xs):
        vector = reshape(x, tuple([n if dim == i else 1 for dim, n in enumerate(shape)]))
        grids.append(expand(vector, shape))
    if indexing == "xy" and len(xs) > 1:
        grids = [transpose(grid, 0, 1) for grid in grids]
    return tuple(grids)


# ---------------------------------------------------------------- triangles and diagonals


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of each matrix, zeros above the given diagonal.

    Raises RuntimeError for fewer than two dimensions.  Like ``torch.tril``.

    >>> import nnlib
    >>> nnlib.tril(nnlib.ones(2, 2))
    tensor([[1., 0.],
            [1., 1.]])
    """
    return apply(p.tril, (_matrices("tril", input),), {"diagonal": int(diagonal)})


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of each matrix, zeros below the given diagonal.

    Raises RuntimeError for fewer than two dimensions.  Like ``torch.triu``.

    >>> import nnlib
    >>> nnlib.triu(nnlib.ones(2, 2), diagonal=1)
    tensor([[0., 1.],
            [0., 0.]])
    """
    return apply(p.triu, (_matrices("triu", input),), {"diagonal": int(diagonal)})


def _matrices(name: str, input: Tensor) -> Tensor:
    x = needs_tensor(name, input)
    if x._data.ndim < 2:
        raise RuntimeError(
            f"{name}: input tensor must have at least 2 dimensions, got shape {list(x._data.shape)}"
        )
    return x


def _diagonal_slice(n: int, m: int, offset: int) -> tuple[int, int, int]:
    """The slice (start, stop, step) of a diagonal in an n × m matrix flattened row by row."""
    length = max(min(n, m - offset) if offset >= 0 else min(n + offset, m), 0)
    start = (offset if offset >= 0 else -offset * m) if length else 0
    return (start, start + (length - 1) * (m + 1) + 1 if length else start, m + 1)


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of the matrices in dimensions dim1 and dim2, as the last dimension.

    It shares the memory of `input`, unless that is part of a larger matrix: then it is a copy, and
    changing it in place raises RuntimeError.  Raises RuntimeError if both dimensions are the same.
    Like ``torch.diagonal``.

    >>> import nnlib
    >>> nnlib.diagonal(nnlib.arange(6).reshape(2, 3), 1)
    tensor([1, 5])
    """
    x = needs_tensor("diagonal", input)
    a, b = dimension(dim1, x._data.ndim), dimension(dim2, x._data.ndim)
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    x = movedim(x, (a, b), (-2, -1))
    *batch, n, m = x._data.shape
    rows = reshape(x, (*batch, n * m))
    if x._data.size and not np.may_share_memory(rows._data, x._data):
        # x may be stored column by column
        columns = reshape(transpose(x, -2, -1), (*batch, n * m))
        if np.may_share_memory(columns._data, x._data):
            rows, n, m, offset = columns, m, n, -offset
        else:  # part of a larger matrix: PyTorch would give a view of it; this copy is read-only
            copied = rows._data
            while isinstance(copied, np.ndarray):
                copied.flags.writeable = False
                copied = copied.base
    start, stop, step = _diagonal_slice(n, m, offset)
    return getitem(rows, (..., slice(start, stop, step)))


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The matrix with a vector on its diagonal, or the diagonal of a matrix.

    Raises RuntimeError for anything but a vector or a matrix.  Like ``torch.diag``.

    >>> import nnlib
    >>> nnlib.diag(nnlib.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    >>> nnlib.diag(nnlib.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    x = needs_tensor("diag", input)
    if x._data.ndim == 2:
        return clone(_diagonal(x, diagonal))  # diagonal() gives a view, diag() a copy
    if x._data.ndim != 1:
        raise RuntimeError(
            f"diag(): Supports 1D or 2D tensors. Got {x._data.ndim}D: see diagonal()"
        )
    n = x._data.size + abs(diagonal)
    index = _diagonal_slice(n, n, diagonal)
    flat = apply(p.slice_backward, (x,), {"index": (index,), "shape": (n * n,)})
    return reshape(flat, (n, n))


_diagonal = diagonal


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal elements of a matrix.

    Raises RuntimeError for anything but a matrix.  Like ``torch.trace``.

    >>> import nnlib
    >>> nnlib.trace(nnlib.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    x = needs_tensor("trace", input)
    if x._data.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {x._data.ndim}")
    return sum_(diagonal(x))


def reshape_as(input: Tensor, other: Operand) -> Tensor:
    """The elements of `input` in the shape of `other`."""
    return reshape(input, needs_tensor("reshape_as", other)._data.shape)
