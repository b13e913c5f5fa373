"""Making tensors: from data, filled, ranged, and drawn from seeded generators."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnlib import dtypes
from nnlib.functions.shape import _sizes
from nnlib.record import Leaf, Value, make


def _finish(array: Any, requires_grad: bool) -> Any:
    t = make(array[()])
    if requires_grad:
        if array.dtype.kind != "f":
            raise RuntimeError(
                "Only Tensors of floating point dtype can require gradients: this one is "
                f"{dtypes.of(array).name}. Give dtype=nnlib.float32, or write 1.0 for 1."
            )
        t._node = Leaf()
    return t


def _kind(dtype: Any) -> np.dtype:
    return dtypes.get_default_dtype().numpy if dtype is None else dtypes.as_numpy(dtype)


def tensor(data: Any, *, dtype: Any = None, requires_grad: bool = False) -> Any:
    """A tensor with a copy of `data`: a number, nested lists, or a NumPy array.

    Python floats give float32, ints int64, bools bool; an array keeps its type.  Raises ValueError
    for ragged lists, RuntimeError where integers are asked for gradients.  As ``torch.tensor``.

    >>> import nnlib
    >>> nnlib.tensor([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    if isinstance(data, Value):
        data = data._data
    if isinstance(data, (list, tuple)):
        data = _unwrapped(data)
    own = isinstance(data, (np.ndarray, np.generic))
    try:
        array = np.array(data)
    except ValueError as error:
        raise ValueError(f"the nested lists are not of equal lengths: {error}") from None
    if dtype is not None:
        array = array.astype(dtypes.as_numpy(dtype))
    elif not own:
        if array.dtype.kind == "f":
            array = array.astype(dtypes.get_default_dtype().numpy)
        elif array.dtype.kind == "i":
            array = array.astype(np.int64)
    dtypes.of(array)
    return _finish(array, requires_grad)


def _unwrapped(data: Any) -> Any:
    if isinstance(data, Value):
        return data._data
    return [_unwrapped(d) for d in data] if isinstance(data, (list, tuple)) else data


def from_numpy(array: np.ndarray) -> Any:
    """A tensor that shares the memory of a NumPy array."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    dtypes.of(array)
    return make(array if array.ndim else array[()])


def full(size: Any, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False) -> Any:
    """A tensor filled with one number."""
    kind = dtypes.of_number(fill_value) if dtype is None else dtypes.as_numpy(dtype)
    return _finish(np.full(_sizes((size,) if isinstance(size, int) else tuple(size)), fill_value,
                           kind), requires_grad)  # fmt: skip


def zeros(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Any:
    """A tensor filled with 0."""
    return _finish(np.zeros(_sizes(size), _kind(dtype)), requires_grad)


def ones(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Any:
    """A tensor filled with 1."""
    return _finish(np.ones(_sizes(size), _kind(dtype)), requires_grad)


def _like(value: float) -> Any:
    def function(input: Any, *, dtype: Any = None, requires_grad: bool = False) -> Any:
        x = input._data
        kind = x.dtype if dtype is None else dtypes.as_numpy(dtype)
        return _finish(np.full(x.shape, value, kind), requires_grad)

    function.__doc__ = f"A tensor of the shape and type of `input`, filled with {value}."
    return function


zeros_like, ones_like = _like(0), _like(1)


def eye(n: int, m: int | None = None, *, dtype: Any = None, requires_grad: bool = False) -> Any:
    """Ones on the diagonal, zeros elsewhere."""
    return _finish(np.eye(n, m, dtype=_kind(dtype)), requires_grad)


def arange(start: Any, end: Any = None, step: Any = 1, *, dtype: Any = None,
           requires_grad: bool = False) -> Any:  # fmt: skip
    """start, start + step, … below end.  Integers give int64."""
    start, end = (0, start) if end is None else (start, end)
    if step == 0 or (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    whole = not any(isinstance(v, float) for v in (start, end, step))
    kind = np.dtype(np.int64) if dtype is None and whole else _kind(dtype)
    n = math.ceil((end - start) / step)
    return _finish((start + step * np.arange(n)).astype(kind), requires_grad)


def linspace(start: float, end: float, steps: int, *, dtype: Any = None,
             requires_grad: bool = False) -> Any:  # fmt: skip
    """`steps` evenly spaced numbers from start to end, both included."""
    return _finish(np.linspace(start, end, steps).astype(_kind(dtype)), requires_grad)


# ---------------------------------------------------------------- random


class Generator:
    """A stream of random numbers of its own.  As ``torch.Generator``, with NumPy's PCG64 inside."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream anew: the same seed gives the same numbers on every machine."""
        self._random = np.random.default_rng(seed)
        return self


_default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Start the default stream anew: the same seed gives the same numbers on every machine."""
    return _default_generator.manual_seed(seed)


def _stream(generator: Generator | None) -> np.random.Generator:
    return (generator or _default_generator)._random


def rand(*size: Any, generator: Generator | None = None, dtype: Any = None,
         requires_grad: bool = False) -> Any:  # fmt: skip
    """Uniform on [0, 1)."""
    return _finish(np.asarray(_stream(generator).random(_sizes(size))).astype(_kind(dtype)),
                   requires_grad)  # fmt: skip


def randn(*size: Any, generator: Generator | None = None, dtype: Any = None,
          requires_grad: bool = False) -> Any:  # fmt: skip
    """Normal with mean 0 and variance 1."""
    draw = _stream(generator).standard_normal(_sizes(size))
    return _finish(np.asarray(draw).astype(_kind(dtype)), requires_grad)


def randint(low: int, high: Any, size: Any = None, *, generator: Generator | None = None,
            dtype: Any = None) -> Any:  # fmt: skip
    """Integers from low up to (not including) high."""
    if size is None:
        low, high, size = 0, low, high
    kind = np.dtype(np.int64) if dtype is None else dtypes.as_numpy(dtype)
    return _finish(np.asarray(_stream(generator).integers(low, high, tuple(size))).astype(kind),
                   False)  # fmt: skip


def randperm(n: int, *, generator: Generator | None = None) -> Any:
    """0 … n-1 in random order."""
    return _finish(_stream(generator).permutation(n).astype(np.int64), False)
