"""The printed form of tensors, digit for digit that of PyTorch's `_tensor_str`.

All elements are padded to one width; floats have four digits after the point unless all of them
are integers.  The notation is scientific if a number is very large or small, or if the magnitudes
differ by a factor of more than 1000.  Of more than 1000 elements, only the first and last three
along each dimension are shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nnlib import dtypes, record

PRECISION, THRESHOLD, EDGE, LINE = 4, 1000, 3, 80


def describe(t: Any) -> str:
    """The repr of a tensor."""
    record.report_read(t, "print() or repr()")
    x = np.asarray(t._data)
    indent = len("tensor(")
    unprinted_types = (dtypes.get_default_dtype().name, *(("int64", "bool") if x.size else ()))
    extras = []
    if not x.size and x.ndim != 1:
        extras.append(f"size={tuple(x.shape)}")
    if x.dtype.name not in unprinted_types:
        extras.append(f"dtype=nnlib.{x.dtype.name}")
    if t.grad_fn is not None:
        extras.append(f"grad_fn=<{t.grad_fn.name}0>")
    elif t.requires_grad:
        extras.append("requires_grad=True")
    return _with_extras("tensor(" + (_body(x, indent) if x.size else "[]"), extras, indent)


def _with_extras(text: str, extras: list[str], indent: int) -> str:
    length = len(text) - text.rfind("\n") + 1
    for extra in extras:
        if length + len(extra) + 2 > LINE:
            text += ",\n" + " " * indent + extra
            length = indent + len(extra)
        else:
            text += ", " + extra
            length += len(extra) + 2
    return text + ")"


def _body(x: np.ndarray, indent: int) -> str:
    shortened = x.size > THRESHOLD
    width, write = _writer(_ends(x) if shortened else x)
    return _nested(x, indent, shortened, width, write)


def _ends(x: np.ndarray) -> np.ndarray:
    """The elements that a shortened repr shows."""
    for dim, n in enumerate(x.shape):
        if n > 2 * EDGE:
            x = x.take([*range(EDGE), *range(n - EDGE, n)], axis=dim)
    return x


def _nested(
    x: np.ndarray, indent: int, shortened: bool, width: int, write: Callable[..., str]
) -> str:
    if x.ndim == 0:
        return write(x.item())
    entries: list[Any] = list(x)
    has_gap = shortened and len(x) > 2 * EDGE
    if has_gap:
        entries = entries[:EDGE] + entries[-EDGE:]
    if x.ndim == 1:
        texts = [write(v.item()) for v in entries]
        if has_gap:
            texts.insert(EDGE, " ...")
        per_line = max(1, (LINE - indent) // (width + 2))
        rows = [", ".join(texts[i : i + per_line]) for i in range(0, len(texts), per_line)]
    else:
        rows = [_nested(v, indent + 1, shortened, width, write) for v in entries]
        if has_gap:
            rows.insert(EDGE, "...")
    separator = "," + "\n" * max(x.ndim - 1, 1) + " " * (indent + 1)
    return "[" + separator.join(rows) + "]"


def _writer(x: np.ndarray) -> tuple[int, Callable[[Any], str]]:
    """The common width of the elements, and the function that writes one."""
    if x.dtype.kind != "f":
        width = max(len(str(v)) for v in x.ravel().tolist())
        return width, lambda v: str(v).rjust(width)
    # As in PyTorch, zeros, nans and infinities do not count for the width: they may be wider.
    numbers = x[np.isfinite(x) & (x != 0)].astype(float)
    integral, scientific = True, False
    if numbers.size:
        largest, smallest = np.abs(numbers).max(), np.abs(numbers).min()
        integral = bool(np.all(numbers == np.ceil(numbers)))
        scientific = bool(largest / smallest > 1000 or largest > 1e8 or smallest < 1e-4)

    def write(v: float) -> str:
        if scientific:
            return f"{v:.{PRECISION}e}"
        if integral:
            return f"{v:.0f}" + ("." if math.isfinite(v) else "")
        return f"{v:.{PRECISION}f}"

    width = max([1, *(len(write(v)) for v in numbers.tolist())])
    return width, lambda v: write(v).rjust(width)
