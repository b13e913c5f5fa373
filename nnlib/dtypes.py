"""Element types under PyTorch's names, and PyTorch's rules for promoting them."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlib.record import Value


class dtype:
    """An element type, such as `nnlib.float32`.  It compares by identity and prints like PyTorch's.

    Like ``torch.dtype``.

    >>> import nnlib
    >>> x = nnlib.tensor([1.0])
    >>> x.dtype, x.dtype is nnlib.float32
    (nnlib.float32, True)
    """

    __slots__ = ("is_floating_point", "itemsize", "name", "numpy")

    known: dict[np.dtype, dtype] = {}

    def __init__(self, name: str) -> None:
        self.name = name
        self.numpy = np.dtype(name)
        self.itemsize = self.numpy.itemsize
        self.is_floating_point = self.numpy.kind == "f"
        self.known[self.numpy] = self

    def __repr__(self) -> str:
        return f"nnlib.{self.name}"

    def __reduce__(self) -> str:
        return self.name if self.name != "bool" else "bool_"


bool_ = dtype("bool")
uint8, int8, int16, int32, int64 = map(dtype, ("uint8", "int8", "int16", "int32", "int64"))
float16, float32, float64 = map(dtype, ("float16", "float32", "float64"))
half, float_, double, long, int_, short = float16, float32, float64, int64, int32, int16

_default = float32


def get_default_dtype() -> dtype:
    """The type of tensors made from Python floats: float32 by default.

    Like ``torch.get_default_dtype``.

    >>> import nnlib
    >>> nnlib.get_default_dtype()
    nnlib.float32
    """
    return _default


def set_default_dtype(d: dtype) -> None:
    """Set the type of tensors made from Python floats.

    Raises TypeError for anything but a floating-point type.  Like ``torch.set_default_dtype``.

    >>> import nnlib
    >>> nnlib.set_default_dtype(nnlib.float64)
    >>> nnlib.tensor(1.5).dtype
    nnlib.float64
    >>> nnlib.set_default_dtype(nnlib.float32)
    """
    global _default
    if not (isinstance(d, dtype) and d.is_floating_point):
        raise TypeError(f"only floating-point types are supported as the default type, got {d!r}")
    _default = d


def of(array: Any) -> dtype:
    """The nnlib dtype of a NumPy array."""
    try:
        return dtype.known[array.dtype]
    except KeyError:
        names = ", ".join(d.name for d in dtype.known.values())
        raise TypeError(
            f"can't convert np.ndarray of type {array.dtype}: the supported types are {names}"
        ) from None


def as_numpy(d: Any) -> np.dtype:
    """The NumPy dtype of an nnlib dtype (or of Python's float, int, bool)."""
    if isinstance(d, dtype):
        return d.numpy
    if d is float:
        return _default.numpy
    if d is int:
        return int64.numpy
    if d is bool:
        return bool_.numpy
    raise TypeError(
        f"dtype must be an nnlib dtype such as nnlib.float32, got {d!r} ({type(d).__name__})"
    )


_KINDS = {"b": 0, "u": 1, "i": 1, "f": 2}


def promote(a: np.dtype, b: np.dtype) -> np.dtype:
    """PyTorch's promotion of two types: the wider of the higher kind (int64 + float32: float32)."""
    kind_a, kind_b = _KINDS[a.kind], _KINDS[b.kind]
    if kind_a == kind_b:
        return np.promote_types(a, b)
    return a if kind_a > kind_b else b


def of_number(x: bool | int | float) -> np.dtype:
    """The type of a tensor made from a Python number."""
    if isinstance(x, (bool, np.bool_)):
        return bool_.numpy
    return int64.numpy if isinstance(x, (int, np.integer)) else _default.numpy


def result_type(*args: Any) -> np.dtype:
    """The type of a result: tensors with dimensions outrank 0-d tensors, which outrank numbers.

    A lower rank only counts if it has a higher kind (bool < int < float).
    """
    ranks: list[np.dtype | None] = [None, None, None]
    for a in args:
        if isinstance(a, Value):
            rank, d = (0 if a._data.ndim else 1), a._data.dtype
        else:
            rank, d = 2, of_number(a)
        previous = ranks[rank]
        ranks[rank] = d if previous is None else promote(previous, d)
    result = None
    for d in ranks:
        if result is None or (d is not None and _KINDS[d.kind] > _KINDS[result.kind]):
            result = d
    assert result is not None
    return result


class finfo:
    """The limits of a floating-point type: eps, max, min, tiny, bits.

    Raises TypeError for another type.  Like ``torch.finfo``.

    >>> import nnlib
    >>> nnlib.finfo(nnlib.float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, type: dtype | None = None) -> None:
        described = _default if type is None else type
        if not isinstance(described, dtype) or not described.is_floating_point:
            raise TypeError(
                f"torch.finfo() requires a floating point input type, got {described!r}"
            )
        limits = np.finfo(described.numpy)
        self.dtype, self.bits = described.name, limits.bits
        self.eps, self.max, self.min = float(limits.eps), float(limits.max), float(limits.min)
        self.tiny = self.smallest_normal = float(limits.tiny)
        self.resolution = float(str(limits.resolution))

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
            f"eps={self.eps:g}, smallest_normal={self.tiny:g}, tiny={self.tiny:g}, "
            f"dtype={self.dtype})"
        )


class iinfo:
    """The limits of an integer type: max, min, bits.

    Raises TypeError for another type.  Like ``torch.iinfo``.

    >>> import nnlib
    >>> nnlib.iinfo(nnlib.int8).max
    127
    """

    def __init__(self, type: dtype) -> None:
        if not isinstance(type, dtype) or type.numpy.kind not in "iu":
            raise TypeError(f"torch.iinfo() requires an integer input type, got {type!r}")
        limits = np.iinfo(type.numpy)
        self.dtype, self.bits, self.max, self.min = type.name, limits.bits, limits.max, limits.min

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
