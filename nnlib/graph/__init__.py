"""The recorded graph as a thing of its own: traced, run again, differentiated, written out.

`trace(fn, **inputs)` runs a function once and keeps every primitive that was applied, in order.
The result runs again on other inputs, prints itself as NumPy source and as LaTeX, draws itself, and
travels to the page as JSON (docs/graph-schema.md).
"""

from nnlib.graph.files import FORMAT, LARGEST, VERSION
from nnlib.graph.graph import Graph, gradient, trace
from nnlib.graph.steps import GraphError, Step
from nnlib.graph.tracing import Tracer

__all__ = [
    "FORMAT", "LARGEST", "VERSION", "Graph", "GraphError", "Step", "Tracer", "gradient", "trace",
]  # fmt: skip
