"""Records functions, with `nnlib.graph`, as the programs that the page replays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nnlib.live.parts import array, parameters

POOLED = 64  # constants of at least this many base64 characters are stored once for all programs


def tensor(value: Any, dtype: str | None = None) -> Any:
    """An nnlib tensor; `dtype` is the name of a NumPy dtype."""
    import nnlib

    values = array(value)
    return nnlib.tensor(values if dtype is None else values.astype(dtype))


def call(function: Callable | None, env: Mapping[str, Any], role: str) -> dict[str, Any]:
    """Calls a function with the arguments that it names; returns its dict of results as tensors."""
    if function is None:
        return {}
    names = parameters(function, list(env), role)
    results = function(**{k: env[k] for k in names})
    if not isinstance(results, Mapping):
        raise TypeError(
            f"{role} must return a dict of name → tensor, but returned {type(results).__name__}. "
            'Write return {"p": p}.'
        )
    return {k: v if hasattr(v, "detach") else tensor(np.asarray(v)) for k, v in results.items()}


def record(
    function: Callable[..., Mapping[str, Any]], inputs: Mapping[str, Any], compact: bool = True
) -> dict:
    """The graph (as JSON) of a function of named tensors that returns named tensors."""
    from nnlib.graph.files import to_dict
    from nnlib.graph.simplify import simplify, values_only
    from nnlib.graph.tracing import recorded_steps

    return to_dict(simplify(values_only(recorded_steps(function, inputs)), compact))


class Pool:
    """Large constants of several graphs, each stored once."""

    def __init__(self) -> None:
        self.items: list[str] = []
        self._index: dict[str, int] = {}

    def take(self, graph: dict) -> dict:
        """The graph with its large constants replaced by positions in the pool."""
        for node in graph["nodes"]:
            text = node.get("base64")
            if text is not None and len(text) >= POOLED:
                del node["base64"]
                if text not in self._index:
                    self._index[text] = len(self.items)
                    self.items.append(text)
                node["pool"] = self._index[text]
        return graph
