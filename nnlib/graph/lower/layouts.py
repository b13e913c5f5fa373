"""Pass 3: views become other ways to read the same memory, so that no element is moved.

Each step reads and writes *stored* arrays.  A view of one (permuted, sliced, expanded, with other
dimensions of length 1) is a map from its positions to the stored array's; a reshape is the same
memory under another shape; only a reshape of a view that is not row-major is a copy.
"""

from __future__ import annotations

from typing import NamedTuple

from nnlib.graph.lower.matmuls import by_blas, is_block_of_rows
from nnlib.graph.steps import Step, Steps

Shape = tuple[int, ...]


class Axis(NamedTuple):
    """Where one dimension of a stored array is read: at start + stride · (position in `dim`)."""

    start: int = 0
    dim: int | None = None  # a dimension of the view; None: always at `start`
    stride: int = 1


class View(NamedTuple):
    """A step's values: those of the stored array of step `at`, reshaped, read along these axes."""

    at: int
    shape: Shape  # to which the stored array is reshaped first
    axes: tuple[Axis, ...]


def identity(at: int, shape: Shape) -> View:
    return View(at, shape, tuple([Axis(0, d) for d in range(len(shape))]))


def is_identity(view: View, shape: Shape) -> bool:
    return view.shape == shape and view.axes == identity(view.at, shape).axes


def views(graph: Steps) -> tuple[Steps, list[View]]:
    """The graph with copies where a view cannot be a map, and how each step's values are read."""
    steps: list[Step] = []
    new_position: list[int] = []
    result: list[View] = []
    for step in graph.steps:
        inputs = tuple([new_position[i] for i in step.inputs])
        if step.op == "reshape" and not _readable(result[inputs[0]], steps[inputs[0]], step.shape):
            source = steps[inputs[0]]
            steps.append(Step("copy", source.shape, source.dtype, inputs))
            result.append(identity(len(steps) - 1, source.shape))
            inputs = (len(steps) - 1,)
        steps.append(Step(step.op, step.shape, step.dtype, inputs, step.attrs, step.name,
                          step.value))  # fmt: skip
        at = len(steps) - 1
        is_mapped = step.op in _MAPS and not _stands_alone(step, steps[inputs[0]], steps)
        view = _MAPS[step.op](step, result[inputs[0]]) if is_mapped else None
        result.append(identity(at, step.shape) if view is None else view)
        new_position.append(at)
    outputs = {name: new_position[at] for name, at in graph.outputs.items()}
    return Steps(steps, outputs, graph.derivatives), result


def _stands_alone(step: Step, operand: Step, steps: list[Step]) -> bool:
    """Whether a step is a block of rows of a product that BLAS computes.

    Its elements are contiguous, so it is read as an array of its own; then the loops over one
    block have the same source as those over another.
    """
    return by_blas(operand, steps) and is_block_of_rows(step, operand)


def _readable(base: View, operand: Step, shape: Shape) -> bool:
    """Whether a reshape is a map or the same memory under another shape."""
    return is_identity(base, operand.shape) or _without_ones(operand.shape) == _without_ones(shape)


def _without_ones(shape: Shape) -> Shape:
    return tuple([n for n in shape if n != 1])


def _composed(base: View, dims: dict[int, Axis]) -> View:
    """The view `base` with each of its dimensions read along the axis that `dims` gives."""
    axes = []
    for axis in base.axes:
        if axis.dim is None:
            axes.append(axis)
            continue
        inner = dims[axis.dim]
        axes.append(Axis(axis.start + axis.stride * inner.start, inner.dim,
                         axis.stride * inner.stride))  # fmt: skip
    return View(base.at, base.shape, tuple(axes))


def _permuted(step: Step, base: View) -> View:
    return _composed(base, {d: Axis(0, k) for k, d in enumerate(step.attrs["dims"])})


def _expanded(step: Step, base: View) -> View:
    n = 1 + max((a.dim for a in base.axes if a.dim is not None), default=-1)
    added = len(step.shape) - step.attrs["rank"]
    sizes = step.attrs["from"]
    return _composed(base, {
        d: Axis(0, d + added if sizes[d] == step.shape[d + added] else None) for d in range(n)
    })  # fmt: skip


def _sliced(step: Step, base: View) -> View:
    dims: dict[int, Axis] = {}
    next_dim = 0
    for d, entry in enumerate(step.attrs["index"]):
        if isinstance(entry, tuple):
            dims[d] = Axis(entry[0], next_dim, entry[2])
            next_dim += 1
        else:
            dims[d] = Axis(entry)
    return _composed(base, dims)


def _reshaped(step: Step, base: View) -> View:
    old_shape = step.attrs["from"]
    if _without_ones(old_shape) == _without_ones(step.shape):
        dims = iter([k for k, n in enumerate(step.shape) if n != 1])
        return _composed(base, {d: Axis(0, None if n == 1 else next(dims))
                               for d, n in enumerate(old_shape)})  # fmt: skip
    return identity(base.at, step.shape)


def _same(step: Step, base: View) -> View:
    return base


_MAPS = {
    "detach": _same, "permute": _permuted, "expand": _expanded, "slice": _sliced,
    "reshape": _reshaped,
}  # fmt: skip


def with_origins(graph: Steps) -> Steps:
    """The graph with the original shape in the attributes of each reshape and expand."""
    steps = []
    for step in graph.steps:
        attrs = step.attrs
        if step.op in ("reshape", "expand"):
            shape = graph.steps[step.inputs[0]].shape
            attrs = {**attrs, "from": shape, "rank": len(shape)}
        steps.append(Step(step.op, step.shape, step.dtype, step.inputs, attrs, step.name,
                          step.value))  # fmt: skip
    return Steps(steps, graph.outputs, graph.derivatives)
