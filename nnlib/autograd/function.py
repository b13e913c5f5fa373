"""Function: an operation with a custom derivative, like `torch.autograd.Function`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnlib import record
from nnlib.autograd.engine import unbroadcast
from nnlib.record import Node, Value, make

if TYPE_CHECKING:
    from nnlib.tensor import Tensor


class Context:
    """The `ctx` of `forward` and `backward`: it stores the values that `backward` needs."""

    def __init__(self) -> None:
        self.needs_input_grad: tuple[bool, ...] = ()
        self.materialize_grads = True
        self._saved: list[tuple[Any, int]] = []
        self._without_gradient: tuple[int, ...] = ()
        self._inputs: tuple[Any, ...] = ()

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Save inputs or outputs for `backward`; changing them in place later is an error."""
        for t in tensors:
            if t is not None and not isinstance(t, Value):
                raise TypeError(
                    f"save_for_backward can only save variables, but got {type(t).__name__}: put "
                    "anything else on ctx as an attribute"
                )
        self._saved = [(t, record.clock) for t in tensors]

    @property
    def saved_tensors(self) -> tuple[Tensor, ...]:
        """The tensors that were passed to save_for_backward."""
        for t, time in self._saved:
            if t is not None and record.was_changed(t._data, time):
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an "
                    "inplace operation: a tensor of shape "
                    f"{list(t._data.shape)} that save_for_backward saved was overwritten before "
                    "backward()."
                )
        return tuple([t for t, _ in self._saved])

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Declare outputs through which no gradient flows."""
        self._without_gradient = tuple([id(o) for o in outputs])

    def mark_dirty(self, *inputs: Tensor) -> None:
        """Raise NotImplementedError: return a new tensor instead of changing an input."""
        raise NotImplementedError("a Function of nnlib may not change its inputs in place")

    def set_materialize_grads(self, value: bool) -> None:
        """Set whether backward() gets zeros (the default) or None for unused outputs."""
        self.materialize_grads = value


class Function:
    """An operation whose derivative you write yourself.  Like ``torch.autograd.Function``.

    Subclass it with two static methods: ``forward(ctx, *inputs)`` computes, ``backward(ctx,
    *gradients)`` returns one gradient for each input (None for an input without one).  Call it
    with ``apply``.  The computation in `backward` is recorded if a second derivative is needed.

    >>> import nnlib
    >>> class Cube(nnlib.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * 3 * x**2
    >>> x = nnlib.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the result from `ctx` and the inputs (without `ctx` if setup_context exists).

        The base class raises NotImplementedError.

        >>> import nnlib
        >>> class Cube(nnlib.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x**3
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         (x,) = ctx.saved_tensors
        ...         return 3 * x**2 * g
        >>> Cube.apply(nnlib.tensor(2.0, requires_grad=True))
        tensor(8., grad_fn=<CubeBackward0>)
        """
        raise NotImplementedError("You must implement the forward function for custom Function.")

    @staticmethod
    def backward(ctx: Context, *grad_outputs: Any) -> Any:
        """Return one gradient for each input of forward, given those of the outputs.

        The base class raises NotImplementedError.

        >>> import nnlib
        >>> class Double(nnlib.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         return 2 * x
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         return 2 * g
        >>> w = nnlib.tensor(1.0, requires_grad=True)
        >>> Double.apply(w).backward()
        >>> w.grad
        tensor(2.)
        """
        raise NotImplementedError("You must implement the backward function for your Function.")

    setup_context: Any = None

    @classmethod
    def apply(cls, *args: Any) -> Tensor:
        """Compute the result, and record the operation if an input is recorded.

        >>> import nnlib
        >>> class Double(nnlib.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         return 2 * x
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         return 2 * g
        >>> Double.apply(nnlib.tensor([1.0, 2.0]))
        tensor([2., 4.])
        """
        ctx = Context()
        recording = record.grad_enabled()
        nodes = tuple([a._node if isinstance(a, Value) and recording else None for a in args])
        ctx.needs_input_grad = tuple([n is not None for n in nodes])
        with record.recording(False):
            if cls.setup_context is None:
                out = cls.forward(ctx, *args)
            else:
                out = cls.forward(*args)
                cls.setup_context(ctx, args, out)
        if any(ctx.needs_input_grad):
            out = _recorded(cls, ctx, args, nodes, out)
        if tracer := record.current_tracer():
            for result in out if isinstance(out, tuple) else (out,):
                if isinstance(result, Value) and result._data.dtype.kind == "f":
                    tracer.custom(result, cls.__name__)
        return out  # type: ignore[no-any-return]  # a tuple of tensors if forward returns one


class _CustomPrimitive:
    """A stand-in for a primitive in the graph: the backward pass calls its `vjp_of_all`."""

    view = broadcasts = saves_args = saves_out = saves_others = False
    decomposition = with_residuals = None
    vjps: tuple[Any, ...] = ()
    shape_only: tuple[int, ...] = ()
    differentiable = True
    family = "function"

    def __init__(self, name: str, vjp_of_all: Any) -> None:
        self.name, self.vjp_of_all = name, vjp_of_all


class _Gradients(dict[int, Any]):
    """The gradients of several outputs, collected for one call of backward()."""

    def __add__(self, other: Any) -> _Gradients:
        total = _Gradients(self)
        for index, g in other.items():
            total[index] = total[index] + g if index in total else g
        return total


def _recorded(
    cls: type, ctx: Context, args: tuple[Any, ...], nodes: tuple[Any, ...], out: Any
) -> Any:
    """The outputs with nodes whose vjp calls ``cls.backward``."""
    several = isinstance(out, tuple)
    outs = out if several else (out,)
    for o in outs:
        if not isinstance(o, Value):
            raise TypeError(
                f"{cls.__name__}.forward must return tensors, but got {type(o).__name__}"
            )
    shapes = [(o._data.shape, o._data.dtype) for o in outs]

    def vjp_of_all(needs: tuple[Any, ...], g: Any, *_: Any) -> Any:
        return _backward(cls, ctx, args, shapes, g if several else _Gradients({0: g}))

    operation = Node(_CustomPrimitive(cls.__name__, vjp_of_all), nodes)  # type: ignore[arg-type]
    input_ids = {id(a) for a in args}
    results = []
    for index, o in enumerate(outs):
        differentiable = id(o) not in ctx._without_gradient and o._data.dtype.kind == "f"
        result = _without_history(o) if id(o) in input_ids or o._node is not None else o
        if differentiable:
            result._node = _output_node(operation, cls.__name__, index) if several else operation
        results.append(result)
    result_of = {id(o): r for o, r in zip(outs, results, strict=True)}
    ctx._saved = [(result_of.get(id(t), t), time) for t, time in ctx._saved]
    return tuple(results) if several else results[0]


def _without_history(o: Value) -> Any:
    """A tensor with the memory of o but not its history."""
    result = make(o._data)
    record.report_alias(result, o)
    return result


def _output_node(operation: Node, name: str, index: int) -> Node:
    def vjp_of_all(needs: tuple[Any, ...], g: Any, *_: Any) -> tuple[Any, ...]:
        return (_Gradients({index: g}),)

    return Node(_CustomPrimitive(name, vjp_of_all), (operation,))  # type: ignore[arg-type]


def _backward(
    cls: Any, ctx: Context, args: tuple[Any, ...], shapes: list[Any], gradients: _Gradients
) -> list[Any]:
    on_arrays = not any(isinstance(g, Value) for g in gradients.values())
    grads: list[Any] = []
    for index, (shape, dtype) in enumerate(shapes):
        g = gradients.get(index)
        if g is None and ctx.materialize_grads:
            g = make(np.zeros(shape, dtype)[()])
        grads.append(g if g is None or isinstance(g, Value) else make(g))
    with record.recording(not on_arrays and record.grad_enabled()):
        returned = cls.backward(ctx, *grads)
    returned = returned if isinstance(returned, tuple) else (returned,)
    return _matched(cls.__name__, ctx, args, returned, on_arrays)


def _matched(
    name: str, ctx: Context, args: tuple[Any, ...], returned: tuple[Any, ...], on_arrays: bool
) -> list[Any]:
    """The returned gradients, one for each input; an error is raised if they do not fit."""
    surplus = returned[len(args) :]
    if len(returned) < len(args) or any(g is not None for g in surplus):
        raise RuntimeError(
            f"function {name}Backward returned an incorrect number of gradients (expected "
            f"{len(args)}, got {len(returned)}): one for each input of forward, None for an "
            "input without one"
        )
    gradients: list[Any] = []
    for index, (x, g, needed) in enumerate(zip(args, returned, ctx.needs_input_grad, strict=False)):
        if g is None or not needed:
            gradients.append(None)
            continue
        if not isinstance(g, Value):
            raise RuntimeError(f"{name}.backward: expected Tensor or None (got {type(g).__name__})")
        if g._data.shape != x._data.shape:
            g = _reduced(name, index, g, x._data.shape)
        gradients.append(g._data if on_arrays else g)
    return gradients


def _reduced(name: str, index: int, g: Value, shape: tuple[int, ...]) -> Any:
    try:
        if np.broadcast_shapes(g._data.shape, shape) == g._data.shape:
            return unbroadcast(g, shape)
    except ValueError:
        pass
    raise RuntimeError(
        f"Function {name}Backward returned an invalid gradient at index {index} - got "
        f"{list(g._data.shape)} but expected shape compatible with {list(shape)}"
    )
