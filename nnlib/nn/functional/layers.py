"""Functions of the layers that slide no window: linear maps, look-up, dropout, normalisation."""

from __future__ import annotations

from typing import Any

from nnlib.functions import elementwise as e
from nnlib.functions import linalg
from nnlib.functions import shape as s


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """x Wᵀ + b: `input` (…, in), `weight` (out, in) or (in), `bias` (out) → (…, out).

    Raises RuntimeError where the sizes do not fit or the types differ.

    >>> import nnlib
    >>> nnlib.nn.functional.linear(nnlib.ones(2), nnlib.ones(3, 2), nnlib.zeros(3))
    tensor([2., 2., 2.])
    """
    out = linalg.matmul(input, s.transpose(weight, -2, -1) if weight._data.ndim > 1 else weight)
    return out if bias is None else e.add(out, bias)
