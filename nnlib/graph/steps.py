"""The recorded graph itself: steps in order, run with NumPy alone; what else can be read off it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib.record import Primitive

if TYPE_CHECKING:
    from nnlib.graph.draw import Drawing


class GraphError(ValueError):
    """A graph that cannot be traced, or a file that is no graph.

    >>> import nnlib
    >>> try:
    ...     nnlib.graph.trace(lambda x: x if x > 0 else -x, x=nnlib.tensor(1.0))
    ... except nnlib.graph.GraphError as error:
    ...     print("the course depends on a value")
    the course depends on a value
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
class Graph:
    """Steps in an order in which each one's inputs come before it, and the named outputs.

    >>> import nnlib
    >>> graph = nnlib.graph.trace(lambda x: {"y": (2 * x).sum()}, x=nnlib.ones(3))
    >>> graph
    Graph(x → y; 2 operations)
    """

    steps: list[Step]
    outputs: dict[str, int]
    # Which outputs are derivatives: name -> (of which output, with respect to which name).
    derivatives: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __repr__(self) -> str:
        made = len([s for s in self.steps if s.op not in ("input", "constant")])
        return f"Graph({', '.join(self.inputs)} → {', '.join(self.outputs)}; {made} operations)"

    @property
    def inputs(self) -> dict[str, Step]:
        """The steps that a caller provides, by name.

        >>> import nnlib
        >>> graph = nnlib.graph.trace(lambda a, b: a * b, a=nnlib.tensor(1.0), b=nnlib.tensor(2.0))
        >>> list(graph.inputs)
        ['a', 'b']
        """
        return {s.name: s for s in self.steps if s.op == "input" and s.name is not None}

    def run(self, **inputs: Any) -> dict[str, np.ndarray]:
        """Compute the outputs for other inputs of the same shapes, with NumPy alone.

        Raises GraphError where an input is missing, unknown, or of another shape.

        >>> import nnlib
        >>> g = nnlib.graph.trace(lambda x: {"y": x * x + 1.0}, x=nnlib.tensor(3.0))
        >>> g.run(x=4.0)["y"].item()
        17.0
        """
        unknown = sorted(set(inputs) ^ set(self.inputs))
        if unknown:
            raise GraphError(
                f"this graph takes the inputs {sorted(self.inputs)}; missing or unknown: {unknown}"
            )
        values: list[Any] = []
        for step in self.steps:
            if step.op == "input":
                assert step.name is not None
                value = np.asarray(inputs[step.name], step.dtype)[()]
                if value.shape != step.shape:
                    raise GraphError(
                        f"input {step.name!r} was traced with shape {list(step.shape)} and is now "
                        f"{list(value.shape)}: a graph has fixed shapes, trace the function again"
                    )
                values.append(value)
            elif step.op == "constant":
                values.append(step.value)
            else:
                arguments = [values[i] for i in step.inputs]
                values.append(Primitive.registry[step.op].forward(*arguments, **step.attrs))
        return {name: np.asarray(values[i]) for name, i in self.outputs.items()}

    def simplified(self, compact: bool = False) -> Graph:
        """Without dead steps, repeated steps, and steps whose inputs are all constant.

        `compact`: large constants that come from small ones stay computed (for graphs to ship).

        >>> import nnlib
        >>> graph = nnlib.graph.trace(lambda x: x * nnlib.tensor(2.0).exp(), x=nnlib.tensor(1.0))
        >>> len(graph.steps), len(graph.simplified().steps)
        (4, 3)
        """
        from nnlib.graph.simplify import simplify

        return simplify(self, compact)

    def tidied(self) -> Graph:
        """Simplified, and without x · 1, x - 0, --x and the like; every result stays the same.

        >>> import nnlib
        >>> graph = nnlib.graph.trace(lambda x: -(-x) * 1, x=nnlib.tensor(1.0))
        >>> len(graph.steps), len(graph.tidied().steps)
        (5, 1)
        """
        from nnlib.graph.simplify import tidy

        return tidy(self)

    def gradient(self, of: str | None = None, wrt: Sequence[str] | None = None) -> Graph:
        """The graph with derivatives added: see `nnlib.graph.gradient`.

        >>> import nnlib
        >>> graph = nnlib.graph.trace(lambda x: x * x, x=nnlib.tensor(3.0))
        >>> graph.gradient().run(x=5.0)["d_x"].item()
        10.0
        """
        from nnlib.graph.gradient import gradient

        return gradient(self, of, wrt)

    def to_source(self, name: str = "f", gradient: bool = False) -> str:
        """The graph as a Python function in plain NumPy, ready to run.

        It takes the graph's inputs (arrays of the traced types) by name, and returns what the
        traced function returned: one array, or a dict of them.  With `gradient` it returns the
        derivatives ``d_x`` of the (only, one-element) output by each input as well.

        The name "loops" asks for the fused loops instead that `nnlib.compile` makes of the graph,
        one pass over the elements for many operations; f4 is float32, s holds single numbers.

        >>> import nnlib
        >>> one = nnlib.ones(())
        >>> graph = nnlib.graph.trace(lambda w, x: (w * x).sigmoid(), w=one, x=one)
        >>> print(graph.to_source("neuron"))
        import numpy as np
        <BLANKLINE>
        <BLANKLINE>
        def sigmoid(x):
            return 1 / (1 + np.exp(-x))
        <BLANKLINE>
        <BLANKLINE>
        def neuron(w, x):
            return sigmoid(w * x)
        <BLANKLINE>
        >>> x = nnlib.ones(3)
        >>> print(nnlib.graph.trace(lambda x: (2 * x).exp().sum(), x=x).to_source("loops"))
        def loops(x, s_f4):
            t3 = f4(0.0)
            for i in range(3):
                t1 = x[i] * f4(2.0)
                t2 = expf(t1)
                t3 = plus(t3, t2)
            s_f4[0] = t3
        <BLANKLINE>
        """
        from nnlib.graph.source import to_source

        graph = self.gradient() if gradient else self
        if name == "loops":
            from nnlib.graph.lower.loops import loops_source

            return loops_source(graph)
        return to_source(graph, name)

    def to_latex(self, name: str | None = None, expand: Sequence[str] = ()) -> str:
        r"""One output as a formula, or all of them as aligned lines.

        Other named outputs appear by their names, except those in `expand`, which are written out.

        >>> import nnlib
        >>> def neuron(w35, a3, y):
        ...     a5 = (w35 * a3).sigmoid()
        ...     return {"a5": a5, "L": (a5 - y) ** 2}
        >>> one = nnlib.ones(())
        >>> print(nnlib.graph.trace(neuron, w35=one, a3=one, y=one).gradient("L").to_latex("d_w35"))
        \frac{\partial L}{\partial w_{35}} = 2 (a_{5} - y) a_{5} (1 - a_{5}) a_{3}
        """
        from nnlib.graph.latex import to_latex

        return to_latex(self, name, expand)

    def draw(self, values: dict[str, Any] | None = None) -> Drawing:
        """The graph as an SVG picture: a string that notebooks show.

        `values` are inputs to run it on; each node then shows its result.

        >>> import nnlib
        >>> graph = nnlib.graph.trace(lambda x: x * x, x=nnlib.tensor(3.0))
        >>> graph.draw()[:4]
        '<svg'
        """
        from nnlib.graph.draw import draw

        return draw(self, values)

    def _repr_svg_(self) -> str:
        return str(self.draw())

    def to_dict(self) -> dict[str, Any]:
        """The graph as plain JSON values, by the schema in docs/graph-schema.md.

        >>> import nnlib
        >>> graph = nnlib.graph.trace(lambda x: x * x, x=nnlib.tensor(3.0))
        >>> sorted(graph.to_dict())
        ['format', 'nodes', 'outputs', 'version']
        """
        from nnlib.graph.files import to_dict

        return to_dict(self)

    def to_json(self) -> str:
        """The graph as JSON text.

        >>> import nnlib
        >>> graph = nnlib.graph.trace(lambda x: x * x, x=nnlib.tensor(3.0))
        >>> nnlib.graph.Graph.from_json(graph.to_json()).run(x=4.0)["output"].item()
        16.0
        """
        from nnlib.graph.files import to_json

        return to_json(self)

    @staticmethod
    def from_json(text: str) -> Graph:
        """Read a graph back.  Raises GraphError for anything that is not one.

        >>> import nnlib
        >>> graph = nnlib.graph.trace(lambda x: x * x, x=nnlib.tensor(3.0))
        >>> nnlib.graph.Graph.from_json(graph.to_json())
        Graph(x → output; 1 operations)
        """
        from nnlib.graph.files import from_json

        return from_json(text)
