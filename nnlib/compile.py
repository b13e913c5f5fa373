"""compile: a pure function, traced once and run as plain loops.  How: `nnlib.graph.compiled`.

What a function may not do, and what the error then says: `nnlib.graph.pure`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnlib.graph.compiled import Compiled


def compile(
    fn: Callable[..., Any], static: Sequence[str | int] = (), *, backend: str | None = None
) -> Compiled:
    """The pure function `fn`, traced at its first call and run as fast loops at every call.

    A pure function's results depend on its arguments alone, and returning them is all that it does.
    Arguments and results are tensors in tuples, lists, dicts and data classes, numbers and strings.
    Arguments that `static` names (by name or position) may be anything that has a hash.  It is
    traced anew for other shapes, types, numbers, structures and static arguments, and where
    something that it reads outside itself is another thing than before.  Gradients are taken inside
    (`nnlib.func.grad_and_value`, `nnlib.autograd.grad`), random numbers drawn from a generator
    among the arguments.  What runs is machine code where numba
    is installed (``pip install 'sigmoid-to-sequence[fast]'``), else NumPy on memory that is used
    again; `backend` chooses: "loops" or "numpy".

    Raises TypeError for what is not a function, ValueError for an unknown static argument; calls
    raise ValueError for an unknown `backend`, ImportError for loops without numba.
    Calls raise GraphError, with the reason, where `fn` is not pure: it changes an argument or
    something outside, calls backward(), reads a tensor's value, draws from another generator, or
    uses a tensor that requires a gradient and is not an argument.

    >>> import nnlib
    >>> def loss(w, x):
    ...     return (w * x - 1.0) ** 2
    >>> @nnlib.compile
    ... def step(w, x):
    ...     slope, value = nnlib.func.grad_and_value(loss)(w, x)
    ...     return w - 0.1 * slope, value
    >>> w, losses = nnlib.tensor(3.0), []
    >>> for _ in range(3):
    ...     w, value = step(w, nnlib.tensor(1.0))
    ...     losses.append(round(value.item(), 4))
    >>> losses, step.traces
    ([4.0, 2.56, 1.6384], 1)
    """
    from nnlib.graph.compiled import Compiled  # only programs that compile import it

    return Compiled(fn, static, backend)
