"""Checks by finite differences: gradcheck and gradgradcheck, as in `torch.autograd`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib import record
from nnlib.autograd.gradients import grad
from nnlib.record import Value, make

if TYPE_CHECKING:
    from nnlib.tensor import Tensor


class GradcheckError(RuntimeError):
    """Raised if a derivative disagrees with finite differences."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Tensor],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Whether backward() agrees with (f(x + eps) - f(x - eps)) / (2 eps) for each input element.

    `inputs` are float64 tensors with requires_grad=True (others are held fixed).  If the
    two gradients differ, it raises GradcheckError, or returns False with raise_exception=False.
    Raises ValueError if no input requires a gradient.  Like ``torch.autograd.gradcheck``.

    >>> import nnlib
    >>> x = nnlib.tensor([1.0, 2.0], dtype=nnlib.float64, requires_grad=True)
    >>> nnlib.autograd.gradcheck(lambda x: x.exp() * x, x)
    True
    """
    xs = (inputs,) if isinstance(inputs, Value) else tuple(inputs)
    checked = [x for x in xs if isinstance(x, Value) and x._node is not None]
    if not checked:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the "
            "inputs have requires_grad=True."
        )
    try:
        for index, output in enumerate(_outputs(func(*xs))):
            if output._node is None:
                raise GradcheckError(f"output {index} does not require grad: {output}")
            for x in checked:
                _compare(func, xs, index, output, x, eps, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _outputs(result: Any) -> list[Any]:
    results = list(result) if isinstance(result, (tuple, list)) else [result]
    return [o for o in results if isinstance(o, Value) and o._data.dtype.kind == "f"]


def _compare(
    func: Any,
    xs: tuple[Any, ...],
    index: int,
    output: Any,
    x: Any,
    eps: float,
    atol: float,
    rtol: float,
) -> None:
    analytical = np.zeros((x._data.size, output._data.size))
    for element in range(output._data.size):
        one_hot = np.zeros(output._data.size, output._data.dtype)
        one_hot[element] = 1
        (g,) = grad(
            output,
            x,
            make(one_hot.reshape(output._data.shape)[()]),
            retain_graph=True,
            allow_unused=True,
        )
        if g is not None:
            analytical[:, element] = np.ravel(g._data)
    numerical = _differences(func, xs, index, x, eps)
    if not np.allclose(numerical, analytical, rtol, atol, equal_nan=True):
        position = next(i for i, other in enumerate(xs) if other is x)
        raise GradcheckError(
            f"Jacobian mismatch for output {index} with respect to input {position},\nnumerical:"
            f"{numerical}\nanalytical:{analytical}\nIs the input float64? Is the function smooth "
            "there, and the same in every call?"
        )


def _differences(func: Any, xs: tuple[Any, ...], index: int, x: Any, eps: float) -> np.ndarray:
    """∂output/∂x by central differences, of shape (x.size, output.size).  Restores x's array."""
    original = x._data
    columns = []
    try:
        for element in range(original.size):
            results = []
            for step in (eps, -eps):
                shifted = np.array(original, dtype=original.dtype)
                shifted.reshape(-1)[element] += step
                x._data = shifted[()]
                with record.recording(True):  # func may compute gradients itself
                    results.append(np.ravel(_outputs(func(*xs))[index]._data).astype(float))
            columns.append((results[0] - results[1]) / (2 * eps))
    finally:
        x._data = original
    return np.array(columns).reshape(original.size, -1)


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """gradcheck() of the gradient: the second derivative against differences of the first.

    Without `grad_outputs`, the backward pass starts from seeded random numbers.  Raises
    GradcheckError and ValueError as gradcheck() does.  Like ``torch.autograd.gradgradcheck``.

    >>> import nnlib
    >>> w = nnlib.tensor([1.0, 2.0], dtype=nnlib.float64, requires_grad=True)
    >>> nnlib.autograd.gradgradcheck(lambda w: (w**3).sum(), (w,))
    True
    """
    xs = (inputs,) if isinstance(inputs, Value) else tuple(inputs)
    outputs = _outputs(func(*xs))
    if grad_outputs is None:
        random = np.random.default_rng(0)
        start_gradients = [make(np.asarray(random.normal(size=o._data.shape))[()]) for o in outputs]
        start_gradients = [
            g.to(o.dtype).requires_grad_() for g, o in zip(start_gradients, outputs, strict=True)
        ]
    else:
        start_gradients = [grad_outputs] if isinstance(grad_outputs, Value) else list(grad_outputs)

    def gradients(*args: Any) -> Any:
        inputs, start_gradients = args[: len(xs)], list(args[len(xs) :])
        recorded: list[Any] = [x for x in inputs if isinstance(x, Value) and x._node is not None]
        gs = grad(
            _outputs(func(*inputs)), recorded, start_gradients, create_graph=True, allow_unused=True
        )
        return tuple([g for g in gs if g is not None and g._node is not None])

    return gradcheck(
        gradients,
        (*xs, *start_gradients),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
    )
