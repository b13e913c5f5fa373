"""Computes the limits of axes (xlim, ylim) that the author did not give, from initial values.

The limits on lists and numbers in a figure's JSON are in `view.schema.json`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlib.live.mark import Lookup, mark_of


def fit_axes(tree: Any, lookup: Lookup) -> None:
    """Fills in `xlim`, `ylim` of all axes below `tree`; `fit` names those that follow values."""
    if isinstance(tree, list):
        for item in tree:
            fit_axes(item, lookup)
    if not isinstance(tree, dict):
        return
    if tree.get("kind") == "axes":
        _fit(tree, lookup)
    for value in tree.values():
        if isinstance(value, dict | list):
            fit_axes(value, lookup)


def _fit(axes: dict, lookup: Lookup) -> None:
    marks = [mark_of(mark, lookup) for mark in axes["marks"]]
    extents = [mark.extent() for mark in marks]
    for side, key, scale in ((0, "xlim", "xscale"), (1, "ylim", "yscale")):
        if key in axes:
            continue
        arrays = [np.ravel(v) for e in extents for v in e[side] if v is not None]
        flat = np.concatenate(arrays).astype(float) if arrays else np.zeros(0)
        flat = flat[np.isfinite(flat)]
        if axes[scale] == "log":
            flat = flat[flat > 0]
        if not flat.size:
            axes["limits_from_marks"] = True  # only the page has the values
        low, high = (flat.min(), flat.max()) if flat.size else (0.0, 1.0)
        if axes[scale] == "log":
            axes[key] = [float(f"{low / 1.2:.4g}"), float(f"{high * 1.2 + (high == low):.4g}")]
        else:
            fills_width = side == 0 and all(mark.fills_width for mark in marks)
            pad = 0.0 if fills_width and high > low else (high - low) * 0.06 or 0.5
            axes[key] = [float(f"{low - pad:.4g}"), float(f"{high + pad:.4g}")]
        axes.setdefault("fit", []).append(key)
