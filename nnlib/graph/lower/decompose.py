"""Pass 2: compound steps (softmax, mean, …) become elementary ones, which loops can compute.

The transpose of a product becomes the product of the transposes: its factors are often views of
stored arrays, so that nothing is transposed in memory.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from nnlib.graph.steps import Step, Steps

Shape = tuple[int, ...]
OFTEN = 4  # a transposed factor of at least so many products is copied once


class GraphBuilder:
    """Steps under construction; `add` appends one and returns its position."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def add(self, op: str, shape: Shape, dtype: str, /, *inputs: int, **attrs: Any) -> int:
        self.steps.append(Step(op, shape, dtype, inputs, attrs))
        return len(self.steps) - 1

    def number(self, value: float, dtype: str) -> int:
        self.steps.append(Step("constant", (), dtype, value=np.dtype(dtype).type(value)))
        return len(self.steps) - 1


def decomposed(graph: Steps) -> Steps:
    """The same outputs, computed by elementary steps only.

    >>> import nnlib
    >>> from nnlib.graph.lower.decompose import decomposed
    >>> graph = nnlib.graph.trace(lambda x: x.mean(), x=nnlib.ones(4))
    >>> [step.op for step in decomposed(graph).steps]
    ['input', 'sum', 'constant', 'div']
    """
    new = GraphBuilder()
    new_position: list[int] = []
    uses, copied = use_counts(graph), _often_transposed(graph)
    for at, step in enumerate(graph.steps):
        inputs = tuple([new_position[i] for i in step.inputs])
        rule = _RULES.get(step.op)
        position = None
        if rule is not None and _takes_float_array(step, graph):
            position = rule(new, step, inputs)
        if step.op == "permute" and uses[step.inputs[0]] == 1:
            position = _transposed_product(new, step, inputs[0])
        if position is None:
            new.steps.append(Step(step.op, step.shape, step.dtype, inputs, step.attrs, step.name,
                                 step.value))  # fmt: skip
            position = len(new.steps) - 1
            if at in copied:
                position = new.add("copy", step.shape, step.dtype, position)
        elif at in graph.outputs.values():
            new.steps[position].name = step.name
        new_position.append(position)
    outputs = {name: new_position[at] for name, at in graph.outputs.items()}
    return Steps(new.steps, outputs, graph.derivatives)


def use_counts(graph: Steps) -> list[int]:
    counts = [0] * len(graph.steps)
    for i in [*(i for s in graph.steps for i in s.inputs), *graph.outputs.values()]:
        counts[i] += 1
    return counts


def _often_transposed(graph: Steps) -> set[int]:
    """Transposed matrices that are the right factor of OFTEN products: copying them once pays.

    BLAS takes about twice as long for a transposed 64 × 64 factor as for a row-major one.
    """
    count = Counter(
        step.inputs[1] for step in graph.steps
        if step.op == "matmul" and graph.steps[step.inputs[1]].op == "permute"
    )  # fmt: skip
    return {at for at, n in count.items() if n >= OFTEN and at not in graph.outputs.values()}


def _takes_float_array(step: Step, graph: Steps) -> bool:
    operand = graph.steps[step.inputs[0]]
    is_float = operand.dtype in ("float32", "float64")
    return is_float and bool(operand.shape) and 0 not in operand.shape


def _reduced_shape(shape: Shape, dim: tuple[int, ...]) -> Shape:
    return tuple([1 if d in dim else n for d, n in enumerate(shape)])


def _mean(new: GraphBuilder, step: Step, inputs: tuple[int, ...]) -> int:
    operand = new.steps[inputs[0]]
    total = new.add("sum", step.shape, step.dtype, inputs[0], **step.attrs)
    count = math.prod([operand.shape[d] for d in step.attrs["dim"]])
    return new.add("div", step.shape, step.dtype, total, new.number(count, step.dtype))


def _shifted(new: GraphBuilder, x: int, dim: int) -> tuple[int, int]:
    """x minus its maximum along a dimension, and the sum of the exponentials of the difference."""
    shape, dtype = new.steps[x].shape, new.steps[x].dtype
    reduced = _reduced_shape(shape, (dim,))
    maximum = new.add("amax", reduced, dtype, x, dim=(dim,), keepdim=True)
    shifted = new.add("sub", shape, dtype, x, maximum)
    exponentials = new.add("exp", shape, dtype, shifted)
    return shifted, new.add("sum", reduced, dtype, exponentials, dim=(dim,), keepdim=True)


def _softmax(new: GraphBuilder, step: Step, inputs: tuple[int, ...]) -> int:
    shifted, total = _shifted(new, inputs[0], step.attrs["dim"])
    exponentials = new.add("exp", step.shape, step.dtype, shifted)
    return new.add("div", step.shape, step.dtype, exponentials, total)


def _log_softmax(new: GraphBuilder, step: Step, inputs: tuple[int, ...]) -> int:
    shifted, total = _shifted(new, inputs[0], step.attrs["dim"])
    log = new.add("log", new.steps[total].shape, step.dtype, total)
    return new.add("sub", step.shape, step.dtype, shifted, log)


def _logsumexp(new: GraphBuilder, step: Step, inputs: tuple[int, ...]) -> int:
    x, dtype = inputs[0], step.dtype
    shape, dim = new.steps[x].shape, tuple(step.attrs["dim"])
    reduced = _reduced_shape(shape, dim)
    maximum = new.add("amax", reduced, dtype, x, dim=dim, keepdim=True)
    finite = new.add("isfinite", reduced, "bool", maximum)
    # An infinite maximum becomes 0, because inf - inf would be nan.
    maximum = new.add("where", reduced, dtype, finite, maximum, new.number(0, dtype))
    shifted = new.add("sub", shape, dtype, x, maximum)
    exponentials = new.add("exp", shape, dtype, shifted)
    total = new.add("sum", reduced, dtype, exponentials, dim=dim, keepdim=True)
    log = new.add("log", reduced, dtype, total)
    out = new.add("add", reduced, dtype, log, maximum)
    return out if step.shape == reduced else new.add(
        "reshape", step.shape, dtype, out, shape=step.shape)  # fmt: skip


def _transposed_product(new: GraphBuilder, step: Step, at: int) -> int | None:
    """(AB)ᵀ as BᵀAᵀ, if no other step uses AB."""
    product = new.steps[at]
    if product.op != "matmul" or tuple(step.attrs["dims"]) != (1, 0):
        return None
    a, b = (new.steps[i] for i in product.inputs)
    if len(a.shape) != 2 or len(b.shape) != 2:
        return None
    left = new.add("permute", b.shape[::-1], b.dtype, product.inputs[1], dims=(1, 0))
    right = new.add("permute", a.shape[::-1], a.dtype, product.inputs[0], dims=(1, 0))
    return new.add("matmul", step.shape, step.dtype, left, right)


_RULES: dict[str, Callable[[GraphBuilder, Step, tuple[int, ...]], int | None]] = {
    "mean": _mean, "softmax": _softmax, "log_softmax": _log_softmax, "logsumexp": _logsumexp,
}  # fmt: skip
