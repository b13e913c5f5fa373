"""Limits of axes that the author left open, from the first picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Look = Callable[[dict], "np.ndarray | None"]

_FIELDS = {
    "curve": ("x", "y"), "area": ("x", "y"), "handle": ("x", "y"), "label": ("x", "y"),
    "arrows": ("x", "y"),
}  # fmt: skip


def extents(mark: dict, look: Look) -> tuple[list, list]:
    """The x and y values that a mark covers."""
    kind = mark["kind"]

    def get(field: str) -> Any:
        return look(mark[field]) if mark.get(field) is not None else None

    if kind in _FIELDS:
        xs, ys = [get("x")], [get("y")]
        if kind == "area":
            ys.append(get("base"))
        return xs, ys
    if kind == "points":
        xy = get("xy")
        return ([xy[:, 0]], [xy[:, 1]]) if xy is not None else ([get("x")], [get("y")])
    if kind == "segments":
        return [get("x0"), get("x1")], [get("y0"), get("y1")]
    if kind in ("heat", "contour"):
        return [np.asarray(mark["xlim"])], [np.asarray(mark["ylim"])]
    if kind == "bars":
        height = get("height")
        if height is None:
            return [], []
        x = get("x") if mark.get("x") is not None else np.arange(height.size)
        room = np.max(np.abs(height), initial=0.0) * 0.12 if mark.get("format") else 0.0
        return [x - 0.6, x + 0.6], [height + room * np.sign(height), np.zeros(1)]
    return [], []


def fit_axes(tree: Any, look: Look) -> None:
    """Fills in `xlim`, `ylim` of all axes below `tree`; `fit` names those that follow values."""
    if isinstance(tree, list):
        for item in tree:
            fit_axes(item, look)
    if not isinstance(tree, dict):
        return
    if tree.get("kind") == "axes":
        _fit(tree, look)
    for value in tree.values():
        if isinstance(value, dict | list):
            fit_axes(value, look)


def _fit(axes: dict, look: Look) -> None:
    found = [extents(mark, look) for mark in axes["marks"]]
    for side, key, scale in ((0, "xlim", "xscale"), (1, "ylim", "yscale")):
        if key in axes:
            continue
        numbers = [np.ravel(v) for e in found for v in e[side] if v is not None]
        flat = np.concatenate(numbers).astype(float) if numbers else np.zeros(0)
        flat = flat[np.isfinite(flat)]
        if axes[scale] == "log":
            flat = flat[flat > 0]
        if not flat.size:
            axes["free"] = True  # what is drawn is known in the page alone
        low, high = (flat.min(), flat.max()) if flat.size else (0.0, 1.0)
        if axes[scale] == "log":
            axes[key] = [float(f"{low / 1.2:.4g}"), float(f"{high * 1.2 + (high == low):.4g}")]
        else:
            flush = side == 0 and all(
                m["kind"] in ("heat", "contour", "curve", "area") for m in axes["marks"]
            )
            pad = 0.0 if flush and high > low else (high - low) * 0.06 or 0.5
            axes[key] = [float(f"{low - pad:.4g}"), float(f"{high + pad:.4g}")]
        axes.setdefault("fit", []).append(key)
