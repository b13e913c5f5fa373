"""The base class of all marks, `Mark`; each kind of mark is in `marks.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nnlib.live import svg

Lookup = Callable[[dict], "np.ndarray | None"]  # returns the array that a reference stands for


@dataclass(frozen=True)
class Plot:
    """The axes around a mark in the static picture: their fields, and the scales to pixels."""

    axes: Mapping[str, Any]
    x: svg.Scale
    y: svg.Scale


@dataclass(frozen=True)
class Mark:
    """A mark of a figure: its fields, as the schema lists them, and the arrays that they refer to.

    A subclass is a kind of mark; `view.schema.json` lists its fields, and its module in the page,
    `frontend/figures/src/marks/KIND.ts`, draws it there.
    """

    kinds: ClassVar[dict[str, type[Mark]]] = {}
    kind: ClassVar[str]
    fills_width: ClassVar[bool] = False  # the axes need no margin to its left and right

    fields: Mapping[str, Any]
    lookup: Lookup

    def __init_subclass__(cls) -> None:
        if "kind" in vars(cls):
            Mark.kinds[cls.kind] = cls

    def get(self, name: str) -> Any:
        """A field's array; None if the field is absent or only the page has its values."""
        field = self.fields.get(name)
        return self.lookup(field) if isinstance(field, dict) else None

    @property
    def color(self) -> str:
        """The mark's colour as SVG writes it."""
        name = self.fields.get("color", "ink")
        return svg.COLORS.get(name, name)

    def extent(self) -> tuple[list, list]:
        """The x and the y values that axes without limits must show; None for unknown ones."""
        return [self.get("x")], [self.get("y")]

    def static_svg(self, plot: Plot) -> str:
        """The mark as SVG; empty if only the page has its values."""
        return ""


def mark_of(fields: Mapping[str, Any], lookup: Lookup) -> Mark:
    """The mark that a figure's fields describe."""
    return Mark.kinds[fields["kind"]](fields, lookup)
