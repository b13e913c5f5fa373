"""What a mark is: its kind, the numbers that it covers, the picture of it that needs no script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nnlib.live import svg

Look = Callable[[dict], "np.ndarray | None"]  # from a reference to its numbers


@dataclass(frozen=True)
class Plot:
    """The axes around a mark in a still picture: their fields, and from numbers to pixels."""

    axes: Mapping[str, Any]
    x: svg.Scale
    y: svg.Scale


@dataclass(frozen=True)
class Mark:
    """A mark as the figure holds it: fields by the schema, and the numbers that they refer to.

    A subclass is a kind of mark; `view.schema.json` lists its fields, and its module in the page,
    `frontend/figures/src/marks/KIND.ts`, draws it there.
    """

    kinds: ClassVar[dict[str, type[Mark]]] = {}
    kind: ClassVar[str]
    flush: ClassVar[bool] = False  # it fills the axes from side to side: no margin beside it

    fields: Mapping[str, Any]
    look: Look

    def __init_subclass__(cls) -> None:
        if "kind" in vars(cls):
            Mark.kinds[cls.kind] = cls

    def get(self, name: str) -> Any:
        """A field's numbers; None where it is absent, or known in the page alone."""
        found = self.fields.get(name)
        return self.look(found) if isinstance(found, dict) else None

    @property
    def color(self) -> str:
        """The mark's colour as SVG writes it."""
        name = self.fields.get("color", "ink")
        return svg.COLORS.get(name, name)

    def covers(self) -> tuple[list, list]:
        """The x and the y values to which open axes fit; None for what is not known."""
        return [self.get("x")], [self.get("y")]

    def still(self, plot: Plot) -> str:
        """The mark as SVG; empty where its numbers are known in the page alone."""
        return ""


def mark_of(fields: Mapping[str, Any], look: Look) -> Mark:
    """The mark that a figure's fields describe."""
    return Mark.kinds[fields["kind"]](fields, look)
