"""How a tensor prints: PyTorch's four digits, one width for all, long dimensions shortened."""

from __future__ import annotations

from typing import Any

import numpy as np


def describe(t: Any) -> str:
    """The repr of a tensor."""
    x = np.asarray(t._data)
    body = _body(x) if x.size else "[" * max(x.ndim, 1) + "]" * max(x.ndim, 1)
    extras = []
    if not x.size and x.ndim > 1:
        extras.append(f"size={tuple(x.shape)}")
    if x.dtype.name not in ("float32", "int64", "bool"):
        extras.append(f"dtype=nnlib.{x.dtype.name}")
    if t.grad_fn is not None:
        extras.append(f"grad_fn=<{t.grad_fn.name}0>")
    elif t.requires_grad:
        extras.append("requires_grad=True")
    return "tensor(" + ", ".join([body, *extras]) + ")"


def _body(x: np.ndarray) -> str:
    write = _writer(x)
    text = np.array2string(
        x,
        separator=", ",
        threshold=1000,
        edgeitems=3,
        max_line_width=80,
        prefix="tensor(",
        formatter={"all": write},
    )
    return text


def _writer(x: np.ndarray) -> Any:
    if x.dtype.kind == "b":
        width = max(len(str(v)) for v in (x.any(), x.all())) if x.ndim else 0
        return lambda v: str(bool(v)).rjust(width)
    if x.dtype.kind != "f":
        width = max(len(str(x.min())), len(str(x.max()))) if x.ndim else 0
        return lambda v: str(int(v)).rjust(width)
    finite = np.abs(x[np.isfinite(x) & (x != 0)]).astype(float)
    whole = bool(np.all(finite == np.floor(finite)))
    scientific = bool(finite.size) and (
        finite.max() / finite.min() > 1000 or finite.max() > 1e8 or finite.min() < 1e-4
    )
    if whole and not (finite.size and finite.max() / finite.min() > 1000 and finite.max() > 1e8):
        form = "{:.0f}."
        if finite.size and finite.max() > 1e8:
            form = "{:.4e}"
    else:
        form = "{:.4e}" if scientific else "{:.4f}"

    def write(v: float) -> str:
        return form.format(v) if np.isfinite(v) else str(float(v))

    # As PyTorch, the width is that of the finite numbers: a nan or an inf may stick out.
    shown = x[np.isfinite(x) & (x != 0)] if x.ndim and x.size <= 1000 else []
    width = max([len(write(v)) for v in shown], default=0)
    return lambda v: write(v).rjust(width)
