"""Reductions as PyTorch names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnlib import dtypes
from nnlib.functions._args import converted, dimensions, needs_tensor
from nnlib.primitives import reduce as p
from nnlib.record import apply

Dim = int | Sequence[int] | None


def sum(input: Any, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Σ x over the dimensions `dim` (all of them by default).  Integers and booleans give int64."""
    x = needs_tensor("sum", input)
    if dtype is not None:
        x = converted(x, dtypes.as_numpy(dtype))
    elif x._data.dtype.kind != "f":
        x = converted(x, dtypes.int64.numpy)
    return apply(p.sum, (x,), {"dim": dimensions(dim, x._data.ndim), "keepdim": bool(keepdim)})
