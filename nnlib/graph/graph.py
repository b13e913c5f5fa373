"""The public interface: `trace` makes a `Graph`, whose methods run, differentiate and print it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nnlib.graph import draw, files, latex, simplify, source
from nnlib.graph.draw import Drawing
from nnlib.graph.gradient import with_gradient
from nnlib.graph.steps import Steps
from nnlib.graph.tracing import recorded_steps


class Graph(Steps):
    """Steps, each after its inputs, and named outputs.

    >>> import nnlib
    >>> graph = nnlib.graph.trace(lambda x: {"y": (2 * x).sum()}, x=nnlib.ones(3))
    >>> graph
    Graph(x → y; 2 operations)
    """

    def simplified(self, compact: bool = False) -> Graph:
        """The graph without unused steps, repeated steps, and steps whose inputs are all constant.

        With `compact`, a large constant that is computed from small ones is not stored but computed
        at each run, which makes the graph's file smaller.

        >>> import nnlib
        >>> graph = nnlib.graph.trace(lambda x: x * nnlib.tensor(2.0).exp(), x=nnlib.tensor(1.0))
        >>> len(graph.steps), len(graph.simplified().steps)
        (4, 3)
        """
        return _graph(simplify.simplify(self, compact))

    def tidied(self) -> Graph:
        """The simplified graph without x · 1, x - 0, --x and the like; every result stays the same.

        >>> import nnlib
        >>> graph = nnlib.graph.trace(lambda x: -(-x) * 1, x=nnlib.tensor(1.0))
        >>> len(graph.steps), len(graph.tidied().steps)
        (5, 1)
        """
        return _graph(simplify.tidy(self))

    def gradient(self, of: str | None = None, wrt: Sequence[str] | None = None) -> Graph:
        """The graph with derivatives added: see `nnlib.graph.gradient`.

        >>> import nnlib
        >>> graph = nnlib.graph.trace(lambda x: x * x, x=nnlib.tensor(3.0))
        >>> graph.gradient().run(x=5.0)["d_x"].item()
        10.0
        """
        return gradient(self, of, wrt)

    def to_source(self, name: str = "f", gradient: bool = False) -> str:
        """The graph as a Python function in plain NumPy, ready to run.

        It takes the graph's inputs (arrays of the traced dtypes) by name, and returns what the
        traced function returned: one array, or a dict of them.  With `gradient` it also returns the
        derivatives ``d_x`` of the graph's only one-element output with respect to each input.

        With the name "loops", the result is the fused loops that `nnlib.compile` generates, with
        many operations in one pass over the elements.  In them, f4 is float32, and the array s_f4
        holds single numbers.

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
        graph = self.gradient() if gradient else self
        if name == "loops":
            from nnlib.graph.lower.loops import loops_source  # needed only here

            return loops_source(graph)
        return source.to_source(graph, name)

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
        return latex.to_latex(self, name, expand)

    def draw(self, values: dict[str, Any] | None = None) -> Drawing:
        """The graph as an SVG picture: a string that notebooks show.

        If `values` contains the inputs, the graph is run on them, and each node shows its result.

        >>> import nnlib
        >>> graph = nnlib.graph.trace(lambda x: x * x, x=nnlib.tensor(3.0))
        >>> graph.draw()[:4]
        '<svg'
        """
        return draw.draw(self, values)

    def _repr_svg_(self) -> str:
        return str(self.draw())

    def to_dict(self) -> dict[str, Any]:
        """The graph as JSON values, by the schema in docs/graph-schema.md.

        >>> import nnlib
        >>> graph = nnlib.graph.trace(lambda x: x * x, x=nnlib.tensor(3.0))
        >>> sorted(graph.to_dict())
        ['format', 'nodes', 'outputs', 'version']
        """
        return files.to_dict(self)

    def to_json(self) -> str:
        """The graph as JSON text.

        >>> import nnlib
        >>> graph = nnlib.graph.trace(lambda x: x * x, x=nnlib.tensor(3.0))
        >>> nnlib.graph.Graph.from_json(graph.to_json()).run(x=4.0)["output"].item()
        16.0
        """
        return files.to_json(self)

    @staticmethod
    def from_json(text: str) -> Graph:
        """Read a graph from JSON text.  Raises GraphError for any other text.

        >>> import nnlib
        >>> graph = nnlib.graph.trace(lambda x: x * x, x=nnlib.tensor(3.0))
        >>> nnlib.graph.Graph.from_json(graph.to_json())
        Graph(x → output; 1 operations)
        """
        return _graph(files.from_json(text))


def _graph(steps: Steps) -> Graph:
    return Graph(steps.steps, steps.outputs, steps.derivatives)


def trace(fn: Callable[..., Any], /, **inputs: Any) -> Graph:
    """Run `fn` once on tensors and return the operations that it applied as a `Graph`.

    `inputs` are example values (tensors, arrays or numbers) under the names of fn's parameters.
    `fn` returns a dict of named tensors, or one tensor (named "output").  Gradients taken inside,
    and in-place updates, are part of the graph.  Raises GraphError if the function reads a tensor's
    value, as an ``if`` on a tensor does.

    >>> import nnlib
    >>> g = nnlib.graph.trace(lambda x: x.exp(), x=nnlib.ones(2))
    >>> [s.op for s in g.steps]
    ['input', 'exp']
    """
    return _graph(simplify.simplify(recorded_steps(fn, inputs)))


def gradient(graph: Steps, of: str | None = None, wrt: Sequence[str] | None = None) -> Graph:
    """`graph` with an output ``d_x`` for each x in `wrt`: the derivative of `of` with respect to x.

    `of` names a floating-point output with one element, and is optional if there is only one such
    output.  `wrt` names inputs, or other outputs (intermediate results), with respect to which to
    differentiate; the default is every floating-point input.

    Raises GraphError for unknown names and for outputs with several elements.

    >>> import nnlib
    >>> square = nnlib.graph.trace(lambda x: x * x, x=nnlib.tensor(3.0))
    >>> nnlib.graph.gradient(square).run(x=5.0)["d_x"].item()
    10.0
    """
    return _graph(with_gradient(graph, of, wrt))
