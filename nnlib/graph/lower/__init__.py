"""Lowering: a graph becomes a function of arrays, by small passes.  docs/compile.md walks through.

Two back ends have one interface.  ``Lowered(graph, inputs, results)`` takes a tidy graph, the
positions of its inputs in order and those of its results; ``run(*arrays)`` gives the results as
fresh arrays, from several threads at once too, and ``source`` is what runs.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from nnlib.graph.steps import Steps

BACKENDS = ("loops", "numpy")


class Lowered(Protocol):
    """What both back ends are."""

    source: str

    def run(self, *arrays: Any) -> tuple: ...


def backend(name: str | None) -> Callable[[Steps, Sequence[int], Sequence[int]], Lowered]:
    """The back end of this name; of None the fastest that is installed.

    Raises ValueError for an unknown name, ImportError for loops without numba.
    """
    if name not in (None, *BACKENDS):
        raise ValueError(f"compile(backend={name!r}): known are {list(BACKENDS)}")
    here = importlib.util.find_spec("numba") is not None
    if name == "loops" and not here:
        raise ImportError(
            "compile(backend='loops') needs numba: pip install 'sigmoid-to-sequence[fast]'"
        )
    if name != "numpy" and here:
        from nnlib.graph.lower.loops import Loops

        return Loops
    from nnlib.graph.lower.arrays import Arrays

    return Arrays


__all__ = ["BACKENDS", "Lowered", "backend"]
