"""Linear maps and look-up: the layers that are a matrix."""

from __future__ import annotations

import math
from typing import Any

from nnlib.nn import functional as F
from nnlib.nn.module import Module, uniform


class Linear(Module):
    """x Wᵀ + b: (…, in) → (…, out).  As ``torch.nn.Linear``.

    Weight (out, in) and bias (out) start uniform on ±1/√in.  Raises RuntimeError where the input's
    last dimension is not in_features.

    >>> import nnlib
    >>> nnlib.nn.Linear(3, 2)(nnlib.zeros(5, 3)).shape
    nnlib.Size([5, 2])
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        self.in_features, self.out_features = in_features, out_features
        bound = 1 / math.sqrt(in_features) if in_features else 0.0
        self.weight = uniform(out_features, in_features, bound=bound)
        self.bias = uniform(out_features, bound=bound) if bias else None

    def forward(self, input: Any) -> Any:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )
