"""The checks of a compiled function at each call: indices in range, integer divisors not zero.

Eager functions check these values before they compute.  A trace has checked only the values that it
was made with, so a compiled function checks those of each later call and raises the same errors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from nnlib.graph.steps import Step


class Check(NamedTuple):
    """The values of step `at` must be in [0, size), or, if `size` is 0, must not be 0."""

    at: int
    size: int
    op: str

    def error(self, value: Any) -> Exception:
        """The error that the eager function raises for this value."""
        if not self.size:
            return RuntimeError(
                "ZeroDivisionError: division of integers by zero in a compiled function. In "
                "floating point it is inf or nan: convert with .float()."
            )
        error = RuntimeError if self.op in ("gather", "scatter_add", "one_hot") else IndexError
        return error(
            f"index {value} is out of bounds for a dimension of size {self.size}, in {self.op} "
            "of a compiled function: positions and classes count from 0"
        )

    def __call__(self, values: Any) -> None:
        """Raises `error` for the first value that is not allowed."""
        values = np.asarray(values)
        contiguous = values.dtype == np.int64 and values.flags.c_contiguous
        if self.size and contiguous and values.view(np.uint64).max() < self.size:
            return  # one pass is enough, because a negative number is huge as an unsigned one
        invalid = values == 0 if not self.size else (values < 0) | (values >= self.size)
        if invalid.any():
            raise self.error(values[invalid].ravel()[0])


def checks(step: Step, steps: Sequence[Step]) -> list[Check]:
    """The checks that one step needs."""
    result = []
    for at, size in _bounded(step, steps):
        operand = steps[at]
        if operand.dtype == "bool" or not math.prod(operand.shape) or operand.op == "constant":
            continue  # constants were checked by the trace
        result.append(Check(at, size, step.op))
    return result


def _bounded(step: Step, steps: Sequence[Step]) -> list[tuple[int, int]]:
    """The inputs of a step whose values are limited, each with its limit (see `Check`)."""
    op, inputs, attrs = step.op, step.inputs, step.attrs
    shape = steps[inputs[0]].shape if inputs else ()
    if op in ("take", "gather", "scatter_add"):
        return [(inputs[1], shape[attrs["dim"]])] if shape else []
    if op == "take_add":
        return [(inputs[1], attrs["shape"][attrs["dim"]])]
    if op in ("index", "index_add"):
        sizes = shape if op == "index" else attrs["shape"]
        return [(i, sizes[attrs["dims"][0] + k]) for k, i in enumerate(inputs[1:])]
    if op == "one_hot":
        return [(inputs[0], attrs["num_classes"])]
    if op in ("floor_divide", "remainder") and not step.dtype.startswith("float"):
        return [(inputs[1], 0)] if math.prod(step.shape) else []  # an empty array divides nothing
    return []
