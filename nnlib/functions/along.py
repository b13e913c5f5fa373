"""Functions along dimensions, with PyTorch's names: reductions, the softmax family, sorting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np

from nnlib import dtypes, record
from nnlib._types import DType
from nnlib.functions import arithmetic as ar
from nnlib.functions._args import (
    converted,
    dimension,
    dimensions,
    floating,
    needs_tensor,
    numpy_names,
)
from nnlib.primitives import index as index_primitives
from nnlib.primitives import reduce as p
from nnlib.primitives import shape as shape_primitives
from nnlib.primitives.broadcast import sum as sum_
from nnlib.record import Primitive, Value, apply

if TYPE_CHECKING:
    from nnlib.tensor import Tensor

Dim = int | Sequence[int] | None


class ValuesIndices(NamedTuple):
    """The values and indices that `max`, `min`, `sort`, `topk` and others return."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"nnlib.return_types.{name}(\nvalues={self.values!r},\nindices={self.indices!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self).__name__, *self)


def _rebuilt(name: str, values: Tensor, indices: Tensor) -> ValuesIndices:
    """The values and indices of the function `name`, for pickle and copy."""
    return RESULT_TYPES[name](values, indices)


# One type for each function, so its results print with its name, as in PyTorch.
RESULT_TYPES: dict[str, type[ValuesIndices]] = {
    name: type(name, (ValuesIndices,), {"__slots__": ()})
    for name in ("max", "min", "sort", "topk", "kthvalue", "median")
}


def _reduce(primitive: Primitive, x: Tensor, dim: Dim, keepdim: bool) -> Tensor:
    return apply(primitive, (x,), {"dim": dimensions(dim, x._data.ndim), "keepdim": bool(keepdim)})


def _summable(name: str, input: Tensor, dtype: Any) -> Tensor:
    x = needs_tensor(name, input)
    if dtype is not None:
        return converted(x, dtypes.as_numpy(dtype))
    return x if x._data.dtype.kind == "f" else converted(x, dtypes.int64.numpy)


@numpy_names
def sum(
    input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """Σ x over the dimensions `dim` (all of them by default).  Integers and booleans give int64.

    Like ``torch.sum``.

    >>> import nnlib
    >>> x = nnlib.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> nnlib.sum(x), nnlib.sum(x, dim=0)
    (tensor(10.), tensor([4., 6.]))
    """
    return _reduce(sum_, _summable("sum", input, dtype), dim, keepdim)


@numpy_names
def prod(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """Π x over the dimension `dim` (all dimensions by default).

    Like ``torch.prod``.

    >>> import nnlib
    >>> nnlib.prod(nnlib.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1)
    tensor([ 2., 12.])
    """
    return _reduce(p.prod, _summable("prod", input, dtype), dim, keepdim)


def _require_floats(name: str, input: Tensor) -> Tensor:
    x = needs_tensor(name, input)
    if x._data.dtype.kind != "f":
        raise RuntimeError(
            f"{name}(): could not infer output dtype. Input dtype must be a floating point dtype. "
            f"Got: {dtypes.of(x._data).name}. Convert with .float() first."
        )
    return x


@numpy_names
def mean(
    input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Tensor:
    """(1/n) Σ x over the dimensions `dim` (all of them by default).

    Raises RuntimeError for integers: convert with .float() first.  Like ``torch.mean``.

    >>> import nnlib
    >>> nnlib.mean(nnlib.tensor([[1.0, 2.0], [3.0, 6.0]]), dim=0)
    tensor([2., 4.])
    """
    x = needs_tensor("mean", input)
    x = x if dtype is None else converted(x, dtypes.as_numpy(dtype))
    return _reduce(p.mean, _require_floats("mean", x), dim, keepdim)


@numpy_names
def var(
    input: Tensor,
    dim: Dim | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """Σ (x - mean)² / (n - correction): the sample variance, unbiased (correction 1) by default.

    Raises RuntimeError for integers: convert with .float() first.  Like ``torch.var``.

    >>> import nnlib
    >>> x = nnlib.tensor([1.0, 2.0, 3.0])
    >>> nnlib.var(x), nnlib.var(x, correction=0)
    (tensor(1.), tensor(0.6667))
    """
    dim, correction = _dim_and_correction("var", dim, unbiased, correction)
    x = _require_floats("var", input)
    if x._data.dtype == np.float16:
        return _in_float32(var, x, dim, keepdim, correction)
    dims = dimensions(dim, x._data.ndim)
    n = math.prod([x._data.shape[i] for i in dims])
    deviation = ar.sub(x, _reduce(p.mean, x, dims, True))
    total = _reduce(sum_, ar.mul(deviation, deviation), dims, keepdim)
    freedom = n - correction
    if freedom <= 0:
        all_dims = dim is None or dim == ()
        return _without_degrees_of_freedom(x, deviation.detach(), dims, freedom, keepdim, all_dims)
    return ar.div(total, float(freedom))


def _in_float32(function: Any, x: Tensor, dim: Dim, keepdim: bool, correction: float) -> Tensor:
    """`function` of a float16 tensor, computed in float32: its squares could overflow float16."""
    result = function(ar.to_dtype(x, dtypes.float32), dim, None, keepdim, correction=correction)
    return ar.to_dtype(result, dtypes.float16)


def _dim_and_correction(
    name: str, dim: Any, unbiased: bool | None, correction: float | None
) -> tuple[Dim, float]:
    """The dimensions, and the number subtracted from n; var(False) means var(unbiased=False)."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError(f"{name}() got both unbiased and correction: unbiased=True is correction=1")
    if correction is not None:
        return dim, correction
    return dim, 0 if unbiased is False else 1


def _without_degrees_of_freedom(
    x: Tensor, deviation: Any, dims: tuple[int, ...], freedom: float, keepdim: bool, all_dims: bool
) -> Tensor:
    """Σ deviation² / 0: infinite, or nan if all elements are equal; with PyTorch's gradients.

    Over all elements the gradient is inf (nan for an element equal to the mean), whatever the sign
    of `deviation`; over some dimensions it is 2·deviation / (n - correction).
    """
    zero = ar.sub(x, x.detach())  # its derivative with respect to x is 1
    partial = ar.mul(ar.abs(deviation) if all_dims else deviation, 2.0)
    squares = ar.mul(deviation, deviation)
    if all_dims or freedom == 0:
        return ar.div(_reduce(sum_, ar.add(squares, ar.mul(zero, partial)), dims, keepdim), 0.0)
    linear = _reduce(sum_, ar.mul(zero, ar.div(partial, float(freedom))), dims, keepdim)
    return ar.add(ar.div(_reduce(sum_, squares, dims, keepdim), 0.0), linear)


@numpy_names
def std(
    input: Tensor,
    dim: Dim | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The square root of `var`; where the variance is 0, the gradient is 0 too.

    Raises RuntimeError for integers: convert with .float() first.  Like ``torch.std``.

    >>> import nnlib
    >>> nnlib.std(nnlib.tensor([1.0, 3.0, 5.0]))
    tensor(2.)
    """
    if needs_tensor("std", input)._data.dtype == np.float16:
        dim, correction = _dim_and_correction("std", dim, unbiased, correction)
        return _in_float32(std, input, dim, keepdim, correction)
    variance = var(input, dim, unbiased, keepdim, correction=correction)
    zero = ar.eq(variance, 0)
    return ar.where(zero, 0.0, ar.sqrt(ar.where(zero, 1.0, variance)))


@numpy_names
def amax(input: Tensor, dim: Dim = (), keepdim: bool = False) -> Tensor:
    """The largest element over `dim` (all dimensions by default); equal maxima share the gradient.

    Raises RuntimeError for a tensor without elements.  Like ``torch.amax``.

    >>> import nnlib
    >>> nnlib.amax(nnlib.tensor([[1.0, 5.0], [4.0, 2.0]]), dim=1)
    tensor([5., 4.])
    """
    return _reduce(p.amax, refuse_empty("amax", input, dim), dim, keepdim)


@numpy_names
def amin(input: Tensor, dim: Dim = (), keepdim: bool = False) -> Tensor:
    """The smallest element over `dim` (all dimensions by default); equal minima share the gradient.

    Raises RuntimeError for a tensor without elements.  Like ``torch.amin``.

    >>> import nnlib
    >>> nnlib.amin(nnlib.tensor([[1.0, 5.0], [4.0, 2.0]]), dim=1)
    tensor([1., 2.])
    """
    return _reduce(p.amin, refuse_empty("amin", input, dim), dim, keepdim)


def refuse_empty(name: str, input: Tensor, dim: Any = None) -> Tensor:
    """Return `input`; raise an error if the reduction would be over no elements."""
    x = needs_tensor(name, input)
    if x._data.size:
        return x
    if dim is not None and dim != ():
        for d in dimensions(dim, x._data.ndim):
            if not x._data.shape[d]:
                raise IndexError(
                    f"{name}(): Expected reduction dim {d} to have non-zero size: a tensor of "
                    f"shape {list(x._data.shape)} has no largest or smallest element along it."
                )
    else:
        error_type = IndexError if name.startswith("arg") else RuntimeError
        raise error_type(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0: a tensor of "
            f"shape {list(x._data.shape)} has no largest or smallest element."
        )
    return x


def extreme_of_all(reduction: Primitive, x: Tensor) -> Tensor:
    """The largest or smallest of all elements; if it is nan, the nans share the gradient."""
    out = _reduce(reduction, x, None, False)
    if x._node is None or record.is_tracing() or out._data == out._data:
        return out
    nans = ar.isnan(x)
    return ar.div(sum(ar.where(nans, x, 0.0)), float(np.count_nonzero(nans._data)))


@overload
def max(input: Tensor, dim: None = None, keepdim: bool = False) -> Tensor: ...
@overload
def max(input: Tensor, dim: int, keepdim: bool = False) -> ValuesIndices: ...
@overload
def max(input: Tensor, dim: Tensor) -> Tensor: ...
@numpy_names
def max(
    input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False
) -> Tensor | ValuesIndices:
    """max(x): the largest of all elements; max(x, dim): (values, indices) along a dimension;
    max(x, y): the elementwise maximum of two tensors.

    Raises RuntimeError or IndexError if there are no elements.  Like ``torch.max``.

    >>> import nnlib
    >>> nnlib.max(nnlib.tensor([3.0, 7.0, 5.0]))
    tensor(7.)
    """
    if isinstance(dim, Value):
        return ar.maximum(needs_tensor("max", input), dim)
    return _extreme("max", p.amax, p.argmax, input, dim, keepdim)


@overload
def min(input: Tensor, dim: None = None, keepdim: bool = False) -> Tensor: ...
@overload
def min(input: Tensor, dim: int, keepdim: bool = False) -> ValuesIndices: ...
@overload
def min(input: Tensor, dim: Tensor) -> Tensor: ...
@numpy_names
def min(
    input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False
) -> Tensor | ValuesIndices:
    """min(x): the smallest of all elements; min(x, dim): (values, indices) along a dimension;
    min(x, y): the elementwise minimum of two tensors.

    Raises RuntimeError or IndexError if there are no elements.  Like ``torch.min``.

    >>> import nnlib
    >>> nnlib.min(nnlib.tensor([3.0, 7.0, 5.0]))
    tensor(3.)
    """
    if isinstance(dim, Value):
        return ar.minimum(needs_tensor("min", input), dim)
    return _extreme("min", p.amin, p.argmin, input, dim, keepdim)


def _extreme(
    name: str, reduction: Primitive, arg: Primitive, input: Any, dim: int | None, keepdim: bool
) -> Tensor | ValuesIndices:
    x = refuse_empty(name, input, dim)
    if dim is None:
        return extreme_of_all(reduction, x)
    d = dimension(dim, x._data.ndim)
    if not x._data.ndim:
        indices = apply(arg, (x,), {"dim": None, "keepdim": False})
        return RESULT_TYPES[name](ar.clone(x), indices)
    indices = apply(arg, (x,), {"dim": d, "keepdim": True})
    values = apply(index_primitives.gather, (x, indices), {"dim": d})
    if not keepdim:
        shape = tuple([n for i, n in enumerate(values._data.shape) if i != d])
        values, indices = (
            apply(shape_primitives.reshape, (t,), {"shape": shape}) for t in (values, indices)
        )
    return RESULT_TYPES[name](values, indices)


@numpy_names
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the largest element along `dim`, or of all elements (the first of equal ones).

    Raises IndexError if there are no elements.  Like ``torch.argmax``.

    >>> import nnlib
    >>> nnlib.argmax(nnlib.tensor([3.0, 7.0, 5.0]))
    tensor(1)
    """
    return _arg_extreme(p.argmax, input, dim, keepdim)


@numpy_names
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the smallest element along `dim`, or of all elements (the first of equal ones).

    Raises IndexError if there are no elements.  Like ``torch.argmin``.

    >>> import nnlib
    >>> nnlib.argmin(nnlib.tensor([3.0, 7.0, 5.0]))
    tensor(0)
    """
    return _arg_extreme(p.argmin, input, dim, keepdim)


def _arg_extreme(primitive: Primitive, input: Any, dim: int | None, keepdim: bool) -> Tensor:
    x = refuse_empty(primitive.name, input, dim)
    d = dimension(dim, x._data.ndim) if dim is not None and x._data.ndim else None
    if dim is not None and d is None:
        dimension(dim, 0)
    return apply(primitive, (x,), {"dim": d, "keepdim": bool(keepdim)})


@numpy_names
def any(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether any element over `dim` (all dimensions by default) is true (not zero).

    Like ``torch.any``.

    >>> import nnlib
    >>> nnlib.any(nnlib.tensor([[False, True], [False, False]]), dim=1)
    tensor([ True, False])
    """
    return _any_or_all(p.any, "any", input, dim, keepdim)


@numpy_names
def all(input: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether every element over `dim` (all dimensions by default) is true (not zero).

    Like ``torch.all``.

    >>> import nnlib
    >>> nnlib.all(nnlib.tensor([[True, True], [True, False]]), dim=1)
    tensor([ True, False])
    """
    return _any_or_all(p.all, "all", input, dim, keepdim)


def _any_or_all(primitive: Primitive, name: str, input: Tensor, dim: Dim, keepdim: bool) -> Tensor:
    x = needs_tensor(name, input)
    result = _reduce(primitive, x, dim, keepdim)
    return converted(result, x._data.dtype) if x._data.dtype == np.uint8 else result  # as PyTorch


@numpy_names
def logsumexp(input: Tensor, dim: Dim, keepdim: bool = False) -> Tensor:
    """log Σ e^x over `dim`, without overflow.  Integers are cast to floats.

    Like ``torch.logsumexp``.

    >>> import nnlib
    >>> nnlib.logsumexp(nnlib.tensor([1000.0, 1000.0]), dim=0)
    tensor(1000.6932)
    """
    return _reduce(p.logsumexp, floating(needs_tensor("logsumexp", input)), dim, keepdim)


@numpy_names
def softmax(input: Tensor, dim: int, *, dtype: DType | None = None) -> Tensor:
    """e^x / Σ e^x along `dim`: positive, with sum 1.

    The result has the shape of `input`.  Raises RuntimeError for integers: convert with .float()
    first.  Like ``torch.softmax``.

    >>> import nnlib
    >>> nnlib.softmax(nnlib.tensor([0.0, 1.0, 2.0]), dim=0)
    tensor([0.0900, 0.2447, 0.6652])
    """
    x = _require_floats("softmax", input if dtype is None else ar.to_dtype(input, dtype))
    return apply(p.softmax, (x,), {"dim": dimension(dim, x._data.ndim)})


@numpy_names
def log_softmax(input: Tensor, dim: int, *, dtype: DType | None = None) -> Tensor:
    """log softmax(x) along `dim`, computed without overflow as x - logsumexp(x).

    The result has the shape of `input`.  Raises RuntimeError for integers: convert with .float()
    first.  Like ``torch.log_softmax``.

    >>> import nnlib
    >>> nnlib.log_softmax(nnlib.tensor([0.0, 1000.0]), dim=0)
    tensor([-1000.,     0.])
    """
    x = _require_floats("log_softmax", input if dtype is None else ar.to_dtype(input, dtype))
    return apply(p.log_softmax, (x,), {"dim": dimension(dim, x._data.ndim)})


@numpy_names
def cumsum(input: Tensor, dim: int, *, dtype: DType | None = None) -> Tensor:
    """The running sum along `dim`.

    Like ``torch.cumsum``.

    >>> import nnlib
    >>> nnlib.cumsum(nnlib.tensor([1, 2, 3, 4]), dim=0)
    tensor([ 1,  3,  6, 10])
    """
    x = _summable("cumsum", input, dtype)
    return apply(p.cumsum, (x,), {"dim": dimension(dim, x._data.ndim)})


@numpy_names
def cumprod(input: Tensor, dim: int, *, dtype: DType | None = None) -> Tensor:
    """The running product along `dim`.

    Like ``torch.cumprod``.

    >>> import nnlib
    >>> nnlib.cumprod(nnlib.tensor([1, 2, 3, 4]), dim=0)
    tensor([ 1,  2,  6, 24])
    """
    x = _summable("cumprod", input, dtype)
    return apply(p.cumprod, (x,), {"dim": dimension(dim, x._data.ndim)})


@numpy_names
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The indices that would sort `input` along `dim` (always stable).

    Like ``torch.argsort``.

    >>> import nnlib
    >>> nnlib.argsort(nnlib.tensor([3.0, 1.0, 2.0]))
    tensor([1, 2, 0])
    """
    x = needs_tensor("argsort", input)
    d = dimension(dim, x._data.ndim)
    return apply(index_primitives.argsort, (x,), {"dim": d, "descending": bool(descending)})


@numpy_names
def sort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool = True
) -> ValuesIndices:
    """(values, indices) of `input` sorted along `dim` (always stable).

    Like ``torch.sort``.

    >>> import nnlib
    >>> values, indices = nnlib.sort(nnlib.tensor([3.0, 1.0, 2.0]), descending=True)
    >>> values, indices
    (tensor([3., 2., 1.]), tensor([0, 2, 1]))
    """
    x = needs_tensor("sort", input)
    d = dimension(dim, x._data.ndim)
    order = argsort(x, d, descending)
    return RESULT_TYPES["sort"](apply(index_primitives.gather, (x, order), {"dim": d}), order)
