"""Derivatives of functions: jacobian, hessian, vjp, jvp (`torch.autograd.functional`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from nnlib import record
from nnlib.autograd.gradients import grad
from nnlib.functions.arithmetic import clone
from nnlib.functions.joining import stack
from nnlib.functions.reshaping import reshape
from nnlib.record import Leaf, Value, make

if TYPE_CHECKING:
    from nnlib.tensor import Tensor

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _as_tuple(name: str, values: Any) -> tuple[bool, tuple[Any, ...]]:
    """Whether `values` is a sequence, and its tensors as a tuple; TypeError for other types."""
    several = isinstance(values, (tuple, list))
    tensors = tuple(values) if several else (values,)
    for index, value in enumerate(tensors):
        if not isinstance(value, Value):
            raise TypeError(
                f"The {name} must be a Tensor or a tuple of Tensors but the value at index {index} "
                f"has type {type(value).__name__}."
            )
    return several, tensors


def _recorded_inputs(inputs: tuple[Any, ...], create_graph: bool) -> tuple[Any, ...]:
    """The inputs as recorded tensors: new leaves or, with create_graph, clones with a history."""
    if create_graph and record.grad_enabled():
        return tuple([clone(x) if x._node is not None else _leaf(x) for x in inputs])
    return tuple([_leaf(x) for x in inputs])


def _leaf(x: Any) -> Any:
    leaf = make(x._data, Leaf())
    record.report_alias(leaf, x)
    return leaf


def _outputs_of(func: Callable[..., Any], inputs: tuple[Any, ...]) -> tuple[bool, tuple[Any, ...]]:
    with record.recording(True):
        return _as_tuple("outputs given by the user-provided function", func(*inputs))


def _gradients(
    output: Any,
    inputs: tuple[Any, ...],
    start: Any,
    create_graph: bool,
    strict: bool,
) -> list[Any]:
    """Gradients of one output; for an input it does not use, zeros (with `strict`: an error)."""
    if output._node is None:
        if strict:
            raise RuntimeError("The output of the function is independent of the inputs.")
        return [_zeros(x) for x in inputs]
    gs = grad(
        output, inputs, start, retain_graph=True, create_graph=create_graph, allow_unused=True
    )
    if strict and any(g is None for g in gs):
        index = [g is None for g in gs].index(True)
        raise RuntimeError(f"The output of the function is independent of input {index}.")
    return [_zeros(x) if g is None else g for g, x in zip(gs, inputs, strict=True)]


def _zeros(x: Any) -> Any:
    return make(np.zeros_like(x._data)[()])


def _one_hot_like(output: Any, element: int) -> Any:
    one_hot = np.zeros(output._data.size, output._data.dtype)
    one_hot[element] = 1
    return make(one_hot.reshape(output._data.shape)[()])


@overload
def jacobian(
    func: Callable[..., Tensor], inputs: Tensor, create_graph: bool = False, strict: bool = False
) -> Tensor: ...
@overload
def jacobian(
    func: Callable[..., Any],
    inputs: Tensor | tuple[Tensor, ...],
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, ...]: ...
def jacobian(
    func: Callable[..., Any],
    inputs: Tensor | tuple[Tensor, ...],
    create_graph: bool = False,
    strict: bool = False,
) -> Tensor | tuple[Any, ...]:
    """J[i, j] = ∂func(x)ᵢ/∂xⱼ, of shape (*output, *input): a backward pass for each output element.

    Several outputs or inputs give nested tuples, outputs first.  Like
    ``torch.autograd.functional.jacobian``.

    >>> import nnlib
    >>> nnlib.autograd.functional.jacobian(lambda x: x * x, nnlib.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    several_in, values = _as_tuple("inputs", inputs)
    xs = _recorded_inputs(values, create_graph)
    several_out, outputs = _outputs_of(func, xs)
    jacobians = []
    for output in outputs:
        rows_by_input: list[list[Any]] = [[] for _ in xs]
        for element in range(output._data.size):
            gradients = _gradients(output, xs, _one_hot_like(output, element), create_graph, strict)
            for rows, g in zip(rows_by_input, gradients, strict=True):
                rows.append(g)
        shapes = [(*output._data.shape, *x._data.shape) for x in xs]
        blocks = [
            reshape(stack(rows), shape) if rows else make(np.zeros(shape, x._data.dtype))
            for rows, shape, x in zip(rows_by_input, shapes, xs, strict=True)
        ]
        jacobians.append(tuple(blocks) if several_in else blocks[0])
    return tuple(jacobians) if several_out else jacobians[0]


@overload
def hessian(
    func: Callable[..., Tensor], inputs: Tensor, create_graph: bool = False, strict: bool = False
) -> Tensor: ...
@overload
def hessian(
    func: Callable[..., Any],
    inputs: Tensor | tuple[Tensor, ...],
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, ...]: ...
def hessian(
    func: Callable[..., Any],
    inputs: Tensor | tuple[Tensor, ...],
    create_graph: bool = False,
    strict: bool = False,
) -> Tensor | tuple[Any, ...]:
    """H[i, j] = ∂²func(x)/∂xᵢ∂xⱼ of a function whose result is one number.

    `inputs` of shape s give a result of shape (*s, *s).  Raises RuntimeError for a result of more
    than one number.  Like ``torch.autograd.functional.hessian``.

    >>> import nnlib
    >>> nnlib.autograd.functional.hessian(lambda x: (x**3).sum(), nnlib.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    several, _ = _as_tuple("inputs", inputs)

    def gradients(*xs: Any) -> Any:
        _, outputs = _outputs_of(func, xs)
        _require_one_element(outputs)
        gs = _gradients(outputs[0], xs, None, True, strict)
        return tuple(gs) if several else gs[0]

    return jacobian(gradients, inputs, create_graph, strict)


def _require_one_element(outputs: tuple[Any, ...]) -> None:
    if len(outputs) != 1 or outputs[0]._data.size != 1:
        raise RuntimeError(
            "The function given to hessian, vhp or hvp should return a single Tensor with one "
            f"element, got shapes {[list(o._data.shape) for o in outputs]}: reduce it with .sum()"
        )


def _vectors(v: Any, like: tuple[Any, ...], name: str) -> tuple[Any, ...]:
    if v is None:
        if len(like) != 1 or like[0]._data.size != 1:
            raise RuntimeError(
                f"The vector v can only be None if {name} is a single Tensor with one element"
            )
        return (make(np.ones_like(like[0]._data)[()]),)
    _, vs = _as_tuple("v", v)
    if [x._data.shape for x in vs] != [x._data.shape for x in like]:
        raise RuntimeError(
            f"v must have the shapes of {name}, {[list(x._data.shape) for x in like]}, got "
            f"{[list(x._data.shape) for x in vs]}"
        )
    return vs


def _unpacked(several: bool, values: Any, create_graph: bool) -> Any:
    out = tuple([v if create_graph else v.detach() for v in values])
    return out if several else out[0]


@overload
def vjp(
    func: Callable[..., Tensor],
    inputs: Tensor,
    v: Tensor | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensor, Tensor]: ...
@overload
def vjp(
    func: Callable[..., Any],
    inputs: Tensor | tuple[Tensor, ...],
    v: Tensor | tuple[Tensor, ...] | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]: ...
def vjp(
    func: Callable[..., Any],
    inputs: Tensor | tuple[Tensor, ...],
    v: Tensor | tuple[Tensor, ...] | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """(func(x), vᵀJ), computed by one backward pass that starts from v.

    Raises RuntimeError if v does not have the shape of the result.  Like
    ``torch.autograd.functional.vjp``.

    >>> import nnlib
    >>> x = nnlib.tensor([1.0, 2.0])
    >>> nnlib.autograd.functional.vjp(lambda x: x * x, x, nnlib.tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    several_in, values = _as_tuple("inputs", inputs)
    xs = _recorded_inputs(values, create_graph)
    several_out, outputs = _outputs_of(func, xs)
    vs = _vectors(v, outputs, "the output of the function")
    gs = _vector_jacobian_product(outputs, xs, vs, create_graph, strict)
    return _unpacked(several_out, outputs, create_graph), _unpacked(several_in, gs, create_graph)


def _vector_jacobian_product(
    outputs: tuple[Any, ...],
    xs: tuple[Any, ...],
    vs: tuple[Any, ...],
    create_graph: bool,
    strict: bool,
) -> list[Any]:
    recorded = [(o, v) for o, v in zip(outputs, vs, strict=True) if o._node is not None]
    if not recorded:
        if strict:
            raise RuntimeError("The output of the function is independent of the inputs.")
        return [_zeros(x) for x in xs]
    gs = grad(
        [o for o, _ in recorded], xs, [v for _, v in recorded],
        retain_graph=True, create_graph=create_graph, allow_unused=True,
    )  # fmt: skip
    if strict and any(g is None for g in gs):
        raise RuntimeError("The output of the function is independent of one of the inputs.")
    return [_zeros(x) if g is None else g for g, x in zip(gs, xs, strict=True)]


@overload
def jvp(
    func: Callable[..., Tensor],
    inputs: Tensor,
    v: Tensor | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensor, Tensor]: ...
@overload
def jvp(
    func: Callable[..., Any],
    inputs: Tensor | tuple[Tensor, ...],
    v: Tensor | tuple[Tensor, ...] | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]: ...
def jvp(
    func: Callable[..., Any],
    inputs: Tensor | tuple[Tensor, ...],
    v: Tensor | tuple[Tensor, ...] | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """(func(x), J v): the result and its derivative along v.

    It takes two backward passes: uᵀJ is linear in u, and the gradient of (uᵀJ)v with respect to u
    is Jv.  Raises RuntimeError if v does not have the shape of the input.  Like
    ``torch.autograd.functional.jvp``.

    >>> import nnlib
    >>> x, v = nnlib.tensor([1.0, 2.0]), nnlib.tensor([1.0, 0.0])
    >>> nnlib.autograd.functional.jvp(lambda x: x**2, x, v)
    (tensor([1., 4.]), tensor([2., 0.]))
    """
    _, values = _as_tuple("inputs", inputs)
    xs = _recorded_inputs(values, create_graph)
    vs = _vectors(v, xs, "the input to the function")
    several_out, outputs = _outputs_of(func, xs)
    with record.recording(True):
        us = tuple([_leaf(_zeros(o)) for o in outputs])
        gradients = _vector_jacobian_product(outputs, xs, us, True, strict)
    along_v = _vector_jacobian_product(tuple(gradients), us, vs, create_graph, False)
    return _unpacked(several_out, outputs, create_graph), _unpacked(
        several_out, along_v, create_graph
    )


@overload
def vhp(
    func: Callable[..., Tensor],
    inputs: Tensor,
    v: Tensor | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensor, Tensor]: ...
@overload
def vhp(
    func: Callable[..., Any],
    inputs: Tensor | tuple[Tensor, ...],
    v: Tensor | tuple[Tensor, ...] | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]: ...
def vhp(
    func: Callable[..., Any],
    inputs: Tensor | tuple[Tensor, ...],
    v: Tensor | tuple[Tensor, ...] | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """(func(x), vᵀH) for a function whose result is one number, without computing H.

    Raises RuntimeError for a result of more than one number.  Like
    ``torch.autograd.functional.vhp``.

    >>> import nnlib
    >>> x, v = nnlib.tensor([1.0, 2.0]), nnlib.tensor([1.0, 1.0])
    >>> nnlib.autograd.functional.vhp(lambda x: (x**3).sum(), x, v)
    (tensor(9.), tensor([ 6., 12.]))
    """
    several, values = _as_tuple("inputs", inputs)
    xs = _recorded_inputs(values, create_graph)
    vs = _vectors(v, xs, "the input to the function")
    _, outputs = _outputs_of(func, xs)
    _require_one_element(outputs)
    with record.recording(True):
        gradients = _gradients(outputs[0], xs, None, True, strict)
    product = _vector_jacobian_product(tuple(gradients), xs, vs, create_graph, False)
    return _unpacked(False, outputs, create_graph), _unpacked(several, product, create_graph)


@overload
def hvp(
    func: Callable[..., Tensor],
    inputs: Tensor,
    v: Tensor | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensor, Tensor]: ...
@overload
def hvp(
    func: Callable[..., Any],
    inputs: Tensor | tuple[Tensor, ...],
    v: Tensor | tuple[Tensor, ...] | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]: ...
def hvp(
    func: Callable[..., Any],
    inputs: Tensor | tuple[Tensor, ...],
    v: Tensor | tuple[Tensor, ...] | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """(func(x), H v): H is symmetric, so this is vhp().

    Like ``torch.autograd.functional.hvp``.

    >>> import nnlib
    >>> x, v = nnlib.tensor([1.0, 2.0]), nnlib.tensor([1.0, 1.0])
    >>> nnlib.autograd.functional.hvp(lambda x: (x**3).sum(), x, v)
    (tensor(9.), tensor([ 6., 12.]))
    """
    return vhp(func, inputs, v, create_graph, strict)
