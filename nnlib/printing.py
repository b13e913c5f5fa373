"""The printed form of tensors, digit for digit that of PyTorch's `_tensor_str`.

All elements have four digits and one width, in scientific notation if they are very large or
small or their magnitudes differ by a factor of more than 1000.  Of more than 1000 elements, only
the first and last three along each dimension are shown.
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
    if watcher := record.current_watcher():
        watcher.value_read(t, "print() or repr()")
    x = np.asarray(t._data)
    indent = len("tensor(")
    plain = (dtypes.get_default_dtype().name, *(("int64", "bool") if x.size else ()))
    extras = []
    if not x.size and x.ndim != 1:
        extras.append(f"size={tuple(x.shape)}")
    if x.dtype.name not in plain:
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
    short = x.size > THRESHOLD
    width, write = _writer(_ends(x) if short else x)
    return _nested(x, indent, short, width, write)


def _ends(x: np.ndarray) -> np.ndarray:
    """The elements that a shortened repr shows."""
    for dim, n in enumerate(x.shape):
        if n > 2 * EDGE:
            x = x.take([*range(EDGE), *range(n - EDGE, n)], axis=dim)
    return x


def _nested(x: np.ndarray, indent: int, short: bool, width: int, write: Callable[..., str]) -> str:
    if x.ndim == 0:
        return write(x.item())
    shown: list[Any] = list(x)
    gap = short and len(x) > 2 * EDGE
    if gap:
        shown = shown[:EDGE] + shown[-EDGE:]
    if x.ndim == 1:
        entries = [write(v.item()) for v in shown]
        if gap:
            entries.insert(EDGE, " ...")
        per_line = max(1, (LINE - indent) // (width + 2))
        rows = [", ".join(entries[i : i + per_line]) for i in range(0, len(entries), per_line)]
    else:
        rows = [_nested(v, indent + 1, short, width, write) for v in shown]
        if gap:
            rows.insert(EDGE, "...")
    between = "," + "\n" * max(x.ndim - 1, 1) + " " * (indent + 1)
    return "[" + between.join(rows) + "]"


def _writer(x: np.ndarray) -> tuple[int, Callable[[Any], str]]:
    """The common width of the elements, and the function that writes one."""
    if x.dtype.kind != "f":
        width = max(len(str(v)) for v in x.ravel().tolist())
        return width, lambda v: str(v).rjust(width)
    # As in PyTorch, the width is that of the finite numbers: a nan or an inf may be wider.
    shown = x[np.isfinite(x) & (x != 0)].astype(float)
    integral, scientific = True, False
    if shown.size:
        large, small = np.abs(shown).max(), np.abs(shown).min()
        integral = bool(np.all(shown == np.ceil(shown)))
        scientific = bool(large / small > 1000 or large > 1e8 or small < 1e-4)

    def write(v: float) -> str:
        if scientific:
            return f"{v:.{PRECISION}e}"
        if integral:
            return f"{v:.0f}" + ("." if math.isfinite(v) else "")
        return f"{v:.{PRECISION}f}"

    width = max([1, *(len(write(v)) for v in shown.tolist())])
    return width, lambda v: write(v).rjust(width)
