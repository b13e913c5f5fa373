"""Names for the types of arguments, which editors and type checkers show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from nnlib.devices import device
from nnlib.dtypes import dtype

if TYPE_CHECKING:
    from nnlib.tensor import Tensor

Number: TypeAlias = bool | int | float | np.bool_ | np.integer[Any] | np.floating[Any]
Operand: TypeAlias = "Tensor | Number"  # in arithmetic, at least one operand is a tensor
DType: TypeAlias = dtype | type[float] | type[int] | type[bool]
Device: TypeAlias = device | str
Dim: TypeAlias = int | Sequence[int] | None  # the dimensions that a reduction removes
Sizes: TypeAlias = int | Sequence[int]  # f(2, 3) and f((2, 3)) mean the same
