"""compile: trace a pure function once, then run the trace as loops or NumPy calls.

`nnlib.graph.compiled` runs the trace.  `nnlib.graph.pure` checks that the function is pure, and
raises the errors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnlib.graph.compiled import Compiled


def compile(
    fn: Callable[..., Any], static: Sequence[str | int] = (), *, backend: str | None = None
) -> Compiled:
    """Compile the pure function `fn`: its first call traces it, and every call runs the trace.

    The results of a pure function depend on its arguments alone, and it has no side effects.
    Arguments and results are tensors in tuples, lists, dicts and data classes, numbers and strings.
    The arguments listed in `static` (names or positions) may be any hashable objects.  The function
    is traced again for other shapes, types, numbers, structures and static arguments, and if
    something that it reads from outside has changed.  Compute gradients inside it
    (`nnlib.func.grad_and_value`, `nnlib.autograd.grad`), and take random numbers from a generator
    that is an argument.  If numba is installed (``pip install 'sigmoid-to-sequence[fast]'``), the
    trace runs as machine code, otherwise as NumPy calls that reuse memory; `backend` selects one of
    the two, "loops" or "numpy".

    Raises TypeError if `fn` is not a function, ValueError for an unknown static argument; calls
    raise ValueError for an unknown `backend`, ImportError for loops without numba.  Calls raise
    GraphError, with the reason, if `fn` is not pure: it changes an argument or something outside,
    calls backward(), reads a tensor's value, uses another generator, or uses a tensor that requires
    a gradient and is not an argument.

    >>> import nnlib
    >>> def loss(w, x):
    ...     return (w * x - 1.0) ** 2
    >>> @nnlib.compile
    ... def step(w, x):
    ...     gradient, value = nnlib.func.grad_and_value(loss)(w, x)
    ...     return w - 0.1 * gradient, value
    >>> w, losses = nnlib.tensor(3.0), []
    >>> for _ in range(3):
    ...     w, value = step(w, nnlib.tensor(1.0))
    ...     losses.append(round(value.item(), 4))
    >>> losses, step.traces
    ([4.0, 2.56, 1.6384], 1)
    """
    from nnlib.graph.compiled import Compiled  # only programs that compile import it

    return Compiled(fn, static, backend)
