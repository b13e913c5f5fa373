"""backward() and grad(): the public functions that compute gradients of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from nnlib import record
from nnlib.autograd.engine import walk
from nnlib.record import Node, Value, make

if TYPE_CHECKING:
    from nnlib.tensor import Tensor

Values: TypeAlias = "Tensor | Sequence[Tensor]"


def backward(
    tensors: Values,
    grad_tensors: Values | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    *,
    inputs: Values | None = None,
) -> None:
    """Add d(tensors)/d(leaf) to the ``.grad`` of every leaf that they depend on.

    Like ``torch.autograd.backward``.  `grad_tensors` are the gradients to start from (the vector of
    the vector-Jacobian product); a result with one element needs none.  With `inputs`, only these
    tensors accumulate gradients.

    Raises RuntimeError if a tensor was not recorded, if it has several elements and no start
    gradient, or if its graph was freed by an earlier call without `retain_graph`.

    >>> import nnlib
    >>> w = nnlib.tensor([1.0, 2.0], requires_grad=True)
    >>> nnlib.autograd.backward((w * w).sum())
    >>> w.grad
    tensor([2., 4.])
    """
    roots = _roots(tensors, grad_tensors)
    retain = create_graph if retain_graph is None else retain_graph
    if inputs is None and not create_graph and not record.nondefault_states:
        walk(roots, retain_graph=retain, create_graph=False)  # on arrays: nothing is recorded
        return
    with record.recording(create_graph):
        if inputs is None:
            walk(roots, retain_graph=retain, create_graph=create_graph)
            return
        leaves = _as_tuple(inputs)
        targets = dict.fromkeys(_nodes_of(leaves))
        walk(
            roots, retain_graph=retain, create_graph=create_graph, targets=targets, accumulate=False
        )
        for leaf in leaves:
            g = targets[leaf._node]  # type: ignore[index]
            if g is not None:
                g = _as_value(g)
                _add_to_grad(leaf, g)


def _add_to_grad(tensor: Any, g: Value) -> None:
    total = g if tensor.grad is None else tensor.grad + g
    if tensor.is_leaf:
        tensor.grad = total
    else:
        tensor._node.note("retain", total)


def grad(
    outputs: Values,
    inputs: Values,
    grad_outputs: Values | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    *,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]:
    """The gradients of `outputs` with respect to `inputs`, as a tuple; no ``.grad`` changes.

    Like ``torch.autograd.grad``.  With `create_graph` the gradients are recorded, and can be
    differentiated in turn.

    Raises RuntimeError if an input does not require a gradient, or was not used (unless
    `allow_unused` is true).

    >>> import nnlib
    >>> x = nnlib.tensor(3.0, requires_grad=True)
    >>> (slope,) = nnlib.autograd.grad(x**3, x, create_graph=True)
    >>> slope
    tensor(27., grad_fn=<MulBackward0>)
    >>> nnlib.autograd.grad(slope, x)
    (tensor(18.),)
    """
    roots = _roots(outputs, grad_outputs)
    xs = _as_tuple(inputs)
    targets = dict.fromkeys(_nodes_of(xs))
    retain = create_graph if retain_graph is None else retain_graph
    with record.recording(create_graph):
        walk(
            roots, retain_graph=retain, create_graph=create_graph, targets=targets, accumulate=False
        )
        gs = [targets[t._node] for t in xs]  # type: ignore[index]
        if materialize_grads:
            gs = [
                make(np.zeros_like(t._data)) if g is None else g
                for g, t in zip(gs, xs, strict=True)
            ]
    if any(g is None for g in gs) and not (allow_unused or materialize_grads):
        index = [g is None for g in gs].index(True)
        raise RuntimeError(
            "One of the differentiated Tensors appears to not have been used in the graph: input "
            f"{index} of grad() has no path to the outputs. Set allow_unused=True if this is the "
            "desired behavior."
        )
    return tuple([None if g is None else _as_value(g) for g in gs])  # type: ignore[misc]  # None if allow_unused


def _as_tuple(values: Values) -> tuple[Tensor, ...]:
    return (values,) if isinstance(values, Value) else tuple(values)


def _as_value(g: Any) -> Any:
    return g if isinstance(g, Value) else make(g.copy() if isinstance(g, np.ndarray) else g)


def _nodes_of(values: Sequence[Value]) -> list[Node]:
    for i, value in enumerate(values):
        if value._node is None:
            raise RuntimeError(
                f"One of the differentiated Tensors does not require grad: input {i}, of shape "
                f"{list(np.shape(value._data))}. Create it with requires_grad=True, or call "
                "requires_grad_() before computing with it."
            )
    return [v._node for v in values if v._node is not None]


def _roots(tensors: Values, grads: Any) -> list[tuple[Node, Any]]:
    values = _as_tuple(tensors)
    if grads is None:
        starts: Sequence[Tensor | None] = (None,) * len(values)
    else:
        starts = _as_tuple(grads)
    if len(starts) != len(values):
        raise RuntimeError(f"got {len(values)} tensors and {len(starts)} gradients")
    return [_root(i, v, g) for i, (v, g) in enumerate(zip(values, starts, strict=True))]


def _root(i: int, value: Value, start: Value | None) -> tuple[Node, Any]:
    node = value._node
    if node is None:
        raise RuntimeError(
            f"element {i} of tensors does not require grad and does not have a grad_fn: nothing "
            "that it was computed from has requires_grad=True, or it was computed under no_grad() "
            "or detached."
        )
    data = value._data
    if start is None:
        if data.size != 1:
            raise RuntimeError(
                "grad can be implicitly created only for scalar outputs: this one has shape "
                f"{list(data.shape)}. Reduce it with .sum() or .mean(), or pass the gradient to "
                "start from."
            )
        return node, make(np.ones_like(data) if data.ndim else data.dtype.type(1))
    if start._data.shape != data.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{i}] has a shape of {list(start._data.shape)} and "
            f"output[{i}] has a shape of {list(data.shape)}."
        )
    if not node.edges:  # the .grad of a leaf must not share the caller's array
        start = make(np.array(start._data)[()], start._node)
    return node, start
