"""Graphs of recorded operations: trace a function, run its graph again, differentiate it, print it.

`trace(fn, **inputs)` runs a function once and records every primitive that it applies, in order.
The resulting `Graph` can be run on other inputs, printed as NumPy source or as LaTeX, drawn, and
sent to a web page as JSON (docs/graph-schema.md).
"""

from nnlib.graph.files import FORMAT, LARGEST, VERSION
from nnlib.graph.graph import Graph, gradient, trace
from nnlib.graph.steps import GraphError, Step
from nnlib.graph.tracing import Tracer

__all__ = [
    "FORMAT", "LARGEST", "VERSION", "Graph", "GraphError", "Step", "Tracer", "gradient", "trace",
]  # fmt: skip
