"""The graph of a gradient: the graph runs again on tensors, and its backward pass is traced too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnlib import record
from nnlib.graph.simplify import tidy
from nnlib.graph.steps import GraphError, Step, Steps
from nnlib.graph.tracing import Tracer
from nnlib.record import Leaf, Primitive, Value, make


def with_gradient(graph: Steps, of: str | None, wrt: Sequence[str] | None) -> Steps:
    """`graph` with an output ``d_x`` added for each x in `wrt`: see `nnlib.graph.gradient`."""
    of = _checked_output(graph, of)
    wrt = list(wrt) if wrt is not None else [n for n, s in graph.inputs.items() if _is_float(s)]
    for name in wrt:
        _check_input(graph, name)
    _refuse_functions(graph, graph.outputs[of])
    tracer = Tracer()
    with record.traced_by(tracer), record.recording(True):
        values = replay(graph, tracer)
        positions = {name: tracer.find(values[i]) for name, i in graph.outputs.items()}
        by_name = {s.name: values[i] for i, s in enumerate(graph.steps) if s.op == "input"}
        by_name.update({name: values[i] for name, i in graph.outputs.items()})
        n_forward = len(tracer.steps)
        gs = _gradients(values[graph.outputs[of]], [by_name[n] for n in wrt])
        derivatives = {f"d_{name}": tracer.find(g) for name, g in zip(wrt, gs)}
    for step in tracer.steps[n_forward:]:
        if step.op != "constant":
            step.name = step.name or "g"  # its variable in the source, if it gets one
    outputs = {**{n: i for n, i in positions.items() if n not in derivatives}, **derivatives}
    names = {f"d_{name}": (of, name) for name in wrt}
    return tidy(Steps(tracer.steps, outputs, {**graph.derivatives, **names}))


def replay(graph: Steps, tracer: Tracer) -> list[Value]:
    """The graph's steps applied to tensors under `tracer`; floating inputs become leaves."""
    values: list[Value] = []
    for step in graph.steps:
        if step.op == "input":
            value = make(_example(step), Leaf() if _is_float(step) else None)
            tracer.add(Step("input", step.shape, step.dtype, name=step.name), value)
        elif step.op == "constant":
            value = make(step.value)
            tracer.add(
                Step("constant", step.shape, step.dtype, name=step.name, value=step.value), value
            )
        else:
            arguments = [_argument(graph, i, step, values[i]) for i in step.inputs]
            value = Primitive.registry[step.op](*arguments, **step.attrs)
        values.append(value)
    return values


def _argument(graph: Steps, i: int, step: Step, value: Value) -> Any:
    """The argument; a constant exponent as a number, since x ** 2 has the simpler derivative."""
    source = graph.steps[i]
    if step.op == "pow" and source.op == "constant" and not source.shape and _is_float(source):
        return source.value.item()
    return value


def _gradients(loss: Any, targets: list[Any]) -> list[Value]:
    from nnlib.autograd import grad
    from nnlib.functions.create import zeros_like

    if loss._node is None:
        return [zeros_like(t) for t in targets]
    recorded = [t for t in targets if t._node is not None]
    gs = iter(grad(loss, recorded, allow_unused=True) if recorded else ())
    gradients = [None if t._node is None else next(gs) for t in targets]
    return [zeros_like(t) if g is None else g for g, t in zip(gradients, targets)]


def _example(step: Step) -> Any:
    # Few functions are singular at 1, and the gradient's formula does not depend on the values.
    return np.ones(step.shape, step.dtype)[()]


def _refuse_functions(graph: Steps, of: int) -> None:
    """Raise GraphError if the gradient needs an autograd.Function, whose backward is not a step."""
    needed, dependent = {of}, set()
    for at, step in enumerate(graph.steps):
        if (step.op == "input" and _is_float(step)) or any(i in dependent for i in step.inputs):
            dependent.add(at)
    for at in range(of, -1, -1):
        step = graph.steps[at]
        if at not in needed or (step.op == "detach" and not step.attrs.get("function")):
            continue
        needed.update(step.inputs)
        if step.op == "detach" and at in dependent:
            raise GraphError(
                f"the output depends on {step.attrs['function']}, an autograd.Function, whose "
                "backward is Python code and not in the graph. Take the gradient inside the traced "
                "function, with nnlib.autograd.grad, or write the function in differentiable steps."
            )


def _is_float(step: Step) -> bool:
    return step.dtype.startswith("float")


def _checked_output(graph: Steps, of: str | None) -> str:
    scalars = [
        name
        for name, at in graph.outputs.items()
        if _is_float(graph.steps[at]) and not any(m != 1 for m in graph.steps[at].shape)
    ]
    if of is None:
        if len(scalars) != 1:
            raise GraphError(
                f"which output's gradient? Those with one element are {scalars}: name one, as in "
                f"gradient(graph, {(scalars or ['loss'])[0]!r})"
            )
        return scalars[0]
    if of not in graph.outputs:
        raise GraphError(f"there is no output {of!r}: the graph has {list(graph.outputs)}")
    if of not in scalars:
        step = graph.steps[graph.outputs[of]]
        raise GraphError(
            f"a gradient needs an output that is one floating-point number: {of!r} has shape "
            f"{list(step.shape)} and type {step.dtype}. Reduce it with .sum() or .mean()."
        )
    return of


def _check_input(graph: Steps, name: str) -> None:
    if name not in graph.inputs and name not in graph.outputs:
        names = [*graph.inputs, *graph.outputs]
        raise GraphError(
            f"there is no quantity {name!r} to differentiate with respect to: choose from {names}"
        )
    step = graph.steps[graph.outputs[name]] if name in graph.outputs else graph.inputs[name]
    if not _is_float(step):
        raise GraphError(f"{name!r} has type {step.dtype}: only floats have derivatives")
