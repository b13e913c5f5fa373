"""Simplification: graphs with fewer steps and the same results."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlib.graph.steps import Step, Steps
from nnlib.record import Primitive

LARGE = 4096  # bytes above which a compact graph computes a constant instead of storing it


def simplify(graph: Steps, compact: bool = False) -> Steps:
    """The graph without steps that no output needs or that repeat another; constants are folded.

    A step that has only constant inputs becomes a constant.  A `compact` graph, which makes a small
    file, keeps such a step if its result is large, and more than four times as large as its inputs.
    """
    needed = _needed(graph)
    steps: list[Step] = []
    new_position: dict[int, int] = {}
    position_by_key: dict[Any, int] = {}
    for at, step in enumerate(graph.steps):
        if at not in needed and step.op != "input":
            continue
        inputs = tuple([new_position[i] for i in step.inputs])
        new = Step(step.op, step.shape, step.dtype, inputs, step.attrs, step.name, step.value)
        if new.op == "clone":
            new_position[at] = new.inputs[0]
            continue
        if new.inputs and all(steps[i].op == "constant" for i in new.inputs):
            forward = Primitive.registry[new.op].forward
            value = np.array(forward(*[steps[i].value for i in new.inputs], **new.attrs))[()]
            if not (compact and _grows(value, [steps[i].value for i in new.inputs])):
                new = Step("constant", value.shape, value.dtype.name, value=value)
        key = _key(new, at)
        if key not in position_by_key:
            steps.append(new)
            position_by_key[key] = len(steps) - 1
        new_position[at] = position_by_key[key]
    folded = Steps(
        steps, {name: new_position[at] for name, at in graph.outputs.items()}, graph.derivatives
    )
    return folded if len(steps) == len(graph.steps) else simplify(folded, compact)


def values_only(graph: Steps) -> Steps:
    """The graph without `detach` steps, which affect only gradients."""
    new_position: list[int] = []
    steps: list[Step] = []
    for step in graph.steps:
        if step.op == "detach":
            new_position.append(new_position[step.inputs[0]])
            continue
        inputs = tuple([new_position[i] for i in step.inputs])
        new = Step(step.op, step.shape, step.dtype, inputs, step.attrs, step.name, step.value)
        steps.append(new)
        new_position.append(len(steps) - 1)
    outputs = {name: new_position[at] for name, at in graph.outputs.items()}
    return Steps(steps, outputs, graph.derivatives)


def _grows(value: Any, sources: list[Any]) -> bool:
    size = np.asarray(value).nbytes
    return size > LARGE and size > 4 * sum(np.asarray(v).nbytes for v in sources)


def _needed(graph: Steps) -> set[int]:
    needed = set(graph.outputs.values())
    for at in range(len(graph.steps) - 1, -1, -1):
        if at in needed:
            needed.update(graph.steps[at].inputs)
    return needed


def _key(step: Step, at: int) -> Any:
    if step.op == "input":
        return ("input", at)
    if step.op == "constant":
        return ("constant", step.dtype, step.shape, np.asarray(step.value).tobytes())
    return (step.op, step.inputs, repr(sorted(step.attrs.items())))


# ---------------------------------------------------------------- tidying


def tidy(graph: Steps) -> Steps:
    """Simplify, and drop steps that change nothing: x · 1, x / 1, x - 0, --x, x + -y, x¹, …

    Only rewrites that keep results the same to the last bit are made: x + 0 stays (it turns -0 into
    0), and so does x · 0 (it keeps nan).
    """
    graph = simplify(graph)
    while True:
        steps: list[Step] = []
        new_position: list[int] = []
        changed = False
        for step in graph.steps:
            inputs = tuple([new_position[i] for i in step.inputs])
            new = Step(step.op, step.shape, step.dtype, inputs, step.attrs, step.name, step.value)
            equal = _rewritten(new, steps)
            changed = changed or equal is not None
            if equal is None:
                steps.append(new)
            new_position.append(len(steps) - 1 if equal is None else equal)
        outputs = {name: new_position[at] for name, at in graph.outputs.items()}
        graph = simplify(Steps(steps, outputs, graph.derivatives))
        if not changed:
            return graph


def _rewritten(step: Step, steps: list[Step]) -> int | None:
    """The position of an equal step (perhaps a new one, appended), or None if there is none."""
    rule = _RULES.get(step.op)
    result = None if rule is None else rule(step, steps)
    if result is None:
        return None
    if isinstance(result, Step):
        steps.append(result)
        return len(steps) - 1
    equal = steps[result]  # broadcasting or promotion may be all that the step did
    return result if (equal.shape, equal.dtype) == (step.shape, step.dtype) else None


def _is_constant(step: Step, number: float) -> bool:
    """Whether a step is the constant `number`, in every element and with its sign."""
    if step.op != "constant":
        return False
    value = np.asarray(step.value)
    is_equal = value.size > 0 and bool((value == number).all())
    return is_equal and not (number == 0 and bool(np.signbit(value).any()))


def _like(step: Step, op: str, *inputs: int) -> Step:
    return Step(op, step.shape, step.dtype, inputs, name=step.name)


def _negated(i: int, steps: list[Step]) -> int | None:
    return steps[i].inputs[0] if steps[i].op == "neg" else None


def _add(step: Step, steps: list[Step]) -> int | Step | None:
    a, b = step.inputs
    if (y := _negated(b, steps)) is not None:
        return _like(step, "sub", a, y)
    if (x := _negated(a, steps)) is not None:
        return _like(step, "sub", b, x)
    return None


def _sub(step: Step, steps: list[Step]) -> int | Step | None:
    a, b = step.inputs
    if (y := _negated(b, steps)) is not None:
        return _like(step, "add", a, y)
    return a if _is_constant(steps[b], 0.0) else None


def _mul(step: Step, steps: list[Step]) -> int | Step | None:
    a, b = step.inputs
    for x, c in ((a, b), (b, a)):
        if _same_shape_and_dtype(steps[x], step):
            if _is_constant(steps[c], 1.0):
                return x
            if _is_constant(steps[c], -1.0):
                return _like(step, "neg", x)
    if (p := _negated(a, steps)) is not None and (q := _negated(b, steps)) is not None:
        return _like(step, "mul", p, q)
    return _scalar_constant(step, steps)


def _same_shape_and_dtype(x: Step, result: Step) -> bool:
    return (x.shape, x.dtype) == (result.shape, result.dtype)


def _scalar_constant(step: Step, steps: list[Step]) -> Step | None:
    """A constant array of equal numbers becomes one number, if the result keeps its shape."""
    inputs = list(step.inputs)
    for k in (0, 1):
        constant = steps[inputs[k]]
        other = steps[inputs[1 - k]]
        if (
            constant.op != "constant"
            or not constant.shape
            or not _same_shape_and_dtype(other, step)
            or not np.size(constant.value)
        ):
            continue
        number = np.ravel(constant.value)[0]
        if np.asarray(constant.value).tobytes() == np.full(constant.shape, number).tobytes():
            steps.append(Step("constant", (), constant.dtype, value=number))
            inputs[k] = len(steps) - 1
            return _like(step, step.op, *inputs)
    return None


def _div(step: Step, steps: list[Step]) -> int | Step | None:
    a, b = step.inputs
    if _is_constant(steps[b], 1.0):
        return a
    return _scalar_constant(step, steps)


def _pow(step: Step, steps: list[Step]) -> int | None:
    return step.inputs[0] if _is_constant(steps[step.inputs[1]], 1.0) else None


def _and(step: Step, steps: list[Step]) -> Step | None:
    if any(_is_constant(steps[i], 0.0) and steps[i].dtype == "bool" for i in step.inputs):
        return Step("constant", step.shape, "bool", value=np.zeros(step.shape, bool)[()])
    return None


def _where(step: Step, steps: list[Step]) -> int | None:
    condition, x, y = step.inputs
    if _is_constant(steps[condition], 1.0):
        return x
    return y if _is_constant(steps[condition], 0.0) else None


def _neg(step: Step, steps: list[Step]) -> int | None:
    return _negated(step.inputs[0], steps)


def _unchanged(step: Step, steps: list[Step]) -> int | Step | None:
    """A reshape or expand to the same shape, or a cast to the same dtype, changes nothing."""
    x = step.inputs[0]
    if _same_shape_and_dtype(steps[x], step):
        return x
    if step.op == "reshape" and steps[x].op == "reshape":
        return Step(step.op, step.shape, step.dtype, steps[x].inputs, step.attrs)
    return None


def _detach(step: Step, steps: list[Step]) -> int | None:
    """A second detach changes nothing, unless it represents an autograd.Function."""
    return step.inputs[0] if steps[step.inputs[0]].op == "detach" and not step.attrs else None


def _permute(step: Step, steps: list[Step]) -> int | Step | None:
    dims = tuple(step.attrs["dims"])
    if dims == tuple(range(len(dims))):
        return step.inputs[0]
    x = steps[step.inputs[0]]
    if x.op == "permute":
        composed = tuple([x.attrs["dims"][d] for d in dims])
        return Step(step.op, step.shape, step.dtype, x.inputs, {"dims": composed})
    return None


_RULES: dict[str, Any] = {
    "add": _add, "sub": _sub, "mul": _mul, "div": _div, "pow": _pow, "neg": _neg,
    "logical_and": _and, "where": _where,
    "reshape": _unchanged, "expand": _unchanged, "cast": _unchanged, "permute": _permute,
    "detach": _detach,
}  # fmt: skip
