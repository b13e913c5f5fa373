"""Pass 3: views become other ways to read the same memory, so that no element is moved.

Each step reads and writes *stored* arrays.  A view of one (permuted, sliced, expanded, with other
dimensions of length 1) is a map from its positions to the stored array's; a reshape is the same
memory under another shape; only a reshape of a view that is not row-major is a copy.
"""

from __future__ import annotations

from typing import NamedTuple

from nnlib.graph.lower.products import by_blas, is_block_of_rows
from nnlib.graph.steps import Step, Steps

Shape = tuple[int, ...]


class Axis(NamedTuple):
    """Where one dimension of a stored array is read: at start + stride · (position in `dim`)."""

    start: int = 0
    dim: int | None = None  # a dimension of the view; None: always at `start`
    stride: int = 1


class View(NamedTuple):
    """A step's values: those of the stored array of step `at`, seen as `shape`, by these axes."""

    at: int
    shape: Shape  # under which the stored array is read
    axes: tuple[Axis, ...]


def identity(at: int, shape: Shape) -> View:
    return View(at, shape, tuple([Axis(0, d) for d in range(len(shape))]))


def is_identity(view: View, shape: Shape) -> bool:
    return view.shape == shape and view.axes == identity(view.at, shape).axes


def views(graph: Steps) -> tuple[Steps, list[View]]:
    """The graph with copies where a view cannot be a map, and how each step's values are read."""
    steps: list[Step] = []
    moved: list[int] = []
    found: list[View] = []
    for step in graph.steps:
        inputs = tuple([moved[i] for i in step.inputs])
        if step.op == "reshape" and not _readable(found[inputs[0]], steps[inputs[0]], step.shape):
            given = steps[inputs[0]]
            steps.append(Step("copy", given.shape, given.dtype, inputs))
            found.append(identity(len(steps) - 1, given.shape))
            inputs = (len(steps) - 1,)
        steps.append(Step(step.op, step.shape, step.dtype, inputs, step.attrs, step.name,
                          step.value))  # fmt: skip
        at = len(steps) - 1
        mapped = step.op in _MAPS and not _stands_alone(step, steps[inputs[0]], steps)
        seen = _seen(step, found[inputs[0]]) if mapped else None
        found.append(identity(at, step.shape) if seen is None else seen)
        moved.append(at)
    outputs = {name: moved[at] for name, at in graph.outputs.items()}
    return Steps(steps, outputs, graph.derivatives), found


def _stands_alone(step: Step, given: Step, steps: list[Step]) -> bool:
    """Whether a step is a block of rows of a product that BLAS computes.

    It lies as an array of its own does, and loops for one block are then those for another too.
    """
    return by_blas(given, steps) and is_block_of_rows(step, given)


def _readable(base: View, given: Step, shape: Shape) -> bool:
    """Whether a reshape is a map or the same memory under another shape."""
    return is_identity(base, given.shape) or _without_ones(given.shape) == _without_ones(shape)


def _without_ones(shape: Shape) -> Shape:
    return tuple([n for n in shape if n != 1])


def _seen(step: Step, base: View) -> View | None:
    return _MAPS[step.op](step, base)


def _through(base: View, dims: dict[int, Axis]) -> View:
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
    return _through(base, {d: Axis(0, k) for k, d in enumerate(step.attrs["dims"])})


def _expanded(step: Step, base: View) -> View:
    n = 1 + max((a.dim for a in base.axes if a.dim is not None), default=-1)
    extra = len(step.shape) - step.attrs["rank"]
    sizes = step.attrs["from"]
    return _through(base, {
        d: Axis(0, d + extra if sizes[d] == step.shape[d + extra] else None) for d in range(n)
    })  # fmt: skip


def _sliced(step: Step, base: View) -> View:
    dims: dict[int, Axis] = {}
    new = 0
    for d, entry in enumerate(step.attrs["index"]):
        if isinstance(entry, tuple):
            dims[d] = Axis(entry[0], new, entry[2])
            new += 1
        else:
            dims[d] = Axis(entry)
    return _through(base, dims)


def _reshaped(step: Step, base: View) -> View:
    before = step.attrs["from"]
    if _without_ones(before) == _without_ones(step.shape):
        new = iter([k for k, n in enumerate(step.shape) if n != 1])
        return _through(base, {d: Axis(0, None if n == 1 else next(new))
                               for d, n in enumerate(before)})  # fmt: skip
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
