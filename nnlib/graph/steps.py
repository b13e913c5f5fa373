"""The data of a graph: steps in order, and named outputs; NumPy alone runs them.

The modules of `nnlib.graph` take and return `Steps`; `nnlib.graph.graph` is their public interface.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnlib.record import Primitive


class GraphError(ValueError):
    """A graph that cannot be traced, or a file that is not a graph.

    >>> import nnlib
    >>> try:
    ...     nnlib.graph.trace(lambda x: x if x > 0 else -x, x=nnlib.tensor(1.0))
    ... except nnlib.graph.GraphError as error:
    ...     print("the function reads a tensor's value")
    the function reads a tensor's value
    """


@dataclass
class Step:
    """One node: an input, a constant, or a primitive applied to earlier nodes.

    >>> import nnlib
    >>> graph = nnlib.graph.trace(lambda x: x.exp(), x=nnlib.ones(2))
    >>> step = graph.steps[1]
    >>> step.op, step.inputs, step.shape
    ('exp', (0,), (2,))
    """

    op: str
    shape: tuple[int, ...]
    dtype: str
    inputs: tuple[int, ...] = ()
    attrs: dict[str, Any] = field(default_factory=dict)
    name: str | None = None
    value: Any = None


@dataclass
class Steps:
    """Steps, each after its inputs, and named outputs."""

    steps: list[Step]
    outputs: dict[str, int]
    # Which outputs are derivatives: name -> (of which output, with respect to which name).
    derivatives: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __repr__(self) -> str:
        count = len([s for s in self.steps if s.op not in ("input", "constant")])
        names = f"{', '.join(self.inputs)} → {', '.join(self.outputs)}"
        return f"{type(self).__name__}({names}; {count} operations)"

    @property
    def inputs(self) -> dict[str, Step]:
        """The input steps, by name.

        >>> import nnlib
        >>> graph = nnlib.graph.trace(lambda a, b: a * b, a=nnlib.tensor(1.0), b=nnlib.tensor(2.0))
        >>> list(graph.inputs)
        ['a', 'b']
        """
        return {s.name: s for s in self.steps if s.op == "input" and s.name is not None}

    def run(self, **inputs: Any) -> dict[str, np.ndarray]:
        """Compute the outputs for other inputs of the same shapes, with NumPy alone.

        Raises GraphError if an input is missing, unknown, or of another shape.

        >>> import nnlib
        >>> g = nnlib.graph.trace(lambda x: {"y": x * x + 1.0}, x=nnlib.tensor(3.0))
        >>> g.run(x=4.0)["y"].item()
        17.0
        """
        wrong_names = sorted(set(inputs) ^ set(self.inputs))
        if wrong_names:
            raise GraphError(
                f"this graph takes the inputs {sorted(self.inputs)}; "
                f"missing or unknown: {wrong_names}"
            )
        values: list[Any] = []
        for step in self.steps:
            if step.op == "input":
                assert step.name is not None
                value = np.asarray(inputs[step.name], step.dtype)[()]
                if value.shape != step.shape:
                    raise GraphError(
                        f"input {step.name!r} was traced with shape {list(step.shape)} and is now "
                        f"{list(value.shape)}: a graph has fixed shapes, so trace the function "
                        "again"
                    )
                values.append(value)
            elif step.op == "constant":
                values.append(step.value)
            else:
                arguments = [values[i] for i in step.inputs]
                values.append(Primitive.registry[step.op].forward(*arguments, **step.attrs))
        return {name: np.asarray(values[i]) for name, i in self.outputs.items()}
