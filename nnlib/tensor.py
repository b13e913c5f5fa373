"""Tensor: a value, the node that made it, and PyTorch's operators as thin names for functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlib import autograd, dtypes, record
from nnlib.functions import elementwise as e
from nnlib.functions import reduce as r
from nnlib.record import Leaf, Value


class Tensor(Value):
    """An n-dimensional array that remembers how it was computed."""

    __slots__ = ()
    __array_priority__ = 1000

    # arithmetic
    __add__ = __radd__ = add = e.add
    __sub__ = sub = e.sub
    __mul__ = __rmul__ = mul = e.mul
    __truediv__ = div = e.div
    __pow__ = pow = e.pow
    __neg__ = neg = e.neg
    exp, log, tanh, sigmoid, relu, clone = e.exp, e.log, e.tanh, e.sigmoid, e.relu, e.clone
    sum = r.sum

    # autograd
    @property
    def requires_grad(self) -> bool:
        return self._node is not None

    @property
    def grad(self) -> Any:
        node = self._node
        return node.grad if isinstance(node, Leaf) else None

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        autograd.backward(self, gradient, retain_graph, create_graph, inputs)

    def __repr__(self) -> str:
        return f"tensor({self._data!r})"


record.tensor_class = Tensor


def tensor(data: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    array = np.array(data, dtype="float32" if dtype is None else dtypes.as_numpy(dtype))[()]
    t = record.make(array)
    if requires_grad:
        t._node = Leaf()
    return t
