"""Lowering: small passes turn a graph into a function of arrays.  docs/compile.md explains them.

Two back ends have one interface, `BackEnd`.  Each is constructed from a tidied graph and the
positions of its inputs and results, in order; ``run(*arrays)`` returns the results as new arrays,
also when several threads call it at once; ``source`` is the code that runs.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from nnlib.graph.steps import Steps

BACKENDS = ("loops", "numpy")


class BackEnd(Protocol):
    """The interface of both back ends."""

    source: str

    def run(self, *arrays: Any) -> tuple: ...


def backend(name: str | None) -> Callable[[Steps, Sequence[int], Sequence[int]], BackEnd]:
    """The back end of this name; for None, the fastest one that is installed.

    Raises ValueError for an unknown name, ImportError for loops without numba.
    """
    if name not in (None, *BACKENDS):
        raise ValueError(f"compile(backend={name!r}): choose from {list(BACKENDS)}")
    has_numba = importlib.util.find_spec("numba") is not None
    if name == "loops" and not has_numba:
        raise ImportError(
            "compile(backend='loops') needs numba: pip install 'sigmoid-to-sequence[fast]'"
        )
    if name != "numpy" and has_numba:
        from nnlib.graph.lower.loops import Loops

        return Loops
    from nnlib.graph.lower.arrays import Arrays

    return Arrays


__all__ = ["BACKENDS", "BackEnd", "backend"]
