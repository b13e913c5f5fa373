"""Arguments of the functions of layers: checks of sizes and types, and inputs without a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib import dtypes
from nnlib.functions import reshaping as s

if TYPE_CHECKING:
    from nnlib.tensor import Tensor

Ints = int | tuple[int, ...] | list[int]


def ints(name: str, argument: str, value: Any, n: int) -> tuple[int, ...]:
    """n ints, from one int, which is repeated, or from n ints.

    Raises TypeError or RuntimeError for anything else.
    """
    values = value if isinstance(value, (tuple, list)) else (value,)
    for v in values:
        if isinstance(v, bool) or not isinstance(v, (int, np.integer)):
            raise TypeError(
                f"{name}(): argument '{argument}' must be an int or {n} ints, got {value!r}"
            )
    if len(values) == 1:
        values = tuple(values) * n
    if len(values) != n:
        raise RuntimeError(f"{name}: expected {argument} to be one int or {n} ints, got {value!r}")
    return tuple([int(v) for v in values])


def check_at_least(name: str, least: int, **values: tuple[int, ...]) -> None:
    """Raise RuntimeError if an int is smaller than `least`."""
    for argument, value in values.items():
        if min(value) < least:
            raise RuntimeError(
                f"{name}: {argument} should be {least} or more in every dimension, got "
                f"{list(value)}"
            )


def shape_text(x: Tensor) -> str:
    """The shape as it is written in messages: [2, 3]."""
    return str(list(x._data.shape))


def check_same_type(name: str, x: Tensor, other: Tensor, other_name: str) -> None:
    """Raise RuntimeError if two tensors have different types, since layers do not convert them."""
    a, b = dtypes.of(x._data).name, dtypes.of(other._data).name
    if a != b:
        raise RuntimeError(
            f"{name}: input type ({a}) and {other_name} type ({b}) should be the same: convert "
            f"one, as in input.to({other_name}.dtype)"
        )


class ImageBatch:
    """An input (C, L), (N, C, L), (C, H, W) or (N, C, H, W), reshaped to (N, C, H, W) in `images`.

    `to_input_rank` reshapes a result of the same rank as `images` to the rank of the input.
    """

    def __init__(self, name: str, x: Tensor, dims: int) -> None:
        rank = x._data.ndim
        if rank not in (dims + 1, dims + 2):
            raise RuntimeError(
                f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to {name}, but "
                f"got input of size: {shape_text(x)}. The channels come before "
                f"{'the length' if dims == 1 else 'height and width'}: unsqueeze adds a dimension."
            )
        self.dims, self.batched = dims, rank == dims + 2
        x = x if self.batched else s.unsqueeze(x, 0)
        self.images = x if dims == 2 else s.unsqueeze(x, -2)

    def to_input_rank(self, y: Tensor) -> Tensor:
        shape = y._data.shape
        if self.dims == 1:
            y = s.reshape(y, (*shape[:2], shape[3]))
        return y if self.batched else s.squeeze(y, 0)
