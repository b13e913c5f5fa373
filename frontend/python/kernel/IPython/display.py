"""The usual names of IPython.display, for the page."""

from __future__ import annotations

import json
from typing import Any

import page_output
from page_output import clear_output

__all__ = [
    "HTML", "JSON", "SVG", "Image", "Latex", "Markdown", "Math", "Pretty", "clear_output",
    "display", "update_display",
]  # fmt: skip


class DisplayHandle:
    """Replaces an output that `display` has shown."""

    def __init__(self, display_id: str) -> None:
        self.display_id = display_id

    def display(self, value: Any) -> None:
        display(value, display_id=self.display_id)

    def update(self, value: Any) -> None:
        update_display(value, display_id=self.display_id)


_count = 0


def display(
    *values: Any, raw: bool = False, display_id: str | bool | None = None, **more: Any
) -> DisplayHandle | None:
    """Shows values in the cell's output; returns a handle if `display_id` is given."""
    global _count
    if display_id is True:
        _count += 1
        display_id = f"display-{_count}"
    shown = [page_output.Raw(v) if raw else v for v in values]
    page_output.display(*shown, display_id=display_id or None)
    return DisplayHandle(display_id) if display_id else None


def update_display(value: Any, *, display_id: str, **more: Any) -> None:
    page_output.display(value, display_id=display_id, update=True)


class _Data:
    mime = "text/plain"

    def __init__(self, data: Any = None, **more: Any) -> None:
        self.data = data

    def _repr_mimebundle_(self, **more: Any) -> dict[str, Any]:
        return {
            self.mime: self.data,
            "text/plain": f"<IPython.core.display.{type(self).__name__} object>",
        }


class HTML(_Data):
    mime = "text/html"


class Markdown(_Data):
    mime = "text/markdown"


class Latex(_Data):
    mime = "text/latex"


class Math(_Data):
    mime = "text/latex"

    def __init__(self, data: str = "", **more: Any) -> None:
        super().__init__(f"$\\displaystyle {data}$")


class SVG(_Data):
    mime = "image/svg+xml"


class Pretty(_Data):
    pass


class JSON(_Data):
    def _repr_mimebundle_(self, **more: Any) -> dict[str, Any]:
        return {"text/plain": json.dumps(self.data, indent=1)}


class Image:
    """A picture from bytes or a file."""

    def __init__(self, data: Any = None, filename: str | None = None, **more: Any) -> None:
        if filename or isinstance(data, str):
            with open(filename or data, "rb") as file:
                data = file.read()
        self.data = data

    def _repr_png_(self) -> bytes | None:
        return self.data if self.data[:4] == b"\x89PNG" else None

    def _repr_jpeg_(self) -> bytes | None:
        return self.data if self.data[:2] == b"\xff\xd8" else None
