"""The objects that the pages of the reference describe, by their full names."""

from __future__ import annotations

import importlib
from typing import Any

from book_reference import listed_names, methods

from tests.book.harness import ROOT


def member_named(name: str) -> object:
    """The object with this dotted name; the same object may be public in two modules."""
    module, last = name.rsplit(".", 1)
    return getattr(importlib.import_module(module), last)


def listed() -> list[str]:
    """The full names that the pages of the reference list."""
    return [
        f"{module}.{name}"
        for page in sorted((ROOT / "reference").glob("*.rst"))
        for module, names in listed_names(page.read_text("utf8"))
        for name in names
    ]


def documented() -> dict[str, Any]:
    """Every object that the reference describes, methods included, by its full name."""
    objects: dict[str, Any] = {}
    for name in listed():
        objects[name] = member = member_named(name)
        for method in methods(member) if isinstance(member, type) else ():
            objects[f"{name}.{method}"] = getattr(member, method)
    return objects
