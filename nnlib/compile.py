"""compile: a function recorded once and replayed as plain NumPy.  How: `nnlib.graph.compiled`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnlib.graph.compiled import Compiled


def compile(fn: Callable[..., Any]) -> Compiled:
    """`fn`, recorded at its first call and replayed at the next, faster; the results are the same.

    Tensors that `fn` finds outside itself (a model's parameters, an optimiser's state) are read at
    every call, and what it changes in them is written back.  Results are fresh tensors.  It is
    recorded anew for other shapes, types, numbers among the arguments, `requires_grad`, `no_grad`,
    ``train()``/``eval()``, and for other numbers in what it captures.  Random functions of nnlib
    draw anew at each call.

    A function that branches on a tensor's value, prints, or counts in Python numbers runs as it is
    written, with a warning that says why.

    >>> import nnlib
    >>> w = nnlib.tensor(3.0, requires_grad=True)
    >>> @nnlib.compile
    ... def step(x):
    ...     w.grad = None
    ...     loss = (w * x - 1.0) ** 2
    ...     loss.backward()
    ...     with nnlib.no_grad():
    ...         w.sub_(w.grad * 0.1)
    ...     return loss.detach()
    >>> [round(step(nnlib.tensor(1.0)).item(), 4) for _ in range(3)]
    [4.0, 2.56, 1.6384]
    """
    from nnlib.graph.compiled import Compiled  # only who compiles pays for its import

    return Compiled(fn)
