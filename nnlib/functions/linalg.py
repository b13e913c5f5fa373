"""Products of tensors as PyTorch names them: matmul and its kin."""

from __future__ import annotations

from typing import Any

from nnlib import dtypes
from nnlib.functions._args import needs_tensor
from nnlib.primitives import linalg as p
from nnlib.record import Value, apply


def matmul(input: Any, other: Any) -> Any:
    """The matrix product, over the last two dimensions; those before them broadcast.

    Raises RuntimeError where the shapes do not fit or the types differ (nothing is cast).

    >>> import nnlib
    >>> nnlib.matmul(nnlib.ones(2, 3), nnlib.ones(3))
    tensor([3., 3.])
    """
    x, y = needs_tensor("matmul", input), needs_tensor("matmul", other)
    a, b = x._data, y._data
    if a.dtype != b.dtype:
        raise RuntimeError(
            "expected m1 and m2 to have the same dtype, but got: "
            f"{dtypes.of(a).name} != {dtypes.of(b).name}. Convert one: x.to(y.dtype)."
        )
    if not a.ndim or not b.ndim:
        raise RuntimeError(
            "both arguments to matmul need to be at least 1D, but they are "
            f"{a.ndim}D and {b.ndim}D. Use * for numbers."
        )
    if a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({_size(x)} and {_size(y)}): the last "
            "dimension of the first must equal the one before the last of the second. "
            "Did you forget a transpose (.T)?"
        )
    try:
        return apply(p.matmul, (x, y), {})
    except ValueError as error:
        raise RuntimeError(f"matmul: the batch dimensions do not broadcast: {error}") from None


def _size(x: Value) -> str:
    return "x".join(map(str, x._data.shape))
