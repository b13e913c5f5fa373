"""The decorator that IPython's printer uses on its own functions."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def undoc(function: T) -> T:
    return function
